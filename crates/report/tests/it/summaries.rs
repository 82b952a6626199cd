//! What a summary holds, and when there is none.

use std::fs;

use committee::Rule;
use preprocess::Width;
use report::{
    Columns, Labels, Listing, ReportError, Selection, Summary, markdown, read, read_selected, read_summary,
    write_summary,
};
use study::{Manifest, Predictions, Provenance, ResultsFolder};

use crate::made_up::{Column, MadeUp, N_TEST, finish, labels, of, provenance, record, study, write_metrics};

fn two_widths() -> MadeUp {
    let columns = [
        Column { name: "w14-1", sure: 0.9, wrong: &[3, 50] },
        Column { name: "w20-1", sure: 0.6, wrong: &[3, 101] },
    ];
    study("mnist", "[14, 20]", 2, &columns)
}

#[test]
fn what_was_skipped_is_said_where_the_config_skips() {
    let made_up = study("mnist", "[14]", 1, &[]);
    let folder = &made_up.folder;
    let mut config = folder.manifest().unwrap().unwrap().config;
    config.skip_below = Some(0.001);
    folder.write_manifest(&Manifest::new(&config, &[])).unwrap();
    finish(folder, &Column { name: "w14-1", sure: 0.9, wrong: &[3] });
    write_metrics(folder, "w14-1", &[(1, 0.5, None, 30.0), (2, 0.25, None, 60.0)]);
    let report = || markdown(&read(folder, of(&labels()), None).unwrap(), Listing::Full);
    let line = |share: &str| {
        format!("\n- skipped in training because the label had a probability above 1 − 0.001: {share}\n")
    };
    assert!(report().contains(&line("their share is unknown")), "{}", report());

    let metrics = folder.column(&"w14-1".parse().unwrap()).metrics();
    let text = fs::read_to_string(&metrics).unwrap();
    let with = |share: &str| format!("\"skipped\":{share},\"images_per_second\"");
    let text = text.replacen("\"images_per_second\"", &with("0.5"), 1);
    let (first, second) = text.split_once('\n').unwrap();
    let second = second.replacen("\"images_per_second\"", &with("0.75"), 1);
    fs::write(&metrics, format!("{first}\n{second}")).unwrap();
    record(folder, "w14-1".parse().unwrap(), provenance());
    assert!(report().contains(&line("62 % of width 14")), "{}", report());
    assert!(
        !markdown(&read(&two_widths().folder, of(&labels()), None).unwrap(), Listing::Full)
            .contains("skipped")
    );
}

fn width(px: u8) -> Width {
    Width::try_from(px).unwrap()
}

fn store(folder: &ResultsFolder, summary: &Summary) {
    write_summary(folder, summary).unwrap();
}

#[test]
fn a_stored_summary_is_read_back_until_the_study_goes_on() {
    let made_up = two_widths();
    let folder = &made_up.folder;
    assert_eq!(read_summary(folder).unwrap(), None);
    let summary = read(folder, of(&labels()), None).unwrap();
    store(folder, &summary);
    let again = read_summary(folder).unwrap().unwrap();
    assert_eq!(again, summary);
    assert_eq!(markdown(&again, Listing::Full), markdown(&summary, Listing::Full));

    // Not one of some widths only.
    store(folder, &read(folder, of(&labels()), Some(&[width(14)])).unwrap());
    assert_eq!(read_summary(folder).unwrap(), None);

    // Nor one from before a column was finished.
    store(folder, &summary);
    finish(folder, &Column { name: "w14-2", sure: 0.9, wrong: &[] });
    assert_eq!(read_summary(folder).unwrap(), None);
    store(folder, &read(folder, of(&labels()), None).unwrap());
    assert!(read_summary(folder).unwrap().is_some());
    // Nor one of other predictions, or of a column that comes from elsewhere.
    finish(folder, &Column { name: "w14-2", sure: 0.9, wrong: &[7] });
    assert_eq!(read_summary(folder).unwrap(), None);
    store(folder, &read(folder, of(&labels()), None).unwrap());
    let elsewhere = Provenance { instruction_set: Some("avx2".to_owned()), ..provenance() };
    record(folder, "w14-2".parse().unwrap(), elsewhere);
    assert_eq!(read_summary(folder).unwrap(), None);

    // Nor one that is damaged, in whatever bit.
    store(folder, &read(folder, of(&labels()), None).unwrap());
    let whole = fs::read(folder.committee_path()).unwrap();
    for at in (0..whole.len()).step_by(97) {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        fs::write(folder.committee_path(), flipped).unwrap();
        assert_eq!(read_summary(folder).unwrap(), None, "byte {at}");
    }
    fs::write(folder.committee_path(), "{}").unwrap();
    assert_eq!(read_summary(folder).unwrap(), None);
}

