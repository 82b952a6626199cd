//! A summary as Markdown, made to be read in a terminal too.

use committee::{Rule, Score, Spread, Subset};
use preprocess::Width;
use study::{ColumnId, DataSet};

use crate::published::{is_of_the_paper, paper, theano, theano_bp};
use crate::table::{Align, table};
use crate::{MAX_SUBSET_WIDTHS, Summary};

/// Stands for a figure that is not there.
const NONE: &str = "–";
/// Most columns of one width that get a table column each; beyond, only their mean is shown.
const MAX_SHOWN_COLUMNS: u16 = 10;
/// Most widths whose subsets are listed without being asked for.
const MAX_SHORT_WIDTHS: usize = 4;
/// Most missing columns that are named.
const MAX_NAMED: usize = 12;

/// Which committees of widths a report lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// Every subset of up to four widths, at most 15; none of more widths.
    Short,
    /// Every subset of up to [`MAX_SUBSET_WIDTHS`](crate::MAX_SUBSET_WIDTHS) widths, at most 127.
    Full,
}

/// The report: each column's error, each width's mean and committee, all columns together, and the committee
/// of every subset of the widths that `listing` has; for MNIST beside what the paper and the Theano project reported.
/// Ends in a line break. Errors are in percent of the test digits; ± is the sample standard deviation.
#[must_use]
pub fn markdown(summary: &Summary, listing: Listing) -> String {
    let mut text = head(summary);
    text.push_str("\n## Columns and widths, error in %\n\n");
    text.push_str(&widths_table(summary));
    text.push_str("\n## All columns together\n\n");
    text.push_str(&together_table(summary));
    let most = match listing {
        Listing::Short => MAX_SHORT_WIDTHS,
        Listing::Full => MAX_SUBSET_WIDTHS,
    };
    if (2..=most).contains(&summary.figures.groups.len()) {
        text.push_str("\n## Committees of widths\n\n");
        text.push_str(&subsets_table(summary));
    }
    if is_mnist(summary) {
        text.push_str(
            "\nPaper: five columns for each of seven widths, about 800 epochs; of its widths' committees only the \
             range is given here.\nTheano project: one column a width; it read the labels of digits while \
             normalizing them.\n",
        );
    }
    text
}

fn head(summary: &Summary) -> String {
    let manifest = &summary.study;
    let study = &manifest.config;
    let n_finished = summary.finished.len();
    let n_columns = n_finished + summary.missing.len();
    let mut lines = vec![
        format!(
            "# Study {}: errors on {} test digits of {}",
            study.name,
            grouped(summary.n_test()),
            study.data
        ),
        String::new(),
        format!("- columns: {n_finished} of {n_columns} finished, {}", study.network),
        format!(
            "- training: {}, batches of {}, seed {}; {} in all",
            counted(study.epochs, "epoch"),
            study.batch,
            study.seed,
            duration(manifest.wall_s)
        ),
        format!("- engine: {} on {}", manifest.engine, manifest.device),
        format!(
            "- made by: version {}, commit {}, config {}",
            manifest.version,
            manifest.commit,
            short(&manifest.config_hash)
        ),
    ];
    if summary.widths.len() < study.widths.len() {
        lines.push(format!("- only the widths {}", list(&summary.widths)));
    }
    if !summary.missing.is_empty() {
        lines.push(format!("- **not finished yet**, and in no figure: {}", named(&summary.missing)));
    }
    let mut text = lines.join("\n");
    text.push('\n');
    text
}

/// A row a width: its columns, their mean, its committee.
fn widths_table(summary: &Summary) -> String {
    let shown = match summary.study.config.columns_per_width {
        n_columns if n_columns <= MAX_SHOWN_COLUMNS => 1..=n_columns,
        #[expect(clippy::reversed_empty_ranges, reason = "no column is shown")]
        _ => 1..=0,
    };
    let titles: Vec<String> = shown.clone().map(|number| format!("no. {number}")).collect();
    let mut header = vec![("width", Align::Left)];
    header.extend(titles.iter().map(|title| (title.as_str(), Align::Right)));
    header.push(("mean ± sd", Align::Right));
    header.push(("committee", Align::Right));
    if is_mnist(summary) {
        header.push(("paper", Align::Right));
        header.push(("Theano project", Align::Right));
    }
    let rows: Vec<Vec<String>> =
        summary.widths.iter().map(|&width| width_row(summary, width, shown.clone())).collect();
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
    if is_mnist(summary) {
        let range = || format!("{:.2}–{:.2}", paper::WIDTH_BEST_PERCENT, paper::WIDTH_WORST_PERCENT);
        row.push(optional(is_of_the_paper(width).then(range)));
        row.push(optional(theano_bp(&[width]).map(bp_as_percent)));
    }
    row
}

