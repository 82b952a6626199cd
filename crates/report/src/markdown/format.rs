//! Figures as texts.

use committee::{Interval, Score, Spread};
use preprocess::Width;
use study::{ColumnId, Study};
use thousands::Separable;

/// Stands for a figure that is not there.
pub(crate) const NONE: &str = "–";
/// Most missing columns that are named.
const MAX_NAMED: usize = 12;

pub(crate) fn percent(score: Score) -> String {
    format!("{:.2}", score.error_percent())
}

/// `0.55–0.88`.
pub(crate) fn range(interval: Interval) -> String {
    format!("{:.2}–{:.2}", interval.low_percent, interval.high_percent)
}

pub(crate) fn bp_as_percent(bp: u32) -> String {
    format!("{:.2}", f64::from(bp) / 100.0)
}

pub(crate) fn spread(spread: Spread) -> String {
    match spread.sd_percent {
        Some(sd) => format!("{:.2} ± {sd:.2}", spread.mean_percent),
        None => format!("{:.2}", spread.mean_percent),
    }
}

pub(crate) fn optional(figure: Option<String>) -> String {
    figure.unwrap_or_else(|| NONE.to_owned())
}

pub(crate) fn list(widths: &[Width]) -> String {
    widths.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

pub(crate) fn named(columns: &[ColumnId]) -> String {
    let names: Vec<String> = columns.iter().take(MAX_NAMED).map(ToString::to_string).collect();
    match columns.len() - names.len() {
        0 => names.join(", "),
        n_more => format!("{} and {n_more} more", names.join(", ")),
    }
}

pub(crate) fn counted(n: u32, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{} {what}s", n.separate_with_commas()) }
}

/// How long each column trains: `800 epochs`, `at most 800 epochs`.
pub(crate) fn epochs(study: &Study) -> String {
    let at_most = if study.early_stopping.is_some() { "at most " } else { "" };
    format!("{at_most}{}", counted(study.epochs, "epoch"))
}

/// The beginning of a hash, enough to tell one from another.
pub(crate) fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

/// `42 s`, `1 min 05 s`, `13 h 50 min`.
pub(crate) fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds:02} s"),
        (hours, minutes, _) => format!("{hours} h {minutes:02} min"),
    }
}
