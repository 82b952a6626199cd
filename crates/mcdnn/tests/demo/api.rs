//! What the page asks, and what it is told.

use image::ImageFormat;
use serde_json::Value;

use crate::run::{Place, bytes};
use crate::server::{Server, photograph, published};

const N_PIXELS: usize = 28 * 28;

/// The digit's pixels in an answer.
fn pixels(answer: &Value) -> Vec<u8> {
    answer["pixels"].as_array().unwrap().iter().map(|ink| ink.as_u64().unwrap() as u8).collect()
}

#[test]
fn an_image_gets_the_answer_that_predict_gives() {
    let place = Place::new();
    let server = Server::start();
    for label in 0..10 {
        let image = photograph(label, 8, ImageFormat::Png);
        place.write("digit.png", &image);
        let predicted = place.run(&format!("predict --study {} --json digit.png", published())).succeeded();
        let predicted: Value = serde_json::from_str(&predicted.stdout).unwrap();
        let answered = server.post("/api/classify?name=digit.png", &image);
        assert!(answered.head.contains("\r\nserver-timing: answer;dur="), "{}", answered.head);
        let answered = answered.json();
        assert_eq!(answered["image"], predicted["images"][0]);
        assert_eq!(answered["image"]["committee"]["digit"], u64::from(label));

        // Their mean is the committee, and they stand in the order of `predict`.
        let columns = answered["columns"].as_array().unwrap();
        let names: Vec<&Value> = columns.iter().map(|column| &column["column"]).collect();
        assert_eq!(names, predicted["columns"].as_array().unwrap().iter().collect::<Vec<_>>());
        for digit in 0..10 {
            let of_columns = columns.iter().map(|column| column["probabilities"][digit].as_f64().unwrap());
            let mean = of_columns.sum::<f64>() / columns.len() as f64;
            let committee = answered["image"]["committee"]["probabilities"][digit].as_f64().unwrap();
            assert!((mean - committee).abs() < 1e-7, "{mean} {committee}"); // f32 printed in its shortest form
        }
        assert_eq!(pixels(&answered).len(), N_PIXELS);
        let canvases = answered["canvases"].as_array().unwrap();
        let widths = answered["image"]["widths"].as_array().unwrap();
        assert_eq!(canvases.len(), 7);
        for (canvas, width) in canvases.iter().zip(widths) {
            assert_eq!((&canvas["width"], pixels(canvas).len()), (&width["width"], 29 * 29));
        }
    }
    // Seven lines of five: the study, as the page lays it out.
    let study = server.send("GET /api/study", &[], b"").json();
    assert_eq!(study["columns"].as_array().unwrap().len(), 35);
    assert_eq!((&study["study"], &study["widths"][0]), (&"best".into(), &"original".into()));
}

#[test]
fn a_columns_maps_end_in_its_probabilities() {
    let server = Server::start();
    let answer = server.post("/api/classify?name=x", &photograph(3, 8, ImageFormat::Png)).json();
    let digit = pixels(&answer);
    let maps = server.post("/api/maps?column=w14-2", &digit).json();
    let stages = maps["stages"].as_array().unwrap();
    let shapes: Vec<Vec<u64>> = stages
        .iter()
        .map(|stage| ["maps", "height", "width"].map(|side| stage[side].as_u64().unwrap()).to_vec())
        .collect();
    assert_eq!(shapes, [[20, 26, 26], [20, 13, 13], [40, 9, 9], [40, 3, 3], [150, 1, 1]]);
    for (stage, shape) in stages.iter().zip(&shapes) {
        let values = stage["values"].as_array().unwrap();
        assert_eq!(values.len() as u64, shape.iter().product::<u64>());
        // ReLU: nothing is below zero, and the largest is all of the scale.
        assert_eq!(values.iter().map(|value| value.as_i64().unwrap()).max(), Some(127));
        assert!(
            values.iter().all(|value| value.as_i64() >= Some(0)) && stage["largest"].as_f64() > Some(0.0)
        );
    }
    let columns = answer["columns"].as_array().unwrap();
    let column = columns.iter().find(|column| column["column"] == "w14-2").unwrap();
    for digit in 0..10 {
        // f64 there, f32 here.
        let [plain, fast] = [&maps, column].map(|of| of["probabilities"][digit].as_f64().unwrap());
        assert!((plain - fast).abs() < 1e-4, "{plain} {fast}");
    }
    server.post("/api/maps?column=w99-1", &digit).refused(422, "w99-1: the study has no finished column");
    server.post("/api/maps?column=w14-1", &digit[1..]).refused(422, "the digit has 783 bytes, expected 784");
}

