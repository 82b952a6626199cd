//! How often two columns answer differently.

use study::ColumnId;

use super::drawn::Drawn;
use crate::drawing::figure::{Figure, Span, Words};
use crate::drawing::heat_map::HeatMap;
use crate::evidence::Evidence;

/// Most columns whose numbers fit into their cells.
const MAX_WITH_NUMBERS: usize = 8;

/// A cell each pair of columns, by width.
pub(super) fn draw(name: &'static str, evidence: &Evidence<'_>) -> Drawn {
    let disagreement = &evidence.summary.statistics.column_disagreement;
    let columns: Vec<ColumnId> = disagreement.names.iter().filter_map(|name| name.parse().ok()).collect();
    let n = columns.len();
    if n < 2 {
        return Ok(None);
    }
    let counts = &disagreement.counts;
    let pairs = || (0..n).flat_map(|a| (0..a).map(move |b| (a, b)));
    let least = pairs().map(|(a, b)| counts[a][b]).min().unwrap_or(0);
    let most = pairs().map(|(a, b)| counts[a][b]).max().unwrap_or(0);

    // Each width's first column and the one behind its last.
    let mut widths: Vec<(String, usize, usize)> = Vec::new();
    for (index, column) in columns.iter().enumerate() {
        let width = column.width.to_string();
        match widths.last_mut() {
            Some((name, _, end)) if *name == width => *end = index + 1,
            _ => widths.push((width, index, index + 1)),
        }
    }
    let names: Vec<_> =
        widths.iter().map(|(name, begin, end)| ((begin + end) as f64 / 2.0, name.clone())).collect();
    let borders: Vec<usize> = widths.iter().map(|(_, begin, _)| *begin).collect();
    let strength = |a: usize, b: usize| {
        let range = f64::from((most - least).max(1));
        (a != b).then(|| 0.06 + 0.94 * f64::from(counts[a][b] - least) / range)
    };
    let number = |a: usize, b: usize| {
        if n <= MAX_WITH_NUMBERS && a != b { counts[a][b].to_string() } else { String::new() }
    };
    let map = HeatMap {
        n,
        names: &names,
        titles: ["width of one column", "width of the other"],
        borders: &borders,
        strength: &strength,
        number: &number,
    };
    let drawing = map.drawn()?;

    let mean = |same: bool| {
        let counts: Vec<f64> = pairs()
            .filter(|&(a, b)| (columns[a].width == columns[b].width) == same)
            .map(|(a, b)| f64::from(counts[a][b]))
            .collect();
        (!counts.is_empty()).then(|| counts.iter().sum::<f64>() / counts.len() as f64)
    };
    let means = match (mean(true), mean(false)) {
        (Some(same), Some(other)) => format!(
            " On average, two columns of the same width disagree on {same:.0} digits, two of different widths on {other:.0}."
        ),
        _ => String::new(),
    };
    let words = Words {
        title: "How often two columns disagree".to_owned(),
        caption: format!(
            "Number of digits that two columns classify differently, from {least} (pale) to {most} (dark).{means}"
        ),
        description: format!(
            "Heat map of the disagreement of each pair of {n} columns: {least} to {most} digits.{means}"
        ),
    };
    Ok(Some(Figure::new(name, Span::Half, words, drawing)))
}
