//! What cannot be done ends in one sentence and the right exit code, before anything is fetched or trained.

use study::{Manifest, ResultsFolder, Study};

use crate::hold::hold;
use crate::run::{Place, Ran};

const REPRODUCE: &str = "reproduce --config tiny.json";

#[track_caller]
fn check_config(change: (&str, &str), words: &[&str]) {
    let place = Place::new();
    place.config(&[change]);
    place.run(REPRODUCE).refused(2, &[&["tiny.json:"], words].concat());
    assert!(!place.path("results").exists());
}

#[test]
fn wrong_configs() {
    check_config(("\"epochs\"", "\"epoch\""), &["unknown key \"epoch\"", "known: ", "epochs"]);
    check_config(("[14,", "[99,"), &["99", "4 to 28"]);
    check_config(("\"batch\": 32", "\"batch\": 0"), &["batch is 0"]);
    check_config(("12N-10N", "12N-10X"), &["10X"]);
    check_config(("{", ""), &["not JSON"]);
}

#[test]
fn a_config_that_is_not_there() {
    Place::new().run(REPRODUCE).refused(
        2,
        &["tiny.json: no such file and no built-in config", "best, held-out, paper, quick, theano"],
    );
    let words = ["configs/tiny.json", "cannot read the config"];
    Place::new().run("reproduce --config configs/tiny.json").refused(2, &words);
}

/// An IDX file of images: its header, and as many pixels as asked for.
fn images(n_images: u32, n_pixels: usize) -> Vec<u8> {
    let header = [0x0000_0803, n_images, 28, 28].map(u32::to_be_bytes).concat();
    [header, vec![0; n_pixels]].concat()
}

#[track_caller]
fn check_data(train_images: &[u8], words: &[&str]) {
    let place = Place::new();
    place.config(&[("\"sample\"", "\"mnist\"")]);
    place.write("digits/train-images-idx3-ubyte", train_images);
    place.run(&format!("{REPRODUCE} --data digits")).refused(1, words);
    assert!(!place.path("results").exists(), "a folder is left behind");
    place.run("setup --data digits").refused(1, words);
}

#[test]
fn digits_that_are_damaged_or_others_or_missing() {
    check_data(&images(60_000, 1_000), &["digits/train-images-idx3-ubyte: truncated", "got 1016 bytes"]);
    check_data(&images(1, 784), &["digits/train-images-idx3-ubyte: SHA-256 ", "ba891046e6505d7a"]);
    let place = Place::new();
    place.config(&[("\"sample\"", "\"mnist\"")]);
    for command in [REPRODUCE, "setup"] {
        place.run(&format!("{command} --data digits")).refused(2, &["--data digits: no such folder"]);
    }
    assert!(!place.path("results").exists());
}

#[test]
fn a_folder_for_digits_that_are_embedded() {
    let place = Place::new();
    place.config(&[]);
    place.run(&format!("{REPRODUCE} --data digits")).refused(2, &["--data", "embedded sample"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_results_folder_that_cannot_be_written() {
    let place = Place::new();
    place.config(&[]);
    // Nobody can make a folder there, not even root.
    place
        .run("reproduce --config tiny.json --study /proc/tiny")
        .refused(1, &["/proc/tiny", "cannot create the results folder"]);
}

#[test]
fn a_results_folder_of_another_config() {
    let place = Place::new();
    place.config(&[("\"seed\": 7", "\"seed\": 8")]);
    let other = Study::read(&place.path("tiny.json")).unwrap();
    let folder = ResultsFolder::create(place.path("results/tiny")).unwrap();
    folder.write_manifest(&Manifest::new(&other, &[])).unwrap();

    place.config(&[]);
    place.run(REPRODUCE).refused(2, &["results/tiny", "another config: seed is 8 there and 7 in yours"]);
}

#[test]
fn a_results_folder_that_another_run_works_in() {
    let place = Place::new();
    place.config(&[]);
    let folder = ResultsFolder::create(place.path("results/tiny")).unwrap();
    let _locks = hold(&folder, &["original-1"]).unwrap();
    place.run(REPRODUCE).refused(
        1,
        &["results/tiny", "another run is training", " on column original-1 (process 4711 on this);"],
    );
}

#[test]
fn studies_that_are_not_there() {
    let place = Place::new();
    place.run("report --study nowhere").refused(2, &["nowhere: not the results folder of a study"]);
    place
        .run("committee --widths 14 --study nowhere")
        .refused(2, &["nowhere: not the results folder of a study"]);
}

#[cfg(target_os = "linux")] // elsewhere the libraries have other names
#[test]
fn another_libtorch_is_refused_with_both_versions() {
    let place = Place::new();
    for file in ["lib/libtorch_cpu.so", "lib/libc10.so", "include/torch/csrc/api/include/torch/torch.h"] {
        place.write(&format!("old/{file}"), "");
    }
    place.write("old/build-version", "2.9.1+cpu\n");
    let mut command = place.command("setup --libtorch");
    command.env("LIBTORCH", place.path("old"));
    Ran::of(command).refused(1, &["LIBTORCH", "libtorch 2.9.1+cpu, expected 2.11.0"]);
}

#[cfg(not(feature = "libtorch"))]
#[test]
fn libtorch_that_was_not_built_in_is_wrong_usage_that_says_how() {
    let place = Place::new();
    place.config(&[]);
    for device in ["cuda", "libtorch-cpu"] {
        let words = [
            &format!("error: --device {device}: this program was built without libtorch. "),
            "`cargo xtask setup --libtorch`",
            "`cargo install --path crates/mcdnn --features libtorch`",
        ];
        place.run(&format!("{REPRODUCE} --device {device}")).refused(2, &words);
        assert!(!place.path("results").exists());
    }
}

#[test]
fn variables_of_the_environment_are_told_what_is_wrong_with_them() {
    let place = Place::new();
    let with = |name: &str, value: &str, arguments: &str| {
        let mut command = place.command(arguments);
        command.env(name, value).env("PATH", ""); // no npm, which has a proxy of its own
        Ran::of(command)
    };
    let refused = with("CIRESAN_CACHE", "~/digits", "setup");
    refused.refused(2, &["CIRESAN_CACHE is ~/digits: the shell did not expand the ~"]);
    let study = format!("{}/../../results/published/best", env!("CARGO_MANIFEST_DIR"));
    place.write("digits.idx", crate::predict::idx(crate::predict::digits()));
    let predict = format!("predict --study {study} digits.idx");
    for value in ["", "Portable", "PORTABLE"] {
        with("CIRESAN_INSTRUCTION_SET", value, &predict).succeeded();
    }
    with("CIRESAN_INSTRUCTION_SET", "fast", &predict).refused(2, &["CIRESAN_INSTRUCTION_SET", "\"fast\""]);
    // Nobody listens there: a sentence, and no panic.
    for address in ["socks5://127.0.0.1:1", "socks4://127.0.0.1:1", "socks5h://127.0.0.1:1"] {
        let ran = with("HTTPS_PROXY", address, "setup");
        assert_eq!(ran.code, Some(1), "{ran:#?}");
        assert!(
            ran.stderr.contains("mnist could not be downloaded") && !ran.stderr.contains("panicked"),
            "{ran:#?}"
        );
    }
}

#[cfg(not(feature = "demo"))]
#[test]
fn the_demo_of_a_program_without_it_says_how_to_get_it() {
    let words =
        ["built without the demo", "`cargo xtask demo`", "--features demo` installs an mcdnn that has it"];
    Place::new().run("demo").refused(2, &words);
}
