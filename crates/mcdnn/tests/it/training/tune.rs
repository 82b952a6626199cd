//! `tune`: recipes trained by the real program, compared on held-out digits, and resumed.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use study::{ResultsFolder, Study};

#[cfg(unix)]
use crate::training::Running;
use crate::training::{Ended, Fixture};

impl Fixture {
    /// The program on the fixture's config, with recipes in a folder of their own.
    fn tune(&self, args: &[&str]) -> Command {
        let mut command = self.program();
        command.arg("tune").arg("--config").arg(self.config()).arg("--folder").arg(self.recipes()).args(args);
        command
    }

    fn recipes(&self) -> PathBuf {
        self.config().with_file_name("recipes")
    }
}

const FOUR: [&str; 4] = ["--vary", "learning_rate.peak=0.02,0.1", "--vary", "distortion.sigma=6,8"];

fn fixture() -> Fixture {
    Fixture::with(json!({ "epochs": 4, "validation": 80 }))
}

#[test]
fn every_combination_is_trained_once_and_sorted_by_the_committees_error() {
    let fixture = fixture();
    let first = Ended::of(&mut fixture.tune(&FOUR));
    assert_eq!(first.code, Some(0), "{first:?}");
    assert!(first.stdout.starts_with("# Recipes for tiny, by errors on 80 held-out digits\n"), "{first:?}");
    assert!(
        first.stdout.lines().all(|line| line.chars().count() <= 80 || line.contains("reproduce")),
        "{first:?}"
    );
    for number in 1..=4 {
        assert!(
            first.stderr.contains(&format!("\nrecipe {number} of 4: learning_rate.peak=0.")),
            "{first:?}"
        );
    }

    // The same again trains nothing; a further value only what is new.
    let again = Ended::of(&mut fixture.tune(&FOUR));
    assert_eq!((again.code, &again.stdout), (Some(0), &first.stdout));
    assert!(!again.stderr.contains("trained "), "{again:?}");
    let more = ["--vary", "learning_rate.peak=0.02,0.1,0.05", "--vary", "distortion.sigma=6,8", "--json"];
    let more = Ended::of(&mut fixture.tune(&more));
    assert_eq!(more.stderr.matches("trained 2 columns, 8 epochs").count(), 2, "{more:?}");

    let json: Value = serde_json::from_str(&more.stdout).unwrap();
    assert_eq!((&json["study"], &json["held_out_digits"]), (&json!("tiny"), &json!(80)));
    let recipes = json["recipes"].as_array().unwrap();
    assert_eq!(recipes.len(), 6);
    let key = |recipe: &Value| {
        (recipe["committee"]["errors"].as_u64().unwrap(), recipe["log_loss"].as_f64().unwrap())
    };
    assert!(recipes.is_sorted_by(|a, b| key(a) <= key(b)), "{json}");
    for (index, recipe) in recipes.iter().enumerate() {
        // As another command works it out.
        let path = recipe["path"].as_str().unwrap();
        let mut command = fixture.program();
        let committee = Ended::of(command.args(["committee", "--json", "--study", path]));
        let committee: Value = serde_json::from_str(&committee.stdout).unwrap();
        assert_eq!(committee["digits"], "held-out", "{committee}");
        assert_eq!(committee["figures"]["all"]["score"], recipe["committee"]);
        assert_eq!(committee["figures"]["all"]["members"], recipe["columns"]);
        // And the test digits are unread.
        let folder = ResultsFolder::open(fixture.config().with_file_name(path));
        let config = folder.manifest().unwrap().unwrap().config;
        assert!(config.columns().iter().all(|id| {
            let column = folder.column(id);
            column.validation().exists() && !column.probabilities().exists()
        }));
        assert_eq!(config.name, folder.root().file_name().unwrap().to_string_lossy());
        let test = &recipe["versus_best"];
        assert_eq!(test.is_null(), index == 0);
        if let Some(only_best) = test["only_first_right"].as_u64() {
            let only_this = test["only_second_right"].as_u64().unwrap();
            assert_eq!(key(recipe).0 - key(&recipes[0]).0, only_best - only_this);
        }
    }
    let best = Study::read(&fixture.recipes().join("best.json")).unwrap();
    assert_eq!(best.name, "tiny-tuned");
    let folder = ResultsFolder::open(fixture.config().with_file_name(recipes[0]["path"].as_str().unwrap()));
    assert_eq!(best.hash(), folder.manifest().unwrap().unwrap().config_hash);
}

