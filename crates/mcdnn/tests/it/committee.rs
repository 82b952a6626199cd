//! `committee` and `report` on a results folder that nobody trained, whose errors are known.

use std::process::Stdio;

use ciresan_net::{Metadata, Parameters};
use mnist_data::Data;
use ndarray::Array2;
use report::Summary;
use study::{
    ColumnId, ColumnRecord, DataFile, Manifest, RECORD_SCHEMA, ResultsFolder, Study, write_probabilities,
};

use crate::run::{Place, Ran, bytes};

/// The figures that `--json` printed.
pub(crate) fn figures(json: &str) -> Summary {
    let mut figures: serde_json::Map<String, serde_json::Value> = serde_json::from_str(json).unwrap();
    for where_it_lies in ["study", "path"] {
        assert!(figures.remove(where_it_lies).unwrap().is_string());
    }
    serde_json::from_value(figures.into()).unwrap()
}

/// The results folder `made-up` of a study on the 100 test digits of the sample. Its finished columns are sure of every digit
/// and wrong at these ones: width 14 at 0 to 4, original at 0 to 3. Width 20 has no finished column.
fn made_up() -> Place {
    let place = Place::new();
    place.config(&[("[14, \"original\"]", "[\"original\", 14, 20]")]);
    let study = Study::read(&place.path("tiny.json")).unwrap();
    let folder = ResultsFolder::create(place.path("made-up")).unwrap();
    folder.write_manifest(&Manifest::new(&study, &[])).unwrap();
    finish(&folder, "original-1", 4);
    finish(&folder, "w14-1", 5);
    place
}

fn finish(folder: &ResultsFolder, id: &str, n_errors: usize) {
    let labels = Data::sample().test.labels().to_vec();
    let mut probabilities = Array2::zeros((labels.len(), 10));
    for (image_idx, &label) in labels.iter().enumerate() {
        let class = if image_idx < n_errors { (label + 1) % 10 } else { label };
        probabilities[[image_idx, usize::from(class)]] = 1.0;
    }
    let id: ColumnId = id.parse().unwrap();
    let column = folder.column(&id);
    column.create().unwrap();
    write_probabilities(&column.probabilities(), probabilities.view()).unwrap();
    let manifest = folder.manifest().unwrap().unwrap();
    std::fs::write(column.weights(), weights(&manifest, &id)).unwrap();
    record(folder, id);
}

/// Writes the record of a column, with the checksums of its files as they are.
fn record(folder: &ResultsFolder, id: ColumnId) {
    let column = folder.column(&id);
    let record = ColumnRecord {
        schema: RECORD_SCHEMA,
        column: id,
        config_hash: folder.manifest().unwrap().unwrap().config_hash,
        runs: Vec::new(),
        predicted_by: None,
        kept_epoch: None,
        views: None,
        files: column.checksums().unwrap(),
    };
    column.write_record(&record).unwrap();
}

/// Weights of the study's network, all 0: what they say about themselves is read.
fn weights(manifest: &Manifest, id: &ColumnId) -> Vec<u8> {
    let Study { network, activation, .. } = &manifest.config;
    let extra = [("column", id.to_string()), ("config_hash", manifest.config_hash.clone())];
    let extra = extra.map(|(key, value)| (key.to_owned(), value)).into();
    let metadata = Metadata { network: network.clone(), activation: *activation, extra };
    Parameters::zeros(network).to_safetensors(&metadata).unwrap()
}

#[test]
fn the_committee_of_some_widths() {
    let place = made_up();
    let ran = place.run("committee --widths 14,original --study made-up --json").succeeded();
    let summary = figures(&ran.stdout);
    assert_eq!(summary.widths.iter().map(ToString::to_string).collect::<Vec<_>>(), ["original", "14"]);
    let subsets: Vec<_> =
        summary.subsets.iter().map(|set| (set.groups.join("+"), set.score.errors)).collect();
    // Both are sure, of different digits: of equal sums the lower class counts, so the pair's errors are between.
    assert_eq!(subsets[..2], [("original".to_owned(), 4), ("14".to_owned(), 5)]);
    assert_eq!(subsets.len(), 3);
    assert!((4..=5).contains(&subsets[2].1), "{subsets:?}");

    let table = place.run("committee --widths 14 --study made-up").succeeded().stdout;
    assert!(table.contains("5.00"), "{table}");
}

