//! A study trained on libtorch, from its config to its table.

use std::env;

use crate::run::{Place, Ran};

#[test]
fn a_study_is_trained_on_libtorch() {
    if env::var_os("CIRESAN_TEST_LIBTORCH").is_none() {
        println!("skipped: it takes libtorch and minutes to build; `cargo xtask test --libtorch` runs it");
        return;
    }
    let place = Place::new();
    place.config(&[]);
    let reproduce = || {
        let mut command =
            place.command("reproduce --config tiny.json --study ./results --device libtorch-cpu --workers 1");
        // The user's, with the libtorch that the gate has found or brought.
        match env::var_os("CIRESAN_CACHE") {
            Some(cache) => command.env("CIRESAN_CACHE", cache),
            None => command.env_remove("CIRESAN_CACHE"),
        };
        Ran::of(command).succeeded()
    };
    let first = reproduce();
    let words = "engine    libtorch 2.11.0 fp32, 1 worker, up to 2 columns in lockstep\n";
    assert!(first.stderr.contains(words), "no {words:?} in {first:#?}");
    assert!(first.stdout.contains("- engine: libtorch 2.11.0 fp32 on "), "{first:#?}");
    assert!(first.stdout.contains("- columns: 2 of 2 finished"), "{first:#?}");
    let second = reproduce();
    assert!(
        second.stderr.starts_with("nothing to train: every column in ./results is finished\n"),
        "{second:#?}"
    );
    assert_eq!(second.stdout, first.stdout);
}