#[test]
fn figures_are_of_the_finished_columns_of_the_chosen_widths() {
    let made_up = two_widths();
    let all = read(&made_up.folder, of(&labels()), None).unwrap();
    assert_eq!(all.n_digits(), N_TEST as u32);
    let names = |ids: &[study::ColumnId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&all.finished), ["w14-1", "w20-1"]);
    assert_eq!(names(&all.missing), ["w14-2", "w20-2"]);
    // Where they disagree, the surer one wins: image 3 (both) and 50 (the surer).
    assert_eq!((all.figures.all.score.errors, all.figures.all.second_guess_right), (2, 2));
    assert_eq!(all.subsets.len(), 3);

    // The study's order, whatever is asked for.
    let both = read(&made_up.folder, of(&labels()), Some(&[width(20), width(14), width(20)])).unwrap();
    assert_eq!(both, all);
    let one = read(&made_up.folder, of(&labels()), Some(&[width(20)])).unwrap();
    assert_eq!((one.widths.as_slice(), one.figures.all.score.errors), ([width(20)].as_slice(), 2));
    assert_eq!(names(&one.missing), ["w20-2"]);
}

#[track_caller]
fn check_refused(
    folder: &ResultsFolder,
    labels: &[u8],
    widths: Option<&[Width]>,
    want: &str,
    wrong_usage: bool,
) {
    let error = read(folder, of(labels), widths).unwrap_err();
    assert_eq!(error.to_string(), format!("{}: {want}", folder.root().display()));
    assert_eq!(error.is_wrong_usage(), wrong_usage);
}

#[test]
fn what_cannot_be_reported_on_is_said_in_a_sentence() {
    let made_up = two_widths();
    let folder = &made_up.folder;
    check_refused(folder, &labels(), Some(&[width(18)]), "this study has no width 18; it has 14, 20", true);
    check_refused(folder, &labels(), Some(&[]), "no widths chosen; the study has 14, 20", true);
    check_refused(folder, &labels()[1..], None, "199 labels, expected 200: one for each image", false);
    let nowhere = ResultsFolder::open(folder.root().join("nowhere"));
    check_refused(&nowhere, &labels(), None, "not the results folder of a study: it has no study.json", true);
    assert!(!nowhere.root().exists());
    assert_eq!(read_summary(&nowhere).unwrap(), None);

    let empty = study("mnist", "[14, 20]", 2, &[]);
    check_refused(
        &empty.folder,
        &labels(),
        None,
        "none of the 4 columns is finished; at least one is needed",
        false,
    );
}

#[test]
fn a_damaged_file_is_named() {
    let made_up = two_widths();
    let path = made_up.folder.column(&"w20-1".parse().unwrap()).probabilities();
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let error = read(&made_up.folder, of(&labels()), None).unwrap_err();
    assert!(
        matches!(error, ReportError::Study(_)) && error.to_string().starts_with(&path.display().to_string())
    );
}

/// Writes the metrics that a column with this validation error leaves.
fn validated(folder: &ResultsFolder, column: &str, validation_error: f64) {
    write_metrics(folder, column, &[(8, 0.02, Some(validation_error), 60.0)]);
}

