//! The help texts, as they are printed. `UPDATE_HELP=1 cargo test -p mcdnn` rewrites them.

use std::env;
use std::fs;
use std::path::Path;

use crate::run::{Place, Ran};

#[track_caller]
fn check_help(name: &str) {
    let place = Place::new();
    let mut command = place.command(if name == "mcdnn" { "" } else { name });
    command.arg("--help").env("COLUMNS", "100");
    let got = Ran::of(command).succeeded().stdout;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/it/help/{name}.txt"));
    if env::var_os("UPDATE_HELP").is_some() {
        fs::write(&path, &got).unwrap();
    }
    let want = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(got, want, "{}: UPDATE_HELP=1 rewrites it", path.display());
}

#[test]
fn the_program_lists_its_commands() {
    check_help("mcdnn");
}

#[test]
fn every_command_explains_itself() {
    let names = [
        "reproduce",
        "committee",
        "report",
        "status",
        "predict",
        "demo",
        "evaluate",
        "verify",
        "publish",
        "tune",
        "info",
        "setup",
        "doctor",
        "completions",
    ];
    for name in names {
        check_help(name);
    }
}

#[test]
fn words_of_other_programs_get_a_suggestion() {
    let place = Place::new();
    for (arguments, suggested) in [
        ("train", "'reproduce'"),
        ("classify a.png", "'predict'"),
        ("sttus", "'status'"),
        ("reproduce --device gpu", "'cuda'"),
    ] {
        let ran = place.run(arguments);
        assert!(ran.code == Some(2) && ran.stderr.contains(suggested), "{arguments}: {ran:#?}");
    }
}

#[test]
fn wrong_flags_are_wrong_usage() {
    let place = Place::new();
    for arguments in [
        "",
        "train",
        "reproduce --epochs 3",
        "reproduce --workers 0",
        "reproduce --columns w99-1",
        "reproduce --wokers 1",
        "committee --vote sum",
        "committee --widths 14 --columns w14-1",
        "committee --compare 14",
        "committee --errors --json",
        "committee --also other --subsets",
        "committee --also other --compare 14 16",
        "predict",
        "predict digit.png --width 20",
        "evaluate --images digits.idx",
        "predict digit.png --views 0",
        "predict digit.png --view-strength 0.3",
        "predict digit.png --views 3 --view-strength 2",
        "demo --port 70000",
        "demo --view-strength 0.3",
        "setup --collection cifar",
        "completions tcsh",
        "report --study",
    ] {
        let ran = place.run(arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{arguments}: {ran:#?}");
    }
}
