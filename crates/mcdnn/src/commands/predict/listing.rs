//! An answer as a person reads it.

use super::answer::{Answer, Opinion};

/// A line with the answer, then a table: the committee and each width, their three most probable digits (fewer where lines of
/// `width` characters have no room), and how many of their columns agree.
pub(crate) fn text(answer: &Answer, width: usize) -> String {
    let n_top = (width.saturating_sub(OTHERS) / GUESS).max(1);
    let Answer { name, index, committee, .. } = answer;
    let place = index.map_or_else(String::new, |index| format!("[{index}]"));
    // Rounded down: what is below the needed 80 % must not look like 80 %.
    let percent = (1_000.0 * committee.probability + 1e-6).floor() / 10.0;
    let verdict = match &answer.unclear {
        None => committee.digit.to_string(),
        Some(reason) => format!("not clear, best guess {} at {percent:.1} %; {reason}", committee.digit),
    };
    let polarity = if answer.dark_on_light { " (dark on light)" } else { "" };
    let mut text = format!("{name}{place}: {verdict}{polarity}\n{}", line("committee", committee, n_top));
    for width in &answer.widths {
        let name = width.width.pixels().map_or_else(|| "original".to_owned(), |px| format!("width {px}"));
        text += &line(&name, &width.opinion, n_top);
    }
    text
}

/// Characters of a guess in a line, and of all the rest.
const GUESS: usize = 13;
const OTHERS: usize = 13 + 25;

fn line(name: &str, opinion: &Opinion, n_top: usize) -> String {
    let top: String = opinion
        .top
        .iter()
        .take(n_top)
        .map(|guess| format!("{} {:>8}   ", guess.digit, format!("{:.2} %", 100.0 * guess.probability)))
        .collect();
    let Opinion { digit, n_columns, n_columns_for_it, .. } = opinion;
    let columns = if *n_columns == 1 { "column" } else { "columns" };
    format!("  {name:<9}  {top}{n_columns_for_it} of {n_columns} {columns} for {digit}\n")
}
