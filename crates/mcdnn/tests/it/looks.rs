//! The commands that only look: `info` and `doctor`.

use serde::Deserialize;

use crate::run::{Place, Ran};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Doctor {
    schema: u32,
    ok: bool,
    checks: Vec<Check>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Check {
    name: String,
    state: String,
    found: String,
}

fn doctor(output: &str) -> Doctor {
    serde_json::from_str(output).unwrap()
}

impl Doctor {
    #[track_caller]
    fn check(&self, name: &str) -> &Check {
        self.checks
            .iter()
            .find(|check| check.name == name)
            .unwrap_or_else(|| panic!("no {name} in {self:#?}"))
    }
}

#[test]
fn doctor_tells_what_is_there_and_changes_nothing() {
    let place = Place::new();
    let report = doctor(&place.run("doctor --json").succeeded().stdout);
    assert!(report.schema == 1 && report.ok, "{report:#?}");
    assert_eq!(report.check("mnist").state, "absent");
    assert_eq!(report.check("cargo").state, "ok");
    assert!(report.check("engine").found.starts_with("ciresan-cpu uses "), "{report:#?}");
    assert!(!place.path("cache").exists());
    let lines = place.run("doctor").succeeded().stdout;
    let n_lines = lines.lines().filter(|line| !line.starts_with(' ')).count();
    assert_eq!(n_lines, report.checks.len(), "{lines}");
}

#[cfg(target_os = "linux")] // elsewhere the libraries have other names
#[test]
fn doctor_names_what_is_broken_and_exits_with_1() {
    let place = Place::new();
    let mut command = place.command("doctor --json");
    command.env("CIRESAN_INSTRUCTION_SET", "neon512").env("LIBTORCH", place.path("nothing"));
    let ran = Ran::of(command);
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    let report = doctor(&ran.stdout);
    assert!(!report.ok && report.check("engine").found.contains("neon512"), "{report:#?}");
    let libtorch = report.check("libtorch");
    assert!(libtorch.state == "broken" && libtorch.found.contains("no such file"), "{libtorch:?}");
    assert!(ran.stderr.starts_with("error: broken: engine, libtorch"), "{ran:#?}");
}

#[test]
fn info_counts_a_config() {
    let place = Place::new();
    place.config(&[]);
    let json = place.run("info --config tiny.json --json").succeeded().stdout;
    let info: serde_json::Value = serde_json::from_str(&json).unwrap();
    for (key, want) in [("columns", 2), ("epochs", 2), ("batch", 32), ("steps_per_epoch", 13), ("steps", 26)]
    {
        assert_eq!(info[key], want, "{key} of {json}");
    }
    assert_eq!(info["images_left"], 1_600);
    assert!(info.get("parameters_elsewhere").is_none(), "the note is on the paper's network alone");

    let lines = place.run("info").succeeded().stdout;
    assert!(lines.starts_with("study     paper (built-in config)\n"), "{lines}");
    for words in ["35: 5 of each width", "76,040 parameters", "171,940", "375,200 for each column"] {
        assert!(lines.contains(words), "no {words:?} in {lines}");
    }
    place.run("info --config none.json").refused(2, &["none.json", "no built-in config"]);
}