#[test]
fn more_repeats_are_more_columns() {
    let fixture = fixture();
    let ended =
        Ended::of(&mut fixture.tune(&["--vary", "epochs=1,2", "--repeats", "2", "--json", "--quiet"]));
    let json: Value = serde_json::from_str(&ended.stdout).unwrap();
    for recipe in json["recipes"].as_array().unwrap() {
        let folder = ResultsFolder::open(fixture.config().with_file_name(recipe["path"].as_str().unwrap()));
        let config = folder.manifest().unwrap().unwrap().config;
        assert_eq!((config.columns_per_width, folder.finished(&config).unwrap().len()), (2, 4));
    }
    assert_eq!(ended.stderr.matches("\nrecipe ").count(), 2 + 2, "the plan and what came of each: {ended:?}");
}

#[cfg(unix)]
#[test]
fn an_interrupted_comparison_resumes_to_the_same_figures() {
    let unbroken = fixture();
    let want = Ended::of(&mut unbroken.tune(&FOUR));
    let fixture = fixture();
    let running = Running::start(fixture.tune(&FOUR), 11, " left");
    running.signal(rustix::process::Signal::TERM);
    let ended = running.end();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("interrupted and saved; resume with `mcdnn tune --config "), "{ended:?}");
    let resumed = Ended::of(&mut fixture.tune(&FOUR));
    assert_eq!(resumed.stdout, want.stdout);
}

#[test]
fn a_recipe_that_diverges_is_the_last_and_leaves_what_it_diverged_by() {
    let fixture = Fixture::with(json!({
        "network": "1x29x29-4C4-MP2-4C5-MP3-40N-40N-40N-10N", "epochs": 2, "validation": 80, "distortion": null,
        "learning_rate": { "schedule": "exponential", "initial": 0.01, "factor": 1, "floor": 0 },
    }));
    let ended = Ended::of(&mut fixture.tune(&["--vary", "learning_rate.initial=100,0.01", "--json"]));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("recipe 1 of 2: learning_rate.initial=100: diverged\n"), "{ended:?}");
    let json: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(json["recipes"][0]["changes"], json!({ "learning_rate.initial": 0.01 }));
    assert_eq!(
        (&json["recipes"][1]["diverged"], &json["recipes"][1]["committee"]),
        (&json!(true), &Value::Null)
    );

    let folder = fixture.config().with_file_name(json["recipes"][1]["path"].as_str().unwrap());
    let column = ResultsFolder::open(folder).column(&"w14-1".parse().unwrap());
    let step: Value = serde_json::from_slice(&fs::read(column.diverged()).unwrap()).unwrap();
    assert_eq!((&step["epoch"], &step["learning_rate"]), (&json!(1), &json!(100.0)));
    let images = step["images"].as_array().unwrap();
    assert!(images.len() == 16 && images.iter().all(|image| image.as_u64().unwrap() < 320), "{step}");

    let ended = Ended::of(&mut fixture.tune(&["--vary", "learning_rate.initial=100"]));
    assert!(ended.stdout.contains("Every recipe diverged"), "{ended:?}");
}

#[test]
fn what_cannot_be_compared_is_refused_before_anything_is_written() {
    let fixture = fixture();
    for (args, want) in [
        (&["--vary", "epochs=0"][..], "--vary epochs=0: epochs is 0, expected a whole number"),
        (&["--vary", "validation=10,20"], "recipes are compared on the same digits"),
        (&["--vary", "epochs"], "expected KEY=A,B,"),
        (&["--vary", "epochs=1", "--repeats", "0"], "--repeats 0: columns_per_width is 0"),
        (&["--vary", "epochs=1,2", "--set", "validation=0"], "add --set validation=10000"),
        (&[], "--vary <KEY=A,B,…>"),
    ] {
        let ended = Ended::of(&mut fixture.tune(args));
        assert!(ended.code == Some(2) && ended.stderr.contains(want), "{args:?}: {ended:?}");
    }
    let dry = Ended::of(&mut fixture.tune(&[&FOUR[..], &["--dry-run"]].concat()));
    assert!(dry.code == Some(0) && dry.stdout.contains("4 recipes of 2 columns"), "{dry:?}");
    assert!(!fixture.recipes().exists());
}
