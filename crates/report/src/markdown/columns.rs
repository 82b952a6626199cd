//! Columns, widths, and all together: the form of the paper's Table 1.

use committee::{Rule, RuleScore};
use preprocess::Width;
use study::{ColumnId, DataSet};
use thousands::Separable;

use super::format::{NONE, bp_as_percent, optional, percent, range, spread};
use crate::Summary;
use crate::published::{is_of_the_paper, paper, theano, theano_bp};
use crate::table::{Align, table};

/// Most columns of one width that get a table column each; beyond, only their mean is shown.
const MAX_SHOWN_COLUMNS: u16 = 10;

/// A row a width: its columns, their mean, its committee.
pub(super) fn widths_table(summary: &Summary) -> String {
    let shown = match summary.manifest.config.columns_per_width {
        n_columns if n_columns <= MAX_SHOWN_COLUMNS => 1..=n_columns,
        #[expect(clippy::reversed_empty_ranges, reason = "no column is shown")]
        _ => 1..=0,
    };
    let titles: Vec<String> = shown.clone().map(|number| format!("no. {number}")).collect();
    let mut header = vec![("width", Align::Left)];
    header.extend(titles.iter().map(|title| (title.as_str(), Align::Right)));
    header.push(("mean ± sd", Align::Right));
    header.push(("committee", Align::Right));
    header.push(("95 %", Align::Right));
    if summary.has_peers() {
        header.push(("paper", Align::Right));
        header.push(("Theano", Align::Right));
    }
    let mut rows: Vec<Vec<String>> =
        summary.widths.iter().map(|&width| width_row(summary, width, shown.clone())).collect();
    if summary.figures.groups.len() > 1 {
        rows.push(all_row(summary, shown.count()));
    }
    table(&header, &rows)
}

fn width_row(summary: &Summary, width: Width, shown: std::ops::RangeInclusive<u16>) -> Vec<String> {
    let name = width.to_string();
    let column = |number| {
        let name = ColumnId { width, number }.to_string();
        let member = summary.figures.members.iter().find(|member| member.name == name);
        optional(member.map(|member| percent(member.score)))
    };
    let group = summary.figures.groups.iter().find(|group| group.group == name);
    let mut row = vec![name];
    row.extend(shown.map(column));
    row.push(optional(group.map(|group| spread(group.members))));
    row.push(optional(group.map(|group| percent(group.score))));
    row.push(optional(group.map(|group| range(group.score.interval()))));
    if summary.has_peers() {
        let of_paper = || format!("{:.2}–{:.2}", paper::WIDTH_BEST_PERCENT, paper::WIDTH_WORST_PERCENT);
        row.push(optional(is_of_the_paper(width).then(of_paper)));
        row.push(optional(theano_bp(&[width]).map(bp_as_percent)));
    }
    row
}

/// All widths' columns.
fn all_row(summary: &Summary, n_shown: usize) -> Vec<String> {
    let all = &summary.figures.all;
    let mut row = vec!["all".to_owned()];
    row.extend(vec![String::new(); n_shown]);
    row.extend([spread(all.members), percent(all.score), range(all.score.interval())]);
    if summary.has_peers() {
        row.push(format!("{:.2}", paper::COMMITTEE_PERCENT));
        row.push(optional(theano_bp(&summary.widths).map(bp_as_percent)));
    }
    row
}

/// All columns: their number, their errors, the committee's by every rule.
pub(super) fn together_table(summary: &Summary) -> String {
    let all = &summary.figures.all;
    let n_errors =
        |errors: u32, n: u32| format!("{} of {}", errors.separate_with_commas(), n.separate_with_commas());
    let with_unit = |figure: String| format!("{figure} %");
    let (n_columns, theano_best) = theano_figure(&summary.widths);
    let none = NONE.to_owned();
    // The others' committees are means.
    let by_mean = summary.figures.rule == Rule::Mean;
    let row = |figure: String, ours: String, paper: String, theano: String| vec![figure, ours, paper, theano];

    let mut rows = vec![
        row(
            "columns".to_owned(),
            all.n_members.to_string(),
            paper::N_COLUMNS.to_string(),
            n_columns.to_string(),
        ),
        row(
            "mean ± sd of their errors".to_owned(),
            with_unit(spread(all.members)),
            format!("{:.2} ± {:.2} %", paper::COLUMNS_MEAN_PERCENT, paper::COLUMNS_SD_PERCENT),
            none.clone(),
        ),
        row(
            format!("committee: {}", described(summary.figures.rule)),
            with_unit(percent(all.score)),
            if by_mean { with_unit(format!("{:.2}", paper::COMMITTEE_PERCENT)) } else { none.clone() },
            if by_mean { with_unit(theano_best) } else { none.clone() },
        ),
        row(
            "its 95 % interval".to_owned(),
            with_unit(range(all.score.interval())),
            none.clone(),
            none.clone(),
        ),
        row(
            "its errors".to_owned(),
            n_errors(all.score.errors, all.score.n),
            if by_mean { n_errors(paper::COMMITTEE_ERRORS, DataSet::Mnist.n_test()) } else { none.clone() },
            none.clone(),
        ),
        row(
            "of these, second guess right".to_owned(),
            n_errors(all.second_guess_right, all.score.errors),
            if by_mean { n_errors(paper::SECOND_GUESS_RIGHT, paper::COMMITTEE_ERRORS) } else { none.clone() },
            none.clone(),
        ),
    ];
    let others = all.rules.iter().filter(|of_rule| of_rule.rule != summary.figures.rule);
    rows.extend(others.map(|RuleScore { rule, score }| {
        let paper = match rule {
            Rule::Mean => with_unit(format!("{:.2}", paper::COMMITTEE_PERCENT)),
            _ => none.clone(),
        };
        row(format!("committee: {}", described(*rule)), with_unit(percent(*score)), paper, none.clone())
    }));

    let mut header = vec![("figure", Align::Left), ("this study", Align::Right)];
    if summary.has_peers() {
        header.extend([("paper", Align::Right), ("Theano", Align::Right)]);
    }
    table(&header, &rows)
}

const fn described(rule: Rule) -> &'static str {
    match rule {
        Rule::Mean => "mean of probabilities",
        Rule::Product => "product of probabilities",
        Rule::Median => "median of probabilities",
        Rule::Majority => "majority vote",
        Rule::Borda => "Borda's count",
        Rule::Weighted => "mean weighted by validation error",
    }
}

/// The Theano project's committee to compare with: the one of the same widths, else its best; columns and
/// error in percent.
fn theano_figure(widths: &[Width]) -> (usize, String) {
    match theano_bp(widths) {
        Some(bp) => (widths.len(), bp_as_percent(bp)),
        None => (theano::BEST_N_COLUMNS as usize, bp_as_percent(theano::BEST_BP)),
    }
}