#[test]
fn columns_can_be_chosen_by_name() {
    let made_up = two_widths();
    let select = |names: &[&str]| {
        let ids = names.iter().map(|name| name.parse().unwrap()).collect();
        read_selected(
            &made_up.folder,
            of(&labels()),
            &Selection { columns: Columns::Only(ids), rule: Rule::Mean },
        )
    };
    let summary = select(&["w20-1"]).unwrap();
    assert_eq!((summary.figures.all.n_members, summary.missing.len()), (1, 0));
    store(&made_up.folder, &summary);
    assert_eq!(read_summary(&made_up.folder).unwrap(), None);

    let root = made_up.folder.root().display();
    let error = select(&["w20-1", "w14-2"]).unwrap_err();
    assert_eq!(error.to_string(), format!("{root}: column w14-2 is not finished"));
    assert!(!error.is_wrong_usage());
    let error = select(&["w14-3"]).unwrap_err();
    let want = "this study has no column w14-3; it has numbers 1 to 2 of the widths 14, 20";
    assert_eq!(error.to_string(), format!("{root}: {want}"));
    assert!(error.is_wrong_usage());
}

#[test]
fn a_weighted_mean_needs_validation_errors() {
    let made_up = study(
        "mnist",
        "[14, 20]",
        1,
        &[
            Column { name: "w14-1", sure: 0.9, wrong: &[3] },
            Column { name: "w20-1", sure: 0.8, wrong: &[50] },
        ],
    );
    let folder = &made_up.folder;
    let weighted =
        || read_selected(folder, of(&labels()), &Selection { columns: Columns::All, rule: Rule::Weighted });
    validated(folder, "w14-1", 0.5);
    let error = weighted().unwrap_err();
    assert!(
        error.to_string().contains("no weights for a weighted mean") && error.is_wrong_usage(),
        "{error}"
    );

    // The made-up study held out no digits, so an error on them says nothing.
    validated(folder, "w20-1", 0.01);
    assert!(weighted().is_err());
    hold_out(folder, 10_000);
    let summary = weighted().unwrap();
    // The surer column errs on digit 3, but the other one is far better on held-out digits.
    assert_eq!(summary.figures.all.mistakes.iter().map(|m| m.image_idx).collect::<Vec<_>>(), [50]);
    let mean = read(folder, of(&labels()), None).unwrap();
    assert_eq!(mean.figures.all.mistakes.iter().map(|m| m.image_idx).collect::<Vec<_>>(), [3]);
    let rules: Vec<Rule> = mean.figures.all.rules.iter().map(|of_rule| of_rule.rule).collect();
    assert_eq!(rules, Rule::ALL);
    assert_eq!(mean.trials[1].validation_percent, Some(1.0));
}

/// Makes the study one that holds out digits, with the same finished columns.
fn hold_out(folder: &ResultsFolder, n_digits: u32) {
    let before = folder.manifest().unwrap().unwrap();
    let text = serde_json::to_string(&before.config).unwrap();
    let text = text.replace("\"validation\":0", &format!("\"validation\":{n_digits}"));
    let manifest = Manifest::new(&study::Study::from_json(&text).unwrap(), &before.data);
    folder.write_manifest(&manifest).unwrap();
    for id in folder.finished(&manifest.config).unwrap() {
        let files = folder.column(&id);
        let weights = fs::read(files.weights()).unwrap();
        let (parameters, mut metadata) = ciresan_net::Parameters::from_safetensors(&weights).unwrap();
        metadata.extra.insert("config_hash".to_owned(), manifest.config_hash.clone());
        fs::write(files.weights(), parameters.to_safetensors(&metadata).unwrap()).unwrap();
        record(folder, id, provenance());
    }
}

#[test]
fn a_study_that_holds_digits_out_is_looked_at_by_these() {
    let made_up = two_widths();
    let folder = &made_up.folder;
    let names = ["w14-1", "w20-1"];
    hold_out(folder, N_TEST as u32);
    assert_eq!(read(folder, of(&labels()), None).unwrap().digits, Predictions::Test);
    for name in names {
        let id = name.parse().unwrap();
        let files = folder.column(&id);
        fs::rename(files.probabilities(), files.validation()).unwrap();
        record(folder, id, provenance());
    }
    let others: Vec<u8> = labels().iter().map(|label| (label + 1) % 10).collect();
    let all = [&others[..], &labels()].concat();
    let summary = read(folder, Labels { test: &others, training: &all }, None).unwrap();
    assert_eq!((summary.digits, summary.figures.all.score.errors), (Predictions::HeldOut, 2));
    let text = markdown(&summary, Listing::Full);
    assert!(text.starts_with("# Study tiny: error on 200 held-out digits of mnist\n"), "{text}");
    assert!(!text.contains("paper") && !text.contains("Theano"), "{text}");
}

