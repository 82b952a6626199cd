//! Whole reports, as they are printed.

use std::fs;
use std::path::Path;

use report::{Listing, committee_markdown, markdown, read};

use crate::made_up::{Column, labels, of, study, write_metrics};

const QUICK: [Column; 4] = [
    Column { name: "w14-1", sure: 0.9, wrong: &[3, 50, 101] },
    Column { name: "w16-1", sure: 0.6, wrong: &[3, 101] },
    Column { name: "w18-1", sure: 0.7, wrong: &[50, 120] },
    Column { name: "w20-1", sure: 0.8, wrong: &[3] },
];

/// Compares a report with the one in `tests/it/reports/`; `UPDATE_REPORTS=1 cargo test -p report` rewrites
/// those, to be read like code.
#[track_caller]
fn check(name: &str, got: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/reports").join(format!("{name}.md"));
    if std::env::var_os("UPDATE_REPORTS").is_some() {
        fs::write(&path, got).unwrap();
    }
    let want = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        got == want,
        "{} is not\n{got}`UPDATE_REPORTS=1 cargo test -p report` rewrites it",
        path.display()
    );
}

#[test]
fn four_widths_of_mnist() {
    let made_up = study("mnist", "[14, 16, 18, 20]", 1, &QUICK);
    let summary = read(&made_up.folder, of(&labels()), None).unwrap();
    check("four_widths_of_mnist", &markdown(&summary, Listing::Short));
    check("four_widths_asked_for", &committee_markdown(&summary, Listing::Short));
}

#[test]
fn everything_there_is_of_a_study_with_odd_widths() {
    let columns = [
        Column { name: "original-1", sure: 0.9, wrong: &[1, 2, 3, 7] },
        Column { name: "w14-1", sure: 0.8, wrong: &[3, 4, 7] },
        Column { name: "w15-1", sure: 0.9, wrong: &[2, 3, 7] },
        Column { name: "w20-1", sure: 0.7, wrong: &[3, 7, 9] },
    ];
    let made_up = study("mnist", "[\"original\", 14, 15, 20]", 1, &columns);
    for (column, validation_error, elapsed_s) in [("w14-1", 0.01, 60.0), ("w15-1", 0.02, 90.0)] {
        write_metrics(&made_up.folder, column, &[(8, 0.02, Some(validation_error), elapsed_s)]);
    }
    let summary = read(&made_up.folder, of(&labels()), None).unwrap();
    check("everything", &markdown(&summary, Listing::Full));
}

#[test]
fn an_unfinished_study_of_two_columns_a_width() {
    let columns = [
        Column { name: "original-1", sure: 0.9, wrong: &[1, 2, 3, 4] },
        Column { name: "w20-1", sure: 0.9, wrong: &[3] },
        Column { name: "original-2", sure: 0.8, wrong: &[1, 2] },
    ];
    let made_up = study("mnist", "[\"original\", 20, 19]", 2, &columns);
    let summary = read(&made_up.folder, of(&labels()), None).unwrap();
    check("unfinished", &markdown(&summary, Listing::Short));
}

#[test]
fn other_digits_have_no_published_figures() {
    let made_up = study("fashion-mnist", "[14, 16, 18, 20]", 1, &QUICK);
    let widths = [20, 14].map(|px| px.try_into().unwrap());
    let summary = read(&made_up.folder, of(&labels()), Some(&widths)).unwrap();
    check("fashion_mnist", &markdown(&summary, Listing::Short));
}

#[test]
fn a_full_listing_has_every_subset_of_more_than_four_widths() {
    let fifth = Column { name: "w12-1", sure: 0.6, wrong: &[3] };
    let columns: Vec<Column> = QUICK.into_iter().chain([fifth]).collect();
    let made_up = study("mnist", "[12, 14, 16, 18, 20]", 1, &columns);
    let summary = read(&made_up.folder, of(&labels()), None).unwrap();
    let rows = |listing| {
        let text = markdown(&summary, listing);
        let table = text
            .split_once("## Committees of widths\n\n")
            .map(|(_, rest)| rest.split("\n\n").next().unwrap());
        table.map_or(0, |table| table.trim_end().lines().count() - 2)
    };
    assert_eq!((rows(Listing::Full), summary.subsets.len()), (31, 31));
    assert_eq!(rows(Listing::Short), 0);
}

#[test]
fn every_table_is_aligned() {
    let made_up = study("mnist", "[14, 16, 18, 20]", 1, &QUICK);
    let text = markdown(&read(&made_up.folder, of(&labels()), None).unwrap(), Listing::Short);
    for table in text.split("\n\n").filter(|part| part.starts_with('|')) {
        let bars = |line: &str| -> Vec<usize> {
            line.chars().enumerate().filter(|(_, c)| *c == '|').map(|(at, _)| at).collect()
        };
        let first = bars(table.lines().next().unwrap());
        assert!(table.lines().all(|line| bars(line) == first), "{table}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 120 && !line.ends_with(' ')), "{text}");
}
