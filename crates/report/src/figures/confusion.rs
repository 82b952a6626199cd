//! What the committee takes for what.

use super::drawn::Drawn;
use crate::drawing::figure::{Figure, Span, Words};
use crate::drawing::heat_map::HeatMap;
use crate::evidence::Evidence;

/// Most pairs that are described in words.
const N_WORST: usize = 5;

/// A row a label, a column a guess.
pub(super) fn draw(name: &'static str, evidence: &Evidence<'_>) -> Drawn {
    let counts = &evidence.summary.statistics.confusion.counts;
    let n = counts.len();
    let mut pairs: Vec<(u32, usize, usize)> = (0..n)
        .flat_map(|label| (0..n).map(move |guess| (label, guess)))
        .filter(|(label, guess)| label != guess)
        .map(|(label, guess)| (counts[label][guess], label, guess))
        .collect();
    pairs.sort_by_key(|&(count, label, guess)| (std::cmp::Reverse(count), label, guess));
    let largest = pairs.first().map_or(0, |pair| pair.0);
    if largest == 0 {
        return Ok(None);
    }
    let names: Vec<(f64, String)> = (0..n).map(|class| (class as f64 + 0.5, class.to_string())).collect();
    let strength = |label: usize, guess: usize| {
        (label != guess && counts[label][guess] > 0)
            .then(|| f64::from(counts[label][guess]) / f64::from(largest))
    };
    let number = |label: usize, guess: usize| match counts[label][guess] {
        0 => String::new(),
        count => count.to_string(),
    };
    let map = HeatMap {
        n,
        names: &names,
        titles: ["label", "first guess"],
        borders: &[],
        strength: &strength,
        number: &number,
    };
    let drawing = map.drawn()?;
    let worst = pairs
        .iter()
        .take(N_WORST)
        .filter(|pair| pair.0 > 0)
        .map(|(count, label, guess)| format!("{label} for {guess}: {count}"));
    let worst = worst.collect::<Vec<_>>().join(", ");
    let words = Words {
        title: "Confusion matrix".to_owned(),
        caption: "Test digits by label and the committee’s first guess. Right answers are on the diagonal; the colours show only the errors.".to_owned(),
        description: format!("Confusion matrix of the committee. The most frequent errors: {worst}."),
    };
    Ok(Some(Figure::new(name, Span::Half, words, drawing)))
}
