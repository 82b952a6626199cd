//! The product's commands, at work with a workspace's folders.

use crate::run::{Place, Ran, bytes};

#[test]
fn a_study_is_trained_into_the_workspaces_results_folder() {
    let place = Place::new();
    place.config(&[]);
    place.write("clone/Cargo.toml", "");
    place.write("clone/xtask/Cargo.toml", "");
    // From a folder outside of the workspace, so that none is found but the one that cargo names.
    let run = |arguments: &str| {
        let mut command = place.command(arguments);
        command.env("CARGO_MANIFEST_DIR", place.path("clone/xtask")).env("CARGO", "/no/such/cargo");
        Ran::of(command)
    };
    let first = run("reproduce --config tiny.json").succeeded();
    assert!(place.path("clone/results/tiny/study.json").is_file(), "{first:#?}");
    assert!(!place.path("results").exists(), "{first:#?}");
    assert_eq!(run("report --study tiny").succeeded().stdout, first.stdout);

    let manifest = bytes(&place.path("clone/results/tiny/study.json"));

    // What needs no training needs no libtorch either: nothing is brought or built.
    let again = run("reproduce --config tiny.json --device libtorch-cpu").succeeded();
    assert_eq!(again.stderr, "nothing to do: every column in clone/results/tiny is finished\n");
    assert_eq!(again.stdout, first.stdout);
    assert!(bytes(&place.path("clone/results/tiny/study.json")) == manifest);
}

#[test]
fn hints_name_the_command_that_was_typed() {
    let place = Place::new();
    place.write("clone/Cargo.toml", "");
    place.write("clone/xtask/Cargo.toml", "");
    let mut command = place.command("report");
    command.env("CARGO_MANIFEST_DIR", place.path("clone/xtask"));
    Ran::of(command).refused(1, &["clone/results: no study", "`cargo xtask reproduce` trains one"]);
}
