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
    let image = DynamicImage::from(GrayImage::from_fn(84, 84, pixel));
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
    let want = "note: 1 of 2 columns are finished, and these answer; missing: original-1\n";
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
    assert!(
        ran.stderr.contains("folder: passed over what is neither PNG, JPEG nor IDX: 1 of its files"),
        "{ran:#?}"
    );

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
        "error: blank.png: no ink: ",
        "error: missing.png: cannot open: ",
        "error: text.png: neither PNG, JPEG nor IDX\n",
        "error: empty: empty\n",
        "error: labels.idx: IDX of u8 with the shape [2], expected u8 with three axes",
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
    place.run("predict digits.idx --study nowhere").refused(2, &["nowhere: no study.json"]);

    let place = trained();
    place.write("digits.idx", idx(digits()));
    for column in ["w14-1", "original-1"] {
        std::fs::remove_file(place.path(&format!("results/columns/{column}/column.json"))).unwrap();
    }
    place.run("predict digits.idx --study results").refused(1, &["results: no column is finished"]);
}
