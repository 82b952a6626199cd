//! How sure the figures are, and where the committee fails.

use committee::{Bootstrap, CurvePoint, Score};
use thousands::Separable;

use super::format::{counted, optional, percent, range, spread};
use crate::Summary;
use crate::table::{Align, table};

/// Shares of the digits whose rejection is shown, in percent.
const REJECTED_PERCENT: [u32; 3] = [1, 2, 5];
/// Most digits that are named.
const MAX_NAMED: usize = 12;

/// A row for each number of columns; none for one column.
pub(super) fn curve_table(summary: &Summary) -> Option<String> {
    let curve = &summary.statistics.size_curve;
    let header = [
        ("columns", Align::Right),
        ("committees", Align::Right),
        ("mean ± sd", Align::Right),
        ("5 %", Align::Right),
        ("median", Align::Right),
        ("95 %", Align::Right),
    ];
    let row = |point: &CurvePoint| {
        let quantile = |value: f64| format!("{value:.2}");
        let drawn = if point.exhaustive { "all" } else { "drawn" };
        vec![
            point.n_members.to_string(),
            format!("{drawn} {}", point.n_committees.separate_with_commas()),
            spread(point.errors),
            quantile(point.quantiles.p05),
            quantile(point.quantiles.median),
            quantile(point.quantiles.p95),
        ]
    };
    (curve.len() > 1).then(|| table(&header, &curve.iter().map(row).collect::<Vec<_>>()))
}

/// The figures of one number each.
pub(super) fn statistics_table(summary: &Summary) -> String {
    let statistics = &summary.statistics;
    let bootstrap =
        |bootstrap: &Bootstrap| format!("± {:.2} %, {} %", bootstrap.sd_percent, range(bootstrap.interval));
    let mut rows = vec![
        [
            "error if each width's columns were resampled".to_owned(),
            optional(statistics.bootstrap_columns.as_ref().map(bootstrap)),
        ],
        ["error if the digits were resampled".to_owned(), bootstrap(&statistics.bootstrap_digits)],
        [
            "expected calibration error".to_owned(),
            format!("{:.2} %", 100.0 * statistics.reliability.expected_calibration_error),
        ],
    ];
    for share in REJECTED_PERCENT {
        let n_rejected = summary.n_digits() * share / 100;
        let left: Score = statistics.rejection.after(n_rejected);
        rows.push([
            format!("error when the least confident {share} % are rejected"),
            format!("{} % ({})", percent(left), counted(left.errors, "error")),
        ]);
    }
    rows.push([
        "most digits that two columns classify differently".to_owned(),
        format!("{} digits", most(&statistics.column_disagreement.counts).separate_with_commas()),
    ]);
    rows.push([
        "digits that all columns misclassify".to_owned(),
        (statistics.missed_by_all.len() as u32).separate_with_commas(),
    ]);
    let mislabelled: Vec<String> = statistics
        .missed_by_all
        .iter()
        .filter(|missed| missed.unanimous)
        .map(|missed| format!("{} ({} for {})", missed.image_idx, missed.answer, missed.label))
        .collect();
    rows.push([
        "of these, the same answer from all columns".to_owned(),
        (mislabelled.len() as u32).separate_with_commas(),
    ]);
    let rows: Vec<Vec<String>> = rows.into_iter().map(Vec::from).collect();
    let mut text = table(&[("figure", Align::Left), ("all columns together", Align::Right)], &rows);
    if !mislabelled.is_empty() && summary.figures.all.n_members > 1 {
        let shown = mislabelled.len().min(MAX_NAMED);
        let more = match mislabelled.len() - shown {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        text.push_str(&format!(
            "\nThese digits may be mislabelled (number from 0, answer for label):\n{}{more}.\n",
            mislabelled[..shown].chunks(6).map(|names| names.join(", ")).collect::<Vec<_>>().join(",\n")
        ));
    }
    text
}

fn most(counts: &[Vec<u32>]) -> u32 {
    counts.iter().flatten().copied().max().unwrap_or(0)
}