fn together_table(summary: &Summary) -> String {
    let all = &summary.figures.all;
    let errors = |errors: u32, n: u32| format!("{} of {}", grouped(errors), grouped(n));
    let with_unit = |figure: String| format!("{figure} %");
    let mean = all.score;
    let vote = all.rules.iter().find(|of_rule| of_rule.rule == Rule::Majority).map(|of_rule| of_rule.score);
    let mut rows = vec![
        vec!["columns".to_owned(), all.n_members.to_string()],
        vec!["mean ± sd of their errors".to_owned(), with_unit(spread(all.members))],
        vec!["committee: mean of probabilities".to_owned(), with_unit(percent(mean))],
        vec!["its errors".to_owned(), errors(mean.errors, mean.n)],
        vec!["of these, second guess right".to_owned(), errors(all.second_guess_right, mean.errors)],
        vec!["committee: majority vote".to_owned(), optional(vote.map(|vote| with_unit(percent(vote))))],
    ];
    let mut header = vec![("figure", Align::Left), ("this study", Align::Right)];
    if is_mnist(summary) {
        header.push(("paper", Align::Right));
        header.push(("Theano project", Align::Right));
        let of_paper = [
            paper::N_COLUMNS.to_string(),
            format!("{:.2} ± {:.2} %", paper::COLUMNS_MEAN_PERCENT, paper::COLUMNS_SD_PERCENT),
            format!("{:.2} %", paper::COMMITTEE_PERCENT),
            errors(paper::COMMITTEE_ERRORS, DataSet::Mnist.n_test()),
            errors(paper::SECOND_GUESS_RIGHT, paper::COMMITTEE_ERRORS),
            NONE.to_owned(),
        ];
        let (n_columns, best) = theano_figure(&summary.widths);
        let none = || NONE.to_owned();
        let of_theano = [n_columns.to_string(), none(), with_unit(best), none(), none(), none()];
        for (row, others) in rows.iter_mut().zip(of_paper.into_iter().zip(of_theano)) {
            row.extend([others.0, others.1]);
        }
    }
    table(&header, &rows)
}

/// The Theano project's committee to compare with: the one of the same widths, else its best; columns and
/// error in percent.
fn theano_figure(widths: &[Width]) -> (usize, String) {
    match theano_bp(widths) {
        Some(bp) => (widths.len(), bp_as_percent(bp)),
        None => (theano::BEST_N_COLUMNS as usize, bp_as_percent(theano::BEST_BP)),
    }
}

fn subsets_table(summary: &Summary) -> String {
    let theano = |subset: &Subset| {
        let widths: Option<Vec<Width>> = subset.groups.iter().map(|name| name.parse().ok()).collect();
        theano_bp(&widths?)
    };
    let beside = is_mnist(summary) && summary.subsets.iter().any(|subset| theano(subset).is_some());
    let mut header = vec![
        ("widths", Align::Left),
        ("columns", Align::Right),
        ("errors", Align::Right),
        ("error %", Align::Right),
    ];
    if beside {
        header.push(("Theano project", Align::Right));
    }
    let row = |subset: &Subset| {
        let Subset { groups, n_members, score } = subset;
        let mut row =
            vec![groups.join(" + "), n_members.to_string(), score.errors.to_string(), percent(*score)];
        if beside {
            row.push(optional(theano(subset).map(bp_as_percent)));
        }
        row
    };
    table(&header, &summary.subsets.iter().map(row).collect::<Vec<_>>())
}

/// Whether others' figures are about the same digits.
fn is_mnist(summary: &Summary) -> bool {
    summary.study.config.data == DataSet::Mnist
}

fn percent(score: Score) -> String {
    format!("{:.2}", score.error_percent())
}

fn bp_as_percent(bp: u32) -> String {
    format!("{:.2}", f64::from(bp) / 100.0)
}

fn spread(spread: Spread) -> String {
    match spread.sd_percent {
        Some(sd) => format!("{:.2} ± {sd:.2}", spread.mean_percent),
        None => format!("{:.2}", spread.mean_percent),
    }
}

fn optional(figure: Option<String>) -> String {
    figure.unwrap_or_else(|| NONE.to_owned())
}

fn list(widths: &[Width]) -> String {
    widths.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn named(columns: &[ColumnId]) -> String {
    let names: Vec<String> = columns.iter().take(MAX_NAMED).map(ToString::to_string).collect();
    match columns.len() - names.len() {
        0 => names.join(", "),
        n_more => format!("{} and {n_more} more", names.join(", ")),
    }
}

fn counted(n: u32, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{} {what}s", grouped(n)) }
}

/// The beginning of a hash, enough to tell one from another.
fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

/// `10,000`.
fn grouped(n: u32) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `42 s`, `1 min 05 s`, `13 h 50 min`.
fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds:02} s"),
        (hours, minutes, _) => format!("{hours} h {minutes:02} min"),
    }
}
