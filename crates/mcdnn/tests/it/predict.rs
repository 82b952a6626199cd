//! `predict` on a tiny study that is trained here, with images made of the sample's digits.

use std::io::{Cursor, Write};
use std::process::Stdio;
use std::sync::OnceLock;

use image::{DynamicImage, GrayImage, ImageFormat, Luma};
use mnist_data::Data;
use mnist_data::idx::{self, Array};
use ndarray::{Array3, ArrayView2, Axis};
use serde_json::Value;
use study::{ResultsFolder, read_probabilities};

use crate::run::{Place, Ran, bytes};

/// A place with the tiny study of `Place::config`, trained once for all tests, in `results`.
pub(crate) fn trained() -> Place {
    static TRAINED: OnceLock<Place> = OnceLock::new();
    let trained = TRAINED.get_or_init(|| {
        let place = Place::new();
        place.config(&[]);
        place.run("reproduce --config tiny.json --study ./results").succeeded();
        place
    });
    let place = Place::new();
    let columns = ["w14-1", "original-1"].into_iter().flat_map(|column| {
        let files = ["weights.safetensors", "metrics.jsonl", "probabilities.npy", "column.json"];
        files.map(|file| format!("results/columns/{column}/{file}"))
    });
    for name in columns.chain(["results/study.json".to_owned()]) {
        place.write(&name, bytes(&trained.path(&name)));
    }
    place
}

/// The sample's test digits, `[100, 28, 28]`.
pub(crate) fn digits() -> Array3<u8> {
    Data::sample().test.images().to_owned()
}

/// An image file: dark on light, each pixel three by three.
fn file(digit: ArrayView2<'_, u8>, format: ImageFormat) -> Vec<u8> {
    let pixel = |x: u32, y: u32| Luma([255 - digit[[y as usize / 3, x as usize / 3]]]);
    let mut bytes = Cursor::new(Vec::new());
    // Some formats have no grey pixels.
    let image = DynamicImage::from(DynamicImage::from(GrayImage::from_fn(84, 84, pixel)).to_rgb8());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// The bytes of an IDX file.
pub(crate) fn idx(array: impl Into<Array>) -> Vec<u8> {
    let mut bytes = Vec::new();
    idx::write_to(&mut bytes, &array.into(), "made here").unwrap();
    bytes
}

fn json(ran: &Ran) -> Value {
    let json: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:#?}"));
    assert_eq!((&json["schema"], json["columns"].as_array().unwrap().len()), (&Value::from(1), 2));
    json
}

/// The probabilities of an opinion.
fn probabilities(opinion: &Value) -> Vec<f64> {
    opinion["probabilities"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

#[test]
fn columns_that_are_missing_are_named() {
    let place = trained();
    place.write("digits.idx", idx(digits()));
    let note = "note: ";
    assert!(!place.run("predict --study results digits.idx").succeeded().stderr.contains(note));
    std::fs::remove_dir_all(place.path("results/columns/original-1")).unwrap();
    let ran = place.run("predict --study results digits.idx").succeeded();
    let want = "note: only 1 of 2 columns are finished and used; missing: original-1\n";
    assert_eq!(ran.stderr, want);
}

#[test]
fn digits_of_mnist_get_what_their_columns_said_of_them() {
    let place = trained();
    place.write("digits.idx", idx(digits()));
    let ran = place.run("predict --study results digits.idx --json").succeeded();
    let json = json(&ran);
    let folder = ResultsFolder::open(place.path("results"));
    let [original, narrow] = ["original-1", "w14-1"]
        .map(|id| read_probabilities(&folder.column(&id.parse().unwrap()).probabilities()).unwrap());
    let images = json["images"].as_array().unwrap();
    assert_eq!(images.len(), 100);
    for (index, image) in images.iter().enumerate() {
        assert_eq!(
            (image["name"].as_str(), image["index"].as_u64()),
            (Some("digits.idx"), Some(index as u64))
        );
        assert_eq!(image["dark_on_light"], false);
        let widths = image["widths"].as_array().unwrap();
        assert_eq!(
            widths.iter().map(|width| width["width"].to_string()).collect::<Vec<_>>(),
            ["\"original\"", "14"]
        );
        for class in 0..10 {
            let [a, b] = [&original, &narrow].map(|column| f64::from(column[[index, class]]));
            // One column a width: its own numbers, to the bit; the committee is their mean.
            let got = [&widths[0], &widths[1]].map(|width| probabilities(width)[class].to_bits());
            assert_eq!(got, [a.to_bits(), b.to_bits()]);
            assert!((probabilities(&image["committee"])[class] - f64::midpoint(a, b)).abs() < 1e-15);
        }
        let [digit, top] = [&image["committee"]["digit"], &image["committee"]["top"]];
        assert_eq!((&top[0]["digit"], top.as_array().unwrap().len()), (digit, 3));
    }
    assert!(json["unread"].as_array().unwrap().is_empty());
}

#[test]
fn files_folders_and_standard_input_in_their_order() {
    let place = trained();
    let digits = digits();
    let digit = |index: usize| digits.index_axis(Axis(0), index);
    place.write("folder/b.jpg", file(digit(1), ImageFormat::Jpeg));
    place.write("folder/a.png", file(digit(0), ImageFormat::Png));
    place.write("folder/c.idx", idx(digits.slice_axis(Axis(0), (2..4).into()).to_owned()));
    place.write("folder/notes.txt", "no image");
    let mut command = place.command("predict --study results folder - --json");
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&file(digit(4), ImageFormat::Png)).unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap()).succeeded();
    assert!(ran.stderr.contains("folder: skipped 1 file (not images)"), "{ran:#?}");

    let json = json(&ran);
    let places: Vec<_> = json["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|image| {
            (image["name"].as_str().unwrap(), image["index"].as_u64(), image["dark_on_light"] == true)
        })
        .collect();
    let want = [
        ("folder/a.png", None, true),
        ("folder/b.jpg", None, true),
        ("folder/c.idx", Some(0), false),
        ("folder/c.idx", Some(1), false),
        ("standard input", None, true),
    ];
    assert_eq!(places, want);
}

