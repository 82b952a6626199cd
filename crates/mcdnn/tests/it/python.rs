//! `examples/python` on tiny studies: a program that shares no code with this one normalizes the same digits, predicts the same
//! probabilities and finds the same errors.

use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

use mnist_data::Data;
use mnist_data::idx::{self, Encoding};
use ndarray::Array1;
use preprocess::{CANVAS_PX, Width, normalize_all};

use crate::predict::digits;
use crate::run::{Place, Ran, bytes};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/python");

/// Python with the example's folder to import from, or `None`, and a line that says so, where it lacks the packages.
#[expect(clippy::print_stderr, reason = "a test says that it was skipped")]
fn python() -> Option<Command> {
    let mut check = Command::new("python3");
    check.args(["-c", "import numpy, safetensors"]).stdout(Stdio::null()).stderr(Stdio::null());
    if !check.status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: python3 cannot import numpy and safetensors");
        return None;
    }
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", EXAMPLE).env("PYTHONDONTWRITEBYTECODE", "1").env("OPENBLAS_NUM_THREADS", "1");
    Some(python)
}

/// A study `results/tiny`, and the sample's test digits as MNIST's files in `data`. It is trained until it is mostly right and sure: only then
/// does a mistake in a forward pass change its answers.
fn trained(changes: &[(&str, &str)], encoding: Encoding) -> Place {
    let place = Place::new();
    place.config(&[changes, &[("\"epochs\": 2", "\"epochs\": 40")]].concat());
    place.run("reproduce --config tiny.json").succeeded();
    fs::create_dir(place.path("data")).unwrap();
    let file = |name: &str| match encoding {
        Encoding::Gzip => place.path(&format!("data/{name}.gz")),
        Encoding::Raw => place.path(&format!("data/{name}")),
    };
    let labels = Array1::from(Data::sample().test.labels().to_vec());
    idx::write(file("t10k-images-idx3-ubyte"), &digits().into(), encoding).unwrap();
    idx::write(file("t10k-labels-idx1-ubyte"), &labels.into(), encoding).unwrap();
    place
}

/// Runs `program` on the trained study.
fn compare(program: &Path, place: &Place) -> Ran {
    let mut python = python().unwrap();
    python
        .arg(program)
        .arg(place.path("results/tiny"))
        .arg("--data")
        .arg(place.path("data"))
        .arg("--compare");
    Ran::of(python)
}

/// The program agrees, and with a mistake anywhere in its forward pass it does not.
#[track_caller]
fn check(place: &Place, activation: (&str, &str)) {
    let ran = compare(&Path::new(EXAMPLE).join("committee.py"), place).succeeded();
    assert_eq!(ran.stdout.matches("  the same: ").count(), 3, "two columns and the committee: {ran:#?}");

    let program = String::from_utf8(bytes(&Path::new(EXAMPLE).join("committee.py"))).unwrap();
    for (right, wrong) in [
        activation,
        ("- 127.5) / 127.5", "- 127) / 127.5"),
        ("transpose(2, 3, 1, 0)", "transpose(3, 2, 1, 0)"),
        ("reduce(np.maximum", "reduce(np.minimum"),
        ("np.moveaxis(x, 3, 1)", "x"),
        (") + bias", ")"),
        ("if i < len(self.layers)", "if kind == \"conv\""),
        ("MAX_STRETCH = 1.75", "MAX_STRETCH = 1.5"),
        ("canvas[1] - image", "canvas[1] + 1 - image"),
    ] {
        assert_eq!(program.matches(right).count(), 1, "{right}");
        place.write("wrong.py", program.replace(right, wrong));
        let ran = compare(&place.path("wrong.py"), place);
        assert!(ran.code == Some(1) && ran.stdout.contains("  DIFFERENT: "), "{wrong}: {ran:#?}");
    }
}

#[test]
fn python_predicts_what_a_study_with_relu_did() {
    if python().is_some() {
        let place = trained(&[], Encoding::Raw);
        check(&place, ("np.maximum(x, 0)", "np.abs(x)"));
    }
}

#[test]
fn python_predicts_what_a_study_with_scaled_tanh_did() {
    if python().is_some() {
        let place = trained(&[("\"relu\"", "\"scaled-tanh\""), ("fan-in", "paper")], Encoding::Gzip);
        check(&place, ("np.float32(2 / 3)", "np.float32(0.66)"));
    }
}

#[test]
fn python_finds_other_figures_and_weights() {
    if python().is_none() {
        return;
    }
    let place = trained(&[], Encoding::Raw);
    let program = Path::new(EXAMPLE).join("committee.py");
    let figures = place.path("results/tiny/committee.json");
    let text = String::from_utf8(bytes(&figures)).unwrap();
    let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let errors = &mut json["figures"]["members"][1]["score"]["errors"];
    *errors = (errors.as_u64().unwrap() + 10).into();
    fs::write(&figures, json.to_string()).unwrap();
    let ran = compare(&program, &place);
    assert!(ran.code == Some(1) && ran.stdout.matches("  DIFFERENT: ").count() == 1, "{ran:#?}");
    fs::write(&figures, text).unwrap();

    let weights = place.path("results/tiny/columns/w14-1/weights.safetensors");
    let mut damaged = bytes(&weights);
    *damaged.last_mut().unwrap() ^= 1;
    fs::write(&weights, damaged).unwrap();
    compare(&program, &place).refused(1, &["w14-1", "weights.safetensors", "SHA-256"]);
}

#[test]
fn python_normalizes_to_the_same_pixels() {
    let Some(mut python) = python() else { return };
    let place = Place::new();
    place.write("digits.bin", digits().into_raw_vec_and_offset().0);
    let script = "
import sys, numpy, committee
images = numpy.fromfile(sys.argv[1], numpy.uint8).reshape(-1, 28, 28)
for width in [None, *range(4, 29)]:
    sys.stdout.buffer.write(committee.normalize(images, width).tobytes())
";
    let output = python.args(["-c", script]).arg(place.path("digits.bin")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let widths = [Width::Original]
        .into_iter()
        .chain((Width::MIN_PX..=Width::MAX_PX).map(|px| Width::try_from(px).unwrap()));
    let want: Vec<u8> =
        widths.flat_map(|width| normalize_all(digits().view(), width, [CANVAS_PX; 2]).unwrap()).collect();
    assert_eq!(output.stdout.len(), want.len());
    let n_different = output.stdout.iter().zip(&want).filter(|(got, want)| got != want).count();
    assert_eq!(n_different, 0, "of {} pixels", want.len());
}
