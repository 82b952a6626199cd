//! What cannot be done ends in one sentence and the right exit code, before anything is fetched or built.

use std::path::Path;

use crate::run::{Place, Ran};

#[test]
fn a_task_that_no_race_has() {
    let words = ["--peers preprocess has no task widths", "distort, width, raw, gzip"];
    Place::new().run("bench --peers preprocess --tasks distort,widths").refused(2, &words);
}

#[test]
fn started_by_hand_outside_of_the_workspace() {
    let place = Place::new();
    for command in ["report", "lint"] {
        let mut command = place.command(command);
        command.env_remove("CARGO_MANIFEST_DIR");
        Ran::of(command).refused(1, &["workspace", "cargo xtask"]);
    }
}

#[test]
fn cuda_is_refused_where_there_is_no_gpu() {
    if ["/proc/driver/nvidia/gpus", "/dev/nvidiactl", "/dev/dxg"].iter().any(|path| Path::new(path).exists())
    {
        eprintln!("skipped: this machine has an NVIDIA GPU");
        return;
    }
    let place = Place::new();
    place.config(&[]);
    place
        .run("reproduce --config tiny.json --study ./results --device cuda")
        .refused(1, &["--device cuda", "no NVIDIA GPU"]);
    assert!(!place.path("results").exists());
    place.run("bench --device cuda").refused(1, &["--device cuda", "no NVIDIA GPU"]);
    let ran = place.run("bench --device cpu");
    assert!(ran.code == Some(2) && ran.stderr.contains("cuda, libtorch-cpu"), "{ran:#?}");
}

#[cfg(target_os = "linux")] // elsewhere the libraries have other names
#[test]
fn another_libtorch_is_refused_with_both_versions() {
    let place = Place::new();
    for file in ["lib/libtorch_cpu.so", "lib/libc10.so", "include/torch/csrc/api/include/torch/torch.h"] {
        place.write(&format!("old/{file}"), "");
    }
    place.write("old/build-version", "2.9.1+cpu\n");
    place.config(&[]);
    for command in ["test --libtorch", "reproduce --config tiny.json --study ./results --device libtorch-cpu"]
    {
        let mut command = place.command(command);
        command.env("LIBTORCH", place.path("old"));
        Ran::of(command).refused(1, &["LIBTORCH", "libtorch 2.9.1+cpu, expected 2.11.0"]);
    }
}