#[test]
fn columns_of_two_instruction_sets_are_a_mixture() {
    let made_up = two_widths();
    let elsewhere = Provenance { instruction_set: Some("avx2".to_owned()), ..provenance() };
    record(&made_up.folder, "w20-1".parse().unwrap(), elsewhere);
    let text = markdown(&read(&made_up.folder, of(&labels()), None).unwrap(), Listing::Short);
    let want = "- engines: **a mixture**, ciresan-cpu avx2 fp32 (1 column), ciresan-cpu avx512 fp32 (1 column); on a made-up";
    assert!(text.contains(want), "{text}");
}

#[test]
fn a_column_from_elsewhere_is_named() {
    let made_up = two_widths();
    let weights = |column: &str| made_up.folder.column(&column.parse().unwrap()).weights();
    fs::copy(weights("w14-1"), weights("w20-1")).unwrap();
    let message = read(&made_up.folder, of(&labels()), None).unwrap_err().to_string();
    assert!(message.contains("w20-1/weights.safetensors: damaged: its SHA-256 is "), "{message}");
    record(&made_up.folder, "w20-1".parse().unwrap(), provenance());
    let message = read(&made_up.folder, of(&labels()), None).unwrap_err().to_string();
    let path = weights("w20-1");
    let want = "not a column of this study: its name is w14-1, expected w20-1";
    assert_eq!(message, format!("{}: {want}", path.display()));
}

#[test]
fn a_half_written_folder_has_figures_of_what_is_whole() {
    let made_up = two_widths();
    // Killed between weights and probabilities, and while writing either.
    let files = made_up.folder.column(&"w14-2".parse().unwrap());
    files.create().unwrap();
    fs::write(files.weights(), "weights").unwrap();
    fs::write(files.root().join(".probabilities.npy.tmp"), "half").unwrap();
    fs::write(made_up.folder.column(&"w14-1".parse().unwrap()).checkpoint(), "state").unwrap();
    let summary = read(&made_up.folder, of(&labels()), None).unwrap();
    assert_eq!((summary.finished.len(), summary.missing.len()), (2, 2));

    fs::write(made_up.folder.manifest_path(), "{\"schema\": 1,").unwrap();
    let message = read(&made_up.folder, of(&labels()), None).unwrap_err().to_string();
    assert!(message.contains("study.json:1:") && message.contains("not a study's manifest"), "{message}");
}

#[test]
fn statistics_are_of_the_columns_together() {
    let made_up = two_widths();
    let summary = read(&made_up.folder, of(&labels()), None).unwrap();
    let statistics = &summary.statistics;
    assert_eq!(statistics.size_curve.len(), 2);
    assert_eq!(statistics.rejection.after(0), summary.figures.all.score);
    assert_eq!(statistics.missed_by_all.iter().map(|missed| missed.image_idx).collect::<Vec<_>>(), [3]);
    // Each misses one that the other does not.
    assert_eq!(statistics.column_disagreement.counts, [[0, 2], [2, 0]]);
    let regions: Vec<usize> = summary.overlaps.iter().map(|overlap| overlap.images.len()).collect();
    assert_eq!(regions, [1, 1, 1]);
}

#[test]
fn many_widths_have_no_subsets() {
    let columns = [Column { name: "w4-1", sure: 0.9, wrong: &[] }];
    let made_up = study("mnist", "[4, 5, 6, 7, 8, 9, 10, 11]", 1, &columns);
    for px in 5..=11u8 {
        let name: &'static str =
            ["w5-1", "w6-1", "w7-1", "w8-1", "w9-1", "w10-1", "w11-1"][usize::from(px) - 5];
        finish(&made_up.folder, &Column { name, sure: 0.9, wrong: &[] });
    }
    let all = read(&made_up.folder, of(&labels()), None).unwrap();
    assert_eq!((all.figures.groups.len(), all.subsets.len()), (8, 0));
    let widths: Vec<Width> = (4..=10).map(width).collect();
    assert_eq!(read(&made_up.folder, of(&labels()), Some(&widths)).unwrap().subsets.len(), 127);
}
