//! The help texts, as they are printed. `UPDATE_HELP=1 cargo test -p xtask` rewrites them.

use std::env;
use std::fs;
use std::path::Path;

use crate::run::{Place, Ran};

#[track_caller]
fn check_help(name: &str) {
    let place = Place::new();
    let mut command = place.command(if name == "xtask" { "" } else { name });
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
    check_help("xtask");
}

#[test]
fn its_own_commands_explain_themselves() {
    for name in ["bench", "test", "lint"] {
        check_help(name);
    }
}

#[test]
fn the_products_commands_are_called_by_this_programs_name() {
    let help = Place::new().run("reproduce --help").succeeded().stdout;
    assert!(help.contains("Usage: cargo xtask reproduce [OPTIONS]"), "{help}");
    assert!(help.contains("\n  cargo xtask reproduce --config quick\n"), "{help}");
    assert!(!help.contains("mcdnn reproduce"), "{help}");
}

#[test]
fn wrong_flags_are_wrong_usage() {
    let place = Place::new();
    for arguments in [
        "",
        "train",
        "reproduce --epochs 3",
        "bench --peers everything",
        "bench --json",
        "bench --peers preprocess --rounds 0",
        "test --gpu",
    ] {
        let ran = place.run(arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{arguments}: {ran:#?}");
    }
}