#[test]
fn distortions_are_a_function_of_the_seed() {
    let server = Server::start();
    let digit = pixels(&server.post("/api/classify?name=x", &photograph(5, 8, ImageFormat::Png)).json());
    let distorted = |sigma: &str, strength: &str, seed: &str| {
        server.post(&format!("/api/distort?sigma={sigma}&strength={strength}&seed={seed}"), &digit)
    };
    let first = distorted("8", "0.4", "1").json();
    assert_eq!(first, distorted("8", "0.4", "1").json());
    let digits = first["digits"].as_array().unwrap();
    assert_eq!(digits.len(), 12);
    assert!(digits.iter().filter(|of| of["digit"] == 5).count() >= 10, "small distortions change little");
    for (index, of) in digits.iter().enumerate() {
        assert!(digits[..index].iter().all(|other| other["pixels"] != of["pixels"]));
    }
    for other in [distorted("8", "0.4", "2"), distorted("4", "0.4", "1"), distorted("8", "0.5", "1")] {
        assert_ne!(other.json()["digits"], first["digits"]);
    }
    // No strength is the digit, every time.
    let still = distorted("8", "0", "1").json();
    assert!(still["digits"].as_array().unwrap().iter().all(|of| pixels(of) == digit));
    distorted("0", "0.4", "1").refused(422, "sigma 0 is out of range: 0.01 to 10000");
    distorted("8", "1.5", "1").refused(422, "strength 1.5 is out of range: 0 to 1");
    distorted("NaN", "0", "1").refused(422, "sigma NaN is out of range");
    distorted("8", "0", "one").refused(400, "seed");
}

#[test]
fn what_is_no_image_gets_the_sentence_of_predict() {
    let server = Server::start();
    let png = photograph(1, 8, ImageFormat::Png);
    let place = Place::new();
    for (name, body) in [
        ("text.png", b"no image".to_vec()),
        ("cut.png", png[..png.len() / 2].to_vec()),
        ("page.jpg", b"<!doctype html>".to_vec()),
        ("blank.bmp", blank()),
    ] {
        place.write(name, &body);
        let predicted = place.run(&format!("predict --study {} {name}", published()));
        let sentence = predicted.stderr.trim().strip_prefix("error: ").unwrap();
        server.post(&format!("/api/classify?name={name}"), &body).refused(422, sentence);
    }
    let idx = [&[0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28][..], &[0; N_PIXELS]].concat();
    server.post("/api/classify?name=a.idx", &idx).refused(422, "a.idx: an IDX file holds many images");
    server.post("/api/classify", &png).refused(400, "name");
    server.post("/api/classify?name=a&nam=b", &png).refused(400, "nam");
    server.send("GET /api/classify?name=a", &[], b"").refused(405, "GET is not allowed");
    server.send("DELETE /", &[], b"").refused(405, "DELETE is not allowed");
    server.send("GET /../Cargo.toml", &[], b"").refused(404, "the page is at /");
    // A name is shown as it is, never as a page.
    let name = "/api/classify?name=%3Cscript%3E";
    server.post(name, b"no image").refused(422, "<script>: not an image");
}

fn blank() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::GrayImage::from_pixel(40, 40, image::Luma([255])).write_to(&mut bytes, ImageFormat::Bmp).unwrap();
    bytes.into_inner()
}

#[test]
fn a_study_of_another_shape_and_views() {
    let place = Place::new();
    place.config(&[]);
    place.run("reproduce --config tiny.json --study ./results/tiny").succeeded();
    let image = photograph(2, 8, ImageFormat::Jpeg);
    place.write("two.jpg", &image);
    let predicted = place.run("predict --views 3 --view-strength 0.4 --json two.jpg").succeeded();
    let predicted: Value = serde_json::from_str(&predicted.stdout).unwrap();
    // Without --study the one that is there.
    let server = Server::started(&place, "--views 3 --view-strength 0.4");
    let study = server.send("GET /api/study", &[], b"").json();
    assert_eq!((&study["study"], &study["views"]), (&"tiny".into(), &predicted["views"]));
    assert_eq!(study["widths"], serde_json::json!(["original", 14]));
    let answer = server.post("/api/classify?name=two.jpg", &image).json();
    assert_eq!(answer["image"], predicted["images"][0]);
    let maps = server.post("/api/maps?column=w14-1", &pixels(&answer)).json();
    assert_eq!(maps["stages"].as_array().unwrap().len(), 5);
    assert_eq!(maps["stages"][4]["name"], "12 neurons");
}

#[test]
fn a_taken_port_and_studies_that_cannot_answer_are_told() {
    let server = Server::start();
    let place = Place::new();
    let taken = place.run(&format!("demo --study {} --port {}", published(), server.port));
    let sentence = format!("port {} of 127.0.0.1 is taken; --port 0 takes a free one", server.port);
    taken.refused(1, &[&sentence]);
    place.run("demo --study nowhere").refused(2, &["nowhere: not the results folder of a study"]);
    place.config(&[(
        r#""distortion": {
    "sigma": 8, "alpha": 36, "smoothing": "gaussian",
    "translation_px": 0, "rotation_deg": 0, "scaling": 0, "shear": 0, "anneal": 0.3
  }"#,
        r#""distortion": null"#,
    )]);
    place.run("reproduce --config tiny.json --study ./plain").succeeded();
    place.run("demo --study ./plain --views 4").refused(2, &["--views: the study"]);
    let weights = place.path("plain/columns/w14-1/weights.safetensors");
    let damaged = bytes(&weights).iter().map(|byte| byte ^ 1).collect::<Vec<_>>();
    std::fs::write(&weights, damaged).unwrap();
    place.run("demo --study ./plain").refused(1, &["w14-1/weights.safetensors: damaged"]);
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_well() {
    use rustix::process::Signal;
    for signal in [Signal::INT, Signal::TERM] {
        assert_eq!(Server::start().end(signal), Some(0));
    }
}