#[test]
fn widths_that_are_not_there() {
    let place = made_up();
    place
        .run("committee --widths 14,99 --study made-up")
        .refused(2, &["made-up", "no width 99", "original, 14, 20"]);
    place
        .run("committee --widths 14,20 --study made-up")
        .refused(1, &["no column of width 20 is finished", "finished columns: original, 14"]);
}

#[test]
fn the_table_of_subsets_comes_first_and_marks_the_best() {
    let place = made_up();
    let mut command = place.command("committee --widths 14,original --study made-up");
    command.env("COLUMNS", "100");
    let table = Ran::of(command).succeeded().stdout;
    let section = table.split("\n## ").nth(1).unwrap();
    assert!(section.starts_with("Committees of widths\n"), "{table}");
    let row =
        |name: &str| section.lines().find(|line| line.starts_with(&format!("| {name} "))).unwrap().to_owned();
    // Width 14 errs at 0 to 4, original at 0 to 3: one digit that 14 alone misses, four that both do.
    assert!(row("original ").contains(" 4.00 ") && row("original ").contains("| best |"), "{section}");
    assert!(row("14 ").contains(" 5.00 ") && !row("14 ").contains("best"), "{section}");
    let cells: Vec<String> = row("original + 14").split('|').map(|cell| cell.trim().to_owned()).collect();
    assert_eq!(cells[7], "4", "{section}");
}

#[test]
fn columns_are_chosen_by_name_and_combined_by_any_rule() {
    let place = made_up();
    let ran = place.run("committee --columns w14-1 --vote borda --study made-up --json").succeeded();
    let summary = figures(&ran.stdout);
    assert_eq!((summary.figures.rule, summary.figures.all.score.errors), (committee::Rule::Borda, 5));
    let text = place.run("committee --columns w14-1 --vote borda --study made-up").succeeded().stdout;
    assert!(text.contains("committees combined by: borda"), "{text}");

    // Everything there is, without being told what.
    let ran = place.run("committee --study made-up --json").succeeded();
    let summary = figures(&ran.stdout);
    assert_eq!((summary.finished.len(), summary.missing.len()), (2, 1));

    place.run("committee --columns w20-1 --study made-up").refused(1, &["column w20-1 is not finished"]);
    place.run("committee --columns w14-2 --study made-up").refused(2, &["no column w14-2", "numbers 1 to 1"]);
    place.run("committee --columns 14 --study made-up").refused(2, &["--columns: column \"14\", expected"]);
    place
        .run("committee --widths w14-1 --study made-up")
        .refused(2, &["this is a column, not a width; use --columns"]);
    place.run("committee --vote weighted --study made-up").refused(2, &["no weights for a weighted mean"]);
}

#[test]
fn missed_digits_are_drawn() {
    let text = made_up().run("committee --widths 14 --errors --study made-up").succeeded().stdout;
    assert!(text.starts_with("5 of 100 digits are misclassified by 1 column together"), "{text}");
    let label = Data::sample().test.labels()[4];
    assert!(text.contains(&format!("digit 4, label {label}")), "{text}");
    assert!(text.contains(&format!("votes: 1 for {}", (label + 1) % 10)), "{text}");
    assert!(text.contains('█') && text.lines().all(|line| line.chars().count() <= 120), "{text}");
}

