//! What a study answers, against the plain network in f64 and against itself.

use ciresan_cpu::InstructionSet;
use ciresan_net::reference::Reference;
use classifier::{Answers, Classifier, Image, predict_finished, view_maker};
use mnist_data::Data;
use ndarray::{Array2, Array3, ArrayView2, Axis, s};
use preprocess::{Views, to_mnist};
use study::Study;

use crate::made_up;

/// Without a stage that is convolved by Winograd's way, whose rounding is another.
const SMALL: &str = "1x29x29-3C4-MP2-4C4-MP3-10N";
const PAPER: &str = "1x29x29-20C4-MP2-40C5-MP3-150N-10N";

fn digits() -> Array3<u8> {
    Data::sample().train.images().to_owned()
}

fn of_mnist(digits: &Array3<u8>) -> Vec<Image<'_>> {
    digits.outer_iter().map(Image::Mnist).collect()
}

/// Values, and how far those of an engine in f32 may lie from them.
fn by_reference(study: &Study, values: &[f32], canvas: ArrayView2<'_, u8>) -> (Vec<f64>, Vec<f64>) {
    let mut input = vec![0.0; canvas.len()];
    preprocess::scale_to_input(canvas.as_slice().unwrap(), &mut input).unwrap();
    let reference = Reference::new(&study.network, study.activation);
    let wide = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect::<Vec<_>>();
    let (values, input) = (wide(values), wide(&input));
    let trace = reference.forward(&values, &input);
    // A logit is a sum over all paths from a pixel, each a product of weights; the network of the absolute values has the
    // sum of the paths' absolute values. In a layer of n inputs a path is rounded n + 1 times (a product, n sums with the
    // bias) and here n is 16, then 48, then 36; rectifier and maximum round nothing. To first order the logits are then
    // off by at most 103 roundings of that sum.
    let magnitude = |values: &[f64]| values.iter().map(|value| value.abs()).collect::<Vec<_>>();
    let paths = reference.forward(&magnitude(&values), &magnitude(&input));
    let largest = paths.layers.last().unwrap().outputs.iter().copied().fold(0.0, f64::max);
    let unit = f64::from(f32::EPSILON) / 2.0;
    let of_logit = 103.0 * unit * largest;
    // The slope of a softmax by all logits together is at most 2 p (1 - p); exp, sum and division round less than 32 times.
    let tolerance = |p: &f64| 2.0 * p * (1.0 - p) * of_logit + 32.0 * unit * p;
    let tolerances = trace.probabilities.iter().map(tolerance).collect();
    (trace.probabilities, tolerances)
}

