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
    assert_eq!(again.stderr, "nothing to train: every column in clone/results/tiny is finished\n");
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
    Ran::of(command).refused(1, &["clone/results: no study", "train one with `cargo xtask reproduce`"]);
}

/// Runs the program with a cargo that is made up: it builds nothing, and says that it has built another program. Checks that this other
/// program takes the first one's place, and returns what was printed and what cargo was asked to build.
#[cfg(target_os = "linux")]
fn handed_over(place: &Place, arguments: &str, variables: &[(&str, &str)]) -> (Ran, String) {
    use crate::executable::executable;
    place.write("clone/Cargo.toml", "");
    place.write("clone/xtask/Cargo.toml", "");
    let [cargo, program, log] = ["cargo", "program", "log"].map(|name| place.path(name));
    let artifact = format!(
        r#"{{"reason":"compiler-artifact","target":{{"name":"mcdnn"}},"executable":"{}"}}"#,
        program.display()
    );
    let script = format!("#!/bin/sh\necho \"$@\" > {}\necho '{artifact}'\n", log.display());
    executable(&cargo, &script).unwrap();
    executable(&program, "#!/bin/sh\necho $$ \"$CIRESAN_WORKSPACE\" \"$@\"\nexit 7\n").unwrap();

    let mut command = place.command(arguments);
    command.env("CARGO_MANIFEST_DIR", place.path("clone/xtask")).env("CARGO", &cargo);
    command.envs(variables.iter().map(|(name, path)| (name, place.path(path))));
    let child = command.spawn().unwrap();
    let pid = child.id();
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.stdout, format!("{pid} {} {arguments}\n", place.path("clone").display()), "{ran:#?}");
    assert_eq!(ran.code, Some(7), "{ran:#?}");
    (ran, String::from_utf8(bytes(&log)).unwrap())
}

#[cfg(target_os = "linux")] // elsewhere the libraries have other names
#[test]
fn the_program_with_libtorch_takes_this_ones_place() {
    let place = Place::new();
    place.config(&[]);
    for file in ["lib/libtorch_cpu.so", "lib/libc10.so", "include/torch/csrc/api/include/torch/torch.h"] {
        place.write(&format!("libtorch/{file}"), "");
    }
    place.write("libtorch/build-version", "2.11.0+cpu\n");
    let arguments = "reproduce --config tiny.json --device libtorch-cpu";
    let (_, built) = handed_over(&place, arguments, &[("LIBTORCH", "libtorch")]);
    assert!(built.starts_with("build --package mcdnn --bin mcdnn --features libtorch"), "{built}");
    let clone = place.path("clone");
    assert_eq!(std::fs::read_link(clone.join(".libtorch")).unwrap(), place.path("libtorch"));
    assert!(!clone.join("results").exists(), "refused before anything is written");
}

#[cfg(target_os = "linux")] // the other program takes this one's place
#[test]
fn the_program_with_the_demo_takes_this_ones_place() {
    let place = Place::new();
    let (ran, built) = handed_over(&place, "demo --port 0 --views 4", &[]);
    assert_eq!(ran.stderr, "building mcdnn with the demo\n", "{ran:#?}");
    assert!(built.starts_with("build --package mcdnn --bin mcdnn --features demo"), "{built}");
}