#[test]
fn two_committees_are_compared() {
    let place = made_up();
    let text = place.run("committee --compare 14 original --study made-up").succeeded().stdout;
    for words in [
        "A: 14 (1 column of tiny): 5 of 100 digits wrong: 5.00 % ",
        "| **A right** |      95 |       0 |",
        "| **A wrong** |       1 |       4 |",
        "p = 1.0000",
        "not evidence",
    ] {
        assert!(text.contains(words), "no {words:?} in {text}");
    }
    let json = place.run("committee --compare w14-1 14,original --study made-up --json").succeeded().stdout;
    let comparison: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(comparison["schema"], 2);
    let of_study =
        serde_json::json!({"study": "tiny", "path": "made-up", "columns": ["original-1", "w14-1"]});
    assert_eq!(comparison["second"]["members"], serde_json::json!([of_study]));
    assert_eq!(comparison["first"]["score"]["error_percent"], 5.0);
    place.run("committee --compare 14 99 --study made-up").refused(2, &["no width 99"]);
    place.run("committee --compare 14 w20-1 --study made-up").refused(1, &["column w20-1 is not finished"]);
}

/// A second study of the same digits beside `made-up`: two columns, of width 20, wrong at digits 2 to 9 and 0 to 2.
fn with_another() -> Place {
    let place = made_up();
    place.config(&[("[14, \"original\"]", "[20]"), ("\"columns_per_width\": 1", "\"columns_per_width\": 2")]);
    let study = Study::read(&place.path("tiny.json")).unwrap();
    let folder = ResultsFolder::create(place.path("results/other")).unwrap();
    folder.write_manifest(&Manifest::new(&study, &[])).unwrap();
    finish(&folder, "w20-1", 2);
    finish(&folder, "w20-2", 1);
    place
}

#[test]
fn another_studys_columns_are_added() {
    let place = with_another();
    // Of four columns all sure of what they say, three or more of the same mind win, and of two and two the lower class.
    let text = place.run("committee --study made-up --also other").succeeded().stdout;
    for words in [
        "A: all columns (2 columns of tiny): 4 of 100 digits wrong",
        "B: all columns, with all columns of other (4 columns of tiny and tiny): ",
    ] {
        assert!(text.contains(words), "no {words:?} in {text}");
    }
    let json = place.run("committee --study made-up --widths 14 --also other --json").succeeded().stdout;
    let comparison: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(comparison["first"]["score"]["errors"], 5);
    // At digits 2 to 4 width 14 stands alone, at 0 all err, and at 1 two of three do.
    assert_eq!(comparison["second"]["score"]["errors"], 2);
    let of_other =
        serde_json::json!({"study": "tiny", "path": "results/other", "columns": ["w20-1", "w20-2"]});
    assert_eq!(comparison["second"]["members"][1], of_other);
    assert_eq!(comparison["test"]["only_second_right"], 3);

    // Committees of different studies are compared.
    let json = place.run("committee --compare made-up/w14-1 other/ --json").succeeded().stdout;
    let comparison: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(comparison["first"]["members"][0]["path"], "made-up");
    assert_eq!(comparison["second"]["members"], serde_json::json!([of_other]));
    place.run("committee --compare made-up/20 other/20").refused(1, &["made-up: no column of width 20"]);
}

#[test]
fn columns_of_other_digits_are_not_added() {
    let place = with_another();
    let arguments = "committee --study made-up --also other";
    place
        .run("committee --study made-up --also no-such")
        .refused(2, &["no-such: not the results folder of a study"]);

    // Other digits by their hashes, then by their name.
    let folder = ResultsFolder::open(place.path("results/other"));
    let of = |data: &str, hash: &str| {
        place.config(&[
            ("[14, \"original\"]", "[20]"),
            ("\"columns_per_width\": 1", "\"columns_per_width\": 2"),
            ("\"data\": \"sample\"", &format!("\"data\": \"{data}\"")),
        ]);
        let study = Study::read(&place.path("tiny.json")).unwrap();
        let file = DataFile { name: "t10k-labels".to_owned(), sha256: hash.to_owned() };
        std::fs::remove_file(place.path("results/other/study.json")).unwrap();
        folder.write_manifest(&Manifest::new(&study, &[file])).unwrap();
    };
    of("sample", "12");
    place.run(arguments).refused(2, &["results/other: its digits differ from those of made-up"]);
    of("mnist", "12");
    place.run(arguments).refused(2, &["results/other: this study uses other digits (mnist, not sample)"]);
}