#[test]
fn what_cannot_be_read_is_told_and_the_others_are_answered() {
    let place = trained();
    let digits = digits();
    let png = file(digits.index_axis(Axis(0), 0), ImageFormat::Png);
    place.write("whole.png", &png);
    place.write("cut.png", &png[..png.len() / 2]);
    place.write("blank.png", file(Array3::zeros((1, 28, 28)).index_axis(Axis(0), 0), ImageFormat::Png));
    place.write("text.png", "no image");
    place.write("empty", "");
    place.write("labels.idx", [0, 0, 8, 1, 0, 0, 0, 2, 7, 7]);
    let files = "cut.png blank.png missing.png text.png empty labels.idx whole.png";
    let ran = place.run(&format!("predict --study results {files}"));
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    assert!(ran.stdout.starts_with("whole.png: ") && ran.stdout.contains(" (dark on light)\n"), "{ran:#?}");
    assert_eq!(ran.stdout.lines().count(), 4, "{ran:#?}");
    assert!(ran.stdout.contains("\n  committee  ") && ran.stdout.contains("of 2 columns for "), "{ran:#?}");
    for reason in [
        "error: cut.png: ",
        "error: blank.png: the image is blank\n",
        "error: missing.png: cannot open: ",
        "error: text.png: not an image (PNG, JPEG, BMP, GIF, WebP, TIFF) and not an IDX file\n",
        "error: empty: the file is empty\n",
        "error: labels.idx: IDX file of u8 with the shape [2], expected u8 with three axes",
    ] {
        assert!(ran.stderr.contains(reason), "no {reason:?} in {ran:#?}");
    }

    let ran = place.run(&format!("predict --study results {files} --json"));
    let json = json(&ran);
    let unread = json["unread"].as_array().unwrap();
    assert_eq!((ran.code, unread.len(), json["images"].as_array().unwrap().len()), (Some(1), 6, 1));
    assert_eq!(unread[2]["name"], "missing.png");
}