#[test]
fn columns_are_those_of_the_plain_network_at_their_width() {
    let root = tempfile::tempdir().unwrap();
    let (folder, study) = made_up::finished(root.path(), SMALL, r#"[20, "original", 10]"#, 2);
    let digits = digits().slice_move(s![..70, .., ..]); // more than a block
    for isa in InstructionSet::available() {
        let classifier = Classifier::open_with(folder.root(), isa).unwrap();
        assert_eq!((classifier.isa(), classifier.columns()), (isa, &study.columns()[..]));
        let answers = classifier.classify_all(&of_mnist(&digits)).unwrap();
        assert_eq!(answers.columns.dim(), (6, 70, 10));
        for (id, of_column) in study.columns().iter().zip(answers.columns.outer_iter()) {
            let canvases = preprocess::normalize_all(digits.view(), id.width, [29, 29]).unwrap();
            let weights = made_up::weights(&study, *id);
            for (image, (row, canvas)) in of_column.outer_iter().zip(canvases.outer_iter()).enumerate() {
                let (want, tolerances) = by_reference(&study, weights.values(), canvas);
                for ((&got, want), tolerance) in row.iter().zip(want).zip(tolerances) {
                    let off = (f64::from(got) - want).abs();
                    assert!(tolerance < 0.01 && off <= tolerance, "{isa} {id} {image}: {off} {tolerance}");
                }
            }
        }
    }
}

#[test]
fn the_committee_is_the_mean_of_columns_and_a_width_that_of_its_own() {
    let root = tempfile::tempdir().unwrap();
    let (folder, study) = made_up::finished(root.path(), SMALL, r#"[20, "original", 10]"#, 2);
    let classifier = Classifier::open(folder.root()).unwrap();
    let widths: Vec<String> = classifier.widths().iter().map(ToString::to_string).collect();
    assert_eq!(widths, ["original", "10", "20"]);
    let digits = digits();
    let Answers { committee, widths, columns, .. } = classifier.classify_all(&of_mnist(&digits)).unwrap();
    let mean = |members: &[usize]| -> Array2<f64> {
        let sum = members.iter().fold(Array2::zeros(committee.dim()), |sum: Array2<f64>, &member| {
            sum + columns.index_axis(Axis(0), member).mapv(f64::from)
        });
        sum / members.len() as f64
    };
    // In training order the columns are 20, original, 10, and once more.
    assert_eq!(study.columns()[4].to_string(), "original-2");
    assert_eq!(committee, mean(&[0, 1, 2, 3, 4, 5]));
    for (got, members) in widths.outer_iter().zip([[1, 4], [2, 5], [0, 3]]) {
        assert_eq!(got, mean(&members));
    }
}

#[test]
fn one_image_gets_the_bits_that_it_gets_among_many_on_any_thread() {
    let root = tempfile::tempdir().unwrap();
    let (folder, _) = made_up::finished(root.path(), PAPER, r#"["original", 10, 20]"#, 3);
    let digits = digits().slice_move(s![..131, .., ..]);
    let images = of_mnist(&digits);
    for isa in InstructionSet::available() {
        let classifier = Classifier::open_with(folder.root(), isa).unwrap();
        let all = classifier.classify_all(&images).unwrap();
        let classes = all.classes();
        let check = || {
            for (index, &image) in images.iter().enumerate() {
                let one = classifier.classify(image).unwrap();
                assert_eq!(one.columns, all.columns.index_axis(Axis(1), index), "{isa} {index}");
                assert_eq!(one.widths, all.widths.index_axis(Axis(1), index));
                assert_eq!(one.committee, all.committee.row(index));
                assert_eq!(one.class(), classes[index]);
            }
            assert_eq!(classifier.classify_all(&images).unwrap(), all);
        };
        // At once, so that columns need more than one engine; and inside of a pool.
        std::thread::scope(|scope| {
            scope.spawn(check);
            rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap().install(check);
        });
    }
}

#[test]
fn finished_columns_say_the_same_when_they_are_applied_once() {
    let root = tempfile::tempdir().unwrap();
    let (folder, study) = made_up::finished(root.path(), PAPER, r#"["original", 10]"#, 1);
    let isa = InstructionSet::best();
    let digits = digits().slice_move(s![..150, .., ..]);
    let manifest = folder.manifest().unwrap().unwrap();
    let make = |spec: &_, columns: &_| ciresan_cpu::CpuEngine::with_isa(spec, columns, isa);
    let once = predict_finished(&folder, &manifest, &study.columns(), digits.view(), None, make).unwrap();
    let classifier = Classifier::open(folder.root()).unwrap();
    assert_eq!(classifier.classify_all(&of_mnist(&digits)).unwrap().columns, once);
}

#[test]
fn with_views_an_answer_is_the_mean_of_what_is_said_of_each() {
    let root = tempfile::tempdir().unwrap();
    let (folder, study) = made_up::finished(root.path(), SMALL, r#"["original", 10]"#, 1);
    let digits = digits().slice_move(s![..67, .., ..]);
    let views = Views { count: 5, strength: 0.5 };
    let plain = Classifier::open(folder.root()).unwrap();
    let answers = Classifier::open(folder.root()).unwrap().with_views(views).unwrap();
    let got = answers.classify_all(&of_mnist(&digits)).unwrap();
    for (index, (id, of_column)) in study.columns().iter().zip(got.columns.outer_iter()).enumerate() {
        let canvases = preprocess::normalize_all(digits.view(), id.width, [29, 29]).unwrap();
        let mut inputs = vec![0.0; canvases.len() * 5];
        view_maker(&study, *id, Some(views)).unwrap().unwrap().fill(canvases.view(), &mut inputs).unwrap();
        let reference = Reference::new(&study.network, study.activation);
        let wide = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect::<Vec<_>>();
        let weights = wide(made_up::weights(&study, *id).values());
        for (row, inputs) in of_column.outer_iter().zip(inputs.chunks(5 * 29 * 29)) {
            let said =
                inputs.chunks(29 * 29).map(|view| reference.forward(&weights, &wide(view)).probabilities);
            let said: Vec<Vec<f64>> = said.collect();
            for (class, &got) in row.iter().enumerate() {
                let mean = said.iter().map(|view| view[class]).sum::<f64>() / 5.0;
                // Wider than the bound of one view above, which is proven there.
                assert!((f64::from(got) - mean).abs() < 1e-4, "{id}: {got}, want {mean}");
            }
        }
        let plain = plain.classify_all(&of_mnist(&digits)).unwrap();
        assert_ne!(plain.columns.index_axis(Axis(0), index), of_column);
    }
    // Alone, among others and applied once, a digit gets the same bits.
    for index in [0, 66] {
        let one = answers.classify(Image::Mnist(digits.index_axis(Axis(0), index))).unwrap();
        assert_eq!(one.columns, got.columns.index_axis(Axis(1), index));
    }
    let make =
        |spec: &_, columns: &_| ciresan_cpu::CpuEngine::with_isa(spec, columns, InstructionSet::best());
    let manifest = folder.manifest().unwrap().unwrap();
    let once = predict_finished(&folder, &manifest, &study.columns(), digits.view(), Some(views), make);
    assert_eq!(once.unwrap(), got.columns);
    // Views that are not distorted are the digit.
    let same =
        Classifier::open(folder.root()).unwrap().with_views(Views { count: 3, strength: 0.0 }).unwrap();
    assert_eq!(
        same.classify_all(&of_mnist(&digits)).unwrap(),
        plain.classify_all(&of_mnist(&digits)).unwrap()
    );
}

#[test]
fn views_that_cannot_be_made_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let (folder, mut study) = made_up::finished(root.path(), SMALL, "[14]", 1);
    let classifier = Classifier::open(folder.root()).unwrap();
    let error = classifier.with_views(Views { count: 3, strength: 2.0 }).err().unwrap().to_string();
    assert!(error.contains("strength 2 is out of range"), "{error}");
    study.distortion = None;
    let id = study.columns()[0];
    let error = view_maker(&study, id, Some(Views { count: 3, strength: 0.5 })).unwrap_err().to_string();
    assert!(error.contains("without distortion, so there is no way to make views"), "{error}");
}

#[test]
fn a_grey_image_is_brought_to_mnists_form_and_a_digit_is_not() {
    let root = tempfile::tempdir().unwrap();
    let (folder, _) = made_up::finished(root.path(), SMALL, "[14]", 1);
    let classifier = Classifier::open(folder.root()).unwrap();
    let mut photo = Array2::from_elem((90, 60), 220);
    photo.slice_mut(s![10..80, 25..35]).fill(30);
    let digit = to_mnist(photo.view()).unwrap().pixels;
    let grey = classifier.classify(Image::Grey(photo.view())).unwrap();
    assert_eq!(grey, classifier.classify(Image::Mnist(digit.view())).unwrap());
    // Off the centre, 28 x 28 or not, the two differ.
    let mut corner = Array2::zeros((28, 28));
    corner.slice_mut(s![..9, ..3]).fill(255);
    let as_it_is = classifier.classify(Image::Mnist(corner.view())).unwrap();
    assert_ne!(classifier.classify(Image::Grey(corner.view())).unwrap(), as_it_is);
    // One after the other, in any order and memory layout.
    let turned = digit.t().as_standard_layout().into_owned();
    let images = [Image::Mnist(corner.view()), Image::Grey(photo.view()), Image::Mnist(turned.t())];
    let answers = classifier.classify_all(&images).unwrap();
    assert_eq!(answers.committee.row(0), as_it_is.committee);
    assert_eq!(answers.committee.row(1), grey.committee);
    assert_eq!(answers.committee.row(2), grey.committee);
}

#[test]
fn no_images_get_no_answers() {
    let root = tempfile::tempdir().unwrap();
    let (folder, _) = made_up::finished(root.path(), SMALL, "[14, 20]", 1);
    let answers = Classifier::open(folder.root()).unwrap().classify_all(&[]).unwrap();
    let dims = (answers.committee.dim(), answers.widths.dim(), answers.columns.dim());
    assert_eq!(dims, ((0, 10), (2, 0, 10), (2, 0, 10)));
    assert_eq!(answers.classes(), Vec::<u8>::new());
}