#[test]
fn damaged_files_are_named() {
    let place = made_up();
    let of = |file: &str| place.path(&format!("made-up/columns/w14-1/{file}"));
    let refused = |words: &[&str]| place.run("committee --widths 14 --study made-up").refused(1, words);

    let weights = bytes(&of("weights.safetensors"));
    std::fs::copy(place.path("made-up/columns/original-1/weights.safetensors"), of("weights.safetensors"))
        .unwrap();
    refused(&["w14-1/weights.safetensors", "damaged: its SHA-256 is "]);
    std::fs::write(of("weights.safetensors"), weights).unwrap();

    let whole = bytes(&of("probabilities.npy"));
    std::fs::write(of("probabilities.npy"), &whole[..whole.len() / 2]).unwrap();
    refused(&[
        "w14-1/probabilities.npy: damaged: its SHA-256 is ",
        "`reproduce` computes it again from the weights",
    ]);

    // Those of another test set: 50 digits.
    let some = Array2::from_elem((50, 10), 0.1);
    write_probabilities(&of("probabilities.npy"), some.view()).unwrap();
    record(&ResultsFolder::open(place.path("made-up")), "w14-1".parse().unwrap());
    refused(&["made-up: ", "100 labels, expected 50: one for each image"]);
    place.run("committee --study made-up").refused(1, &["member w14-1: shape [50, 10], expected [100, 10]"]);
}

#[test]
fn the_study_that_has_the_widths_is_found_among_others() {
    let place = made_up();
    // One with more columns, but of one of the widths alone, and one whose manifest is damaged.
    place.config(&[("[14, \"original\"]", "[14]"), ("\"columns_per_width\": 1", "\"columns_per_width\": 3")]);
    let study = Study::read(&place.path("tiny.json")).unwrap();
    let many = ResultsFolder::create(place.path("results/many")).unwrap();
    many.write_manifest(&Manifest::new(&study, &[])).unwrap();
    ["w14-1", "w14-2", "w14-3"].into_iter().for_each(|id| finish(&many, id, 1));
    std::fs::rename(place.path("made-up"), place.path("results/made-up")).unwrap();
    std::fs::create_dir(place.path("results/damaged")).unwrap();
    std::fs::write(place.path("results/damaged/study.json"), "{").unwrap();

    let ran = place.run("committee --widths 14,original --json").succeeded();
    let summary = figures(&ran.stdout);
    assert_eq!(summary.finished.len(), 2, "{ran:#?}");
    assert!(ran.stderr.contains("skipped: ") && ran.stderr.contains("damaged"), "{ran:#?}");
}

#[test]
fn the_report_of_an_unfinished_study() {
    let place = made_up();
    let ran = place.run("report --study made-up");
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    assert!(ran.stdout.contains("# Study tiny"), "{ran:#?}");
    let told = "report    made-up/report.html\nerror: made-up: 2 of 3 columns are finished\n";
    assert_eq!(ran.stderr, told);
    let page = std::fs::read_to_string(place.path("made-up/report.html")).unwrap();
    assert!(page.contains("Missing: w20-1") && page.ends_with("</html>\n"));
    for name in ["report.md", "committee.json", "figures/errors.svg"] {
        assert!(place.path("made-up").join(name).is_file(), "{name}");
    }
}

#[test]
fn a_report_that_cannot_be_written_is_told() {
    let place = made_up();
    place.write("made-up/figures", "a file where a folder belongs");
    place.run("report --study made-up").refused(1, &["made-up/figures", "create the folder"]);
    assert!(!place.path("made-up/report.html").exists());
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let place = made_up();
    let mut child =
        place.command("committee --widths 14 --study made-up").stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait_with_output().unwrap().status.success());
}