#[test]
fn an_inverted_digit_is_the_same_digit() {
    let place = trained();
    place.write("light.idx", idx(digits()));
    place.write("dark.idx", idx(digits().mapv(|pixel| 255 - pixel)));
    let [light, dark] = ["light", "dark"].map(|name| {
        json(&place.run(&format!("predict --study results {name}.idx --json")).succeeded())["images"].clone()
    });
    for (light, dark) in light.as_array().unwrap().iter().zip(dark.as_array().unwrap()) {
        assert_eq!(
            (&light["dark_on_light"], &dark["dark_on_light"]),
            (&Value::from(false), &Value::from(true))
        );
        assert_eq!((&light["committee"], &light["widths"]), (&dark["committee"], &dark["widths"]));
    }
}

#[test]
fn weights_of_another_column_or_damaged_ones_are_named() {
    let place = trained();
    place.write("digits.idx", idx(digits()));
    let weights = |id: &str| place.path(&format!("results/columns/{id}/weights.safetensors"));
    let narrow = bytes(&weights("w14-1"));
    std::fs::copy(weights("original-1"), weights("w14-1")).unwrap();
    let ran = place.run("predict --study results digits.idx");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{ran:#?}");
    let words = "columns/w14-1/weights.safetensors: damaged: its SHA-256 is ";
    assert!(ran.stderr.contains("error: ") && ran.stderr.contains(words), "{ran:#?}");

    let record = |id: &str| place.path(&format!("results/columns/{id}/column.json"));
    let whole = bytes(&record("w14-1"));
    std::fs::copy(record("original-1"), record("w14-1")).unwrap();
    let ran = place.run("predict --study results digits.idx");
    let words =
        "columns/w14-1/column.json: not a column of this study: its name is original-1, expected w14-1\n";
    assert!(ran.code == Some(1) && ran.stderr.ends_with(words), "{ran:#?}");
    std::fs::write(record("w14-1"), whole).unwrap();

    std::fs::write(weights("w14-1"), &narrow[..narrow.len() / 2]).unwrap();
    let ran = place.run("predict --study results digits.idx");
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    assert!(ran.stderr.contains("w14-1/weights.safetensors: damaged: its SHA-256 is "), "{ran:#?}");
}

#[test]
fn studies_that_cannot_answer() {
    let place = Place::new();
    place.write("digits.idx", idx(digits()));
    place
        .run("predict digits.idx --study nowhere")
        .refused(2, &["nowhere: not the results folder of a study"]);

    let place = trained();
    place.write("digits.idx", idx(digits()));
    for column in ["w14-1", "original-1"] {
        std::fs::remove_file(place.path(&format!("results/columns/{column}/column.json"))).unwrap();
    }
    place.run("predict digits.idx --study results").refused(1, &["results: no column is finished"]);
}

/// The published study with the most columns.
fn published() -> String {
    format!("{}/../../results/published/best", env!("CARGO_MANIFEST_DIR"))
}

/// The answers of the published study for some files.
#[track_caller]
fn asked(place: &Place, arguments: &str) -> (Value, String) {
    let ran = place.run(&format!("predict --study {} --json {arguments}", published())).succeeded();
    (serde_json::from_str(&ran.stdout).unwrap(), ran.stderr)
}

/// How many answers are clear, and how many of the sample's labels they meet.
fn counted(answers: &Value) -> (usize, usize) {
    let answers = answers["images"].as_array().unwrap();
    let labels = Data::sample().test.labels().to_vec();
    let is_right = |(answer, label): (&Value, &u8)| answer["committee"]["digit"] == u64::from(*label);
    let n_clear = answers.iter().filter(|answer| answer["clear"] == true).count();
    (n_clear, answers.iter().zip(&labels).filter(|pair| is_right(*pair)).count())
}

#[test]
fn transposed_digits_are_told_and_transpose_turns_them() {
    let place = Place::new();
    let mut turned = digits();
    turned.swap_axes(1, 2);
    place.write("upright.idx", idx(digits()));
    place.write("turned.idx", idx(turned));
    let (upright, told) = asked(&place, "upright.idx");
    assert!(counted(&upright).0 > 90 && counted(&upright).1 > 98 && !told.contains("transpose"), "{told}");

    let (wrong, told) = asked(&place, "turned.idx");
    assert!(counted(&wrong).0 == 0 && counted(&wrong).1 < 60, "{told}");
    let words = "turned.idx: the images of this file seem to have rows and columns swapped; try --transpose";
    assert!(told.contains(words), "{told}");
    let (right, told) = asked(&place, "turned.idx --transpose");
    assert_eq!(
        (&right["images"][5]["committee"], told.contains("try")),
        (&upright["images"][5]["committee"], false)
    );
    let (_, told) = asked(&place, "upright.idx --transpose");
    assert!(told.contains("try without --transpose"), "{told}");

    place.write("labels.idx", idx(ndarray::Array1::from(Data::sample().test.labels().to_vec())));
    let study = published();
    let evaluate = |more: &str| {
        let files = "--images turned.idx --labels labels.idx --json";
        let ran = place.run(&format!("evaluate --study {study} {files} {more}")).succeeded();
        let evaluation: Value = serde_json::from_str(&ran.stdout).unwrap();
        evaluation["figures"]["all"]["score"]["errors"].as_u64().unwrap()
    };
    assert!(evaluate("") > 40 && evaluate("--transpose") <= 1);

    let mut labels = Data::sample().test.labels().to_vec();
    labels.rotate_left(1);
    place.write("labels.idx", idx(ndarray::Array1::from(labels)));
    let ran =
        place.run(&format!("evaluate --study {study} --images upright.idx --labels labels.idx")).succeeded();
    let words = "warning: labels.idx: the columns agree with each other but not with these labels. Are these the labels of upright.idx, in the same order?";
    assert!(ran.stderr.contains(words), "{ran:#?}");
}

#[test]
fn a_file_that_is_not_in_mnists_form_is_brought_to_it_and_that_is_said() {
    let place = Place::new();
    // Moved to a corner by three pixels.
    let digits = digits();
    let moved = Array3::from_shape_fn((100, 28, 28), |(image, row, column)| {
        digits.get([image, row + 3, column + 3]).copied().unwrap_or(0)
    });
    place.write("moved.idx", idx(moved));
    let (answers, told) = asked(&place, "moved.idx");
    assert!(told.contains("moved.idx: the images are not in MNIST's form ("), "{told}");
    assert!(counted(&answers).1 >= 98, "{:?}", counted(&answers));
    place.write("labels.idx", idx(ndarray::Array1::from(Data::sample().test.labels().to_vec())));
    let ran = place.run(&format!("evaluate --study {} --images moved.idx --labels labels.idx", published()));
    assert!(ran.succeeded().stderr.contains("moved.idx: the images are not in MNIST's form ("));
}

#[test]
fn what_is_not_clear_has_a_reason() {
    let place = trained();
    let digits = digits();
    let pixel = |x: u32, y: u32| {
        let [x, y] = [x, y].map(|at| at as usize / 3);
        Luma([255 - digits[[x / 28, y, x % 28]]])
    };
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(GrayImage::from_fn(168, 84, pixel)).write_to(&mut bytes, ImageFormat::Png).unwrap();
    place.write("two.png", bytes.into_inner());
    let (answers, _) = asked(&place, "two.png");
    let answer = &answers["images"][0];
    assert_eq!(
        (&answer["clear"], &answer["unclear"]),
        (&false.into(), &"more than one digit: crop the image to one".into())
    );
    let ran = place.run("predict --study results two.png").succeeded();
    let first = ran.stdout.lines().next().unwrap();
    assert!(first.starts_with("two.png: not clear, best guess "), "{first}");
    assert!(first.ends_with(" %; more than one digit: crop the image to one (dark on light)"), "{first}");
}

#[test]
fn a_folder_is_read_as_people_have_it() {
    let place = trained();
    let digits = digits();
    let digit = |index: usize| digits.index_axis(Axis(0), index);
    place.write("all/a.gif", file(digit(0), ImageFormat::Gif));
    place.write("all/b.bmp", file(digit(1), ImageFormat::Bmp));
    for name in [".DS_Store", "Thumbs.db", ".hidden.png", "notes.txt", "clip.mp4"] {
        place.write(&format!("all/{name}"), b"\0\0\0\x18ftypmp42 is no picture of a digit");
    }
    place.write("all/labels.idx", [0, 0, 8, 1, 0, 0, 0, 2, 7, 7]);
    place.write("all/deep/below/c.tiff", file(digit(2), ImageFormat::Tiff));
    place.write("all/deep/d.webp", file(digit(3), ImageFormat::WebP));
    let names = |arguments: &str| {
        let ran = place.run(&format!("predict --study results --json {arguments}")).succeeded();
        let names = json(&ran)["images"].as_array().unwrap().clone();
        let names: Vec<String> =
            names.iter().map(|image| image["name"].as_str().unwrap().to_owned()).collect();
        (names, ran.stderr)
    };
    let (found, told) = names("all");
    assert_eq!(found, ["all/a.gif", "all/b.bmp"]);
    assert!(told.contains("all: skipped 3 files (not images)"), "{told}");
    assert!(told.contains("all: skipped the folders in it: 1 (deep); --recursive reads them"), "{told}");
    let (found, _) = names("--recursive all");
    assert_eq!(found, ["all/a.gif", "all/b.bmp", "all/deep/d.webp", "all/deep/below/c.tiff"]);

    // An image that is not read is an error in a folder, too.
    place.write("all/photo.heic", b"\0\0\0\x18ftypheic\0\0\0\0");
    let ran = place.run("predict --study results all");
    assert_eq!(
        (ran.code, ran.stderr.contains("error: all/photo.heic: HEIC: export it as JPEG\n")),
        (Some(1), true)
    );

    // Folders without an image are an error, however deep one looks.
    place.write("texts/below/notes.txt", "no image");
    let ran = place.run("predict --study results --recursive texts");
    let error = "error: texts: no image in this folder or in the folders inside it (expected PNG, JPEG, BMP, GIF, WebP, TIFF or IDX)\n";
    assert_eq!((ran.code, ran.stderr.ends_with(error)), (Some(1), true), "{}", ran.stderr);
}

#[test]
fn many_errors_are_summed_up() {
    let place = trained();
    place.write("blank.idx", idx(Array3::<u8>::zeros((500, 28, 28))));
    let ran = place.run("predict --study results blank.idx");
    assert_eq!((ran.code, ran.stderr.lines().count()), (Some(1), 11), "{}", ran.stderr);
    assert!(
        ran.stderr.ends_with("error: 490 more images could not be read; --json lists all of them\n"),
        "{}",
        ran.stderr
    );
    place.write("none.idx", idx(Array3::<u8>::zeros((0, 28, 28))));
    place.run("predict --study results none.idx").refused(1, &["none.idx: the file contains no images"]);
    // 4 GB are announced.
    place.write("large.idx", [0, 0, 8, 3, 0, 0x50, 0, 0, 0, 0, 0, 28, 0, 0, 0, 28]);
    place
        .run("predict --study results large.idx")
        .refused(1, &["large.idx: its header announces 4110417936 bytes, expected at most 268435456"]);
}
