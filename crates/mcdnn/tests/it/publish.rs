//! `verify` and `publish`: a study is checked, copied whole, and nothing that is wrong gets through.

use std::fs;

use serde_json::Value;
use study::{ColumnId, ColumnRecord, ResultsFolder, seal, unseal};

use crate::run::{Place, bytes};

/// The tiny study, trained, its records as of a build that a commit holds.
fn trained() -> Place {
    let place = Place::new();
    place.config(&[]);
    place.run("reproduce --config tiny.json").succeeded();
    for id in columns() {
        rewrite(&place, "results/tiny", id, |record| {
            record.runs[0].by.commit = "0123456789abcdef0123456789abcdef01234567".to_owned();
        });
    }
    // The figures know where their columns come from.
    place.run("reproduce --config tiny.json").succeeded();
    place
}

fn columns() -> [ColumnId; 2] {
    ["w14-1", "original-1"].map(|id| id.parse().unwrap())
}

/// Changes the record of a column.
fn rewrite(place: &Place, study: &str, id: ColumnId, change: impl FnOnce(&mut ColumnRecord)) {
    let folder = ResultsFolder::open(place.path(study));
    let manifest = folder.manifest().unwrap().unwrap();
    let mut record = folder.finished_column(&manifest, id).unwrap().record().clone();
    change(&mut record);
    folder.column(&id).write_record(&record).unwrap();
}

#[test]
fn a_whole_study_holds_and_each_damage_is_found() {
    let place = trained();
    let ran = place.run("verify --study tiny").succeeded();
    assert_eq!(ran.stdout.matches("same bits").count(), 2, "{ran:#?}");
    assert!(ran.stdout.contains("columns verified: 2 of 2, all correct"), "{ran:#?}");
    let json: Value =
        serde_json::from_str(&place.run("verify --study tiny --json").succeeded().stdout).unwrap();
    assert_eq!((&json["schema"], &json["holds"], &json["study"]), (&1.into(), &true.into(), &"tiny".into()));

    for file in ["weights.safetensors", "probabilities.npy", "metrics.jsonl", "column.json"] {
        let path = place.path(&format!("results/tiny/columns/w14-1/{file}"));
        let whole = bytes(&path);
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        fs::write(&path, flipped).unwrap();
        let ran = place.run("verify --study tiny");
        assert_eq!(ran.code, Some(1), "{file}: {ran:#?}");
        assert!(ran.stdout.contains("DAMAGED: ") && ran.stdout.contains(file), "{ran:#?}");
        fs::write(&path, whole).unwrap();
    }

    // Figures of a format before are no damage: they are a cache.
    let path = place.path("results/tiny/committee.json");
    let whole = String::from_utf8(bytes(&path)).unwrap();
    let mut figures: Value = serde_json::from_str(&unseal(&whole).unwrap()).unwrap();
    figures["schema"] = 1.into();
    fs::write(&path, seal(&figures)).unwrap();
    assert!(place.run("verify --study tiny").succeeded().stdout.contains("by another version"));
    fs::write(&path, whole).unwrap();

    // Predictions of another column, with a record that calls them right.
    let [one, other] = columns();
    let folder = ResultsFolder::open(place.path("results/tiny"));
    fs::copy(folder.column(&other).probabilities(), folder.column(&one).probabilities()).unwrap();
    let sums = folder.column(&one).checksums().unwrap();
    rewrite(&place, "results/tiny", one, |record| record.files = sums);
    let ran = place.run("verify --study tiny");
    assert!(ran.code == Some(1) && ran.stdout.contains("DIFFERENT by up to "), "{ran:#?}");
}

#[test]
fn a_column_is_trained_again_to_the_same_bits() {
    let place = trained();
    let ran = place.run("verify --study tiny --retrain w14-1").succeeded();
    assert!(
        ran.stdout.starts_with("w14-1: trained again on ") && ran.stdout.ends_with(": same bits\n"),
        "{ran:#?}"
    );
    place.run("verify --study tiny --retrain w20-1").refused(2, &["the study tiny has no column w20-1"]);
}

#[test]
fn a_study_is_published_whole_and_stays_what_it_is() {
    let place = trained();
    place.run("publish --study tiny").succeeded();
    let file = |name: &str| bytes(&place.path(&format!("results/published/tiny/{name}")));
    let own = |name: &str| bytes(&place.path(&format!("results/tiny/{name}")));
    for name in [
        "study.json",
        "columns/w14-1/weights.safetensors",
        "columns/original-1/column.json",
        "committee.json",
    ] {
        assert!(file(name) == own(name), "{name}");
    }
    assert!(String::from_utf8(file("report.md")).unwrap().contains("2 of 2 finished"));
    place.run("publish --study tiny").succeeded();
    let ran = place.run("reproduce --config tiny.json").succeeded();
    assert!(
        ran.stderr.contains("note: 2 of 2 columns of this config are published in results/published/tiny"),
        "{ran:#?}"
    );

    // Views that it gains are published too.
    place.run("reproduce --config tiny.json --set views={\"count\":3,\"strength\":0.4}").succeeded();
    place.run("publish --study tiny").succeeded();
    for name in ["columns/w14-1/views.npy", "columns/w14-1/column.json", "columns/original-1/views.npy"] {
        assert!(file(name) == own(name), "{name}");
    }
    assert!(String::from_utf8(file("report.md")).unwrap().contains("The mean of 3 views"));

    // Without the own study the published one answers, by its name too.
    fs::rename(place.path("results/tiny"), place.path("elsewhere")).unwrap();
    let ran = place.run("verify").succeeded();
    assert!(ran.stderr.contains("results/published/tiny"), "{ran:#?}");
    place.run("report --study tiny").succeeded();

    // Other weights never take the place of published ones.
    let folder = ResultsFolder::open(place.path("elsewhere"));
    let [one, _] = columns();
    place.config(&[]);
    let weights = fs::read(folder.column(&one).weights()).unwrap();
    let (mut parameters, metadata) = ciresan_net::Parameters::from_safetensors(&weights).unwrap();
    parameters.values_mut()[0] += 1.0;
    fs::write(folder.column(&one).weights(), parameters.to_safetensors(&metadata).unwrap()).unwrap();
    let sums = folder.column(&one).checksums().unwrap();
    rewrite(&place, "elsewhere", one, |record| record.files = sums);
    place
        .run("publish --study ./elsewhere")
        .refused(1, &["column w14-1: it is published with other weights; a published column never changes"]);
}

#[test]
fn what_nobody_could_check_is_not_published() {
    let place = trained();
    let [one, _] = columns();
    let refused = |words: &[&str]| place.run("publish --study tiny").refused(1, words);
    rewrite(&place, "results/tiny", one, |record| record.runs[0].by.commit += "+dirty");
    refused(&["column w14-1: trained by a build of commit 0123", "+dirty that nobody can repeat"]);
    rewrite(&place, "results/tiny", one, |record| {
        record.runs[0].by.commit = "0123".to_owned();
        record.runs[0].by.instruction_set = Some("none".to_owned());
    });
    refused(&["a mixture of engines or instruction sets cannot be published: "]);

    fs::remove_dir_all(place.path("results/tiny/columns/w14-1")).unwrap();
    refused(&["results/tiny: 1 of 2 columns are finished; use --partial to publish an unfinished study"]);
    place.run("publish --study tiny --partial").succeeded();
    let report = fs::read_to_string(place.path("results/published/tiny/report.md")).unwrap();
    assert!(report.contains("1 of 2 finished"), "{report}");
    place.run("publish --study nowhere").refused(2, &["nowhere: not the results folder of a study"]);
}
