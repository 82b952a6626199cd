//! An axis: where a value stands on it, and the round numbers that are marked.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

/// One axis of a chart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scale {
    range: Range<f64>,
    marks: Vec<f64>,
    kind: Kind,
}

/// How values are spaced and written.
#[derive(Debug, Clone, PartialEq)]
enum Kind {
    /// Evenly, with so many decimals.
    Linear { decimals: usize },
    /// Equal factors take equal lengths.
    Logarithmic,
    /// At 0, 1, 2, … stand these names.
    Names(Vec<String>),
}

impl Scale {
    /// An axis of about `n_marks` round numbers.
    pub(crate) fn linear(range: Range<f64>, n_marks: usize) -> Self {
        let (step, decimals) = round_step((range.end - range.start) / n_marks.max(1) as f64);
        Self::marked(range, step, decimals)
    }

    /// An axis from zero to a little above the largest value; to one where there is none.
    pub(crate) fn from_zero(values: impl IntoIterator<Item = f64>) -> Self {
        let largest = values.into_iter().filter(|value| value.is_finite()).fold(0.0, f64::max);
        Self::linear(0.0..if largest > 0.0 { largest * 1.08 } else { 1.0 }, 5)
    }

    /// An axis whose marks are whole numbers.
    pub(crate) fn whole(range: Range<f64>, n_marks: usize) -> Self {
        let (step, _) = round_step((range.end - range.start) / n_marks.max(1) as f64);
        Self::marked(range, step.max(1.0), 0)
    }

    /// A logarithmic axis around values above zero; marks are 1, 2 and 5 times powers of ten.
    pub(crate) fn logarithmic(range: Range<f64>) -> Self {
        let decades = range.start.log10().floor() as i32..=range.end.log10().ceil() as i32;
        let marks = decades.flat_map(|decade| [1.0, 2.0, 5.0].map(|factor| factor * 10_f64.powi(decade)));
        let marks = marks.filter(|mark| range.contains(mark)).collect();
        Self { range, marks, kind: Kind::Logarithmic }
    }

    /// An axis of names, at 0, 1, 2, …
    pub(crate) fn names(names: Vec<String>) -> Self {
        let n = names.len();
        let marks = (0..n).map(|index| index as f64).collect();
        Self { range: -0.5..n as f64 - 0.5, marks, kind: Kind::Names(names) }
    }

    fn marked(range: Range<f64>, step: f64, decimals: usize) -> Self {
        let (first, last) = ((range.start / step).ceil() as i64, (range.end / step + 1e-9).floor() as i64);
        let marks = (first..=last).map(|mark| mark as f64 * step).collect();
        Self { range, marks, kind: Kind::Linear { decimals } }
    }
}

/// The least of 1, 2 and 5 times a power of ten that is not below `least`, and the decimals it takes.
fn round_step(least: f64) -> (f64, usize) {
    let decade = least.max(1e-12).log10().floor() as i32;
    let (factor, decade) = match least / 10_f64.powi(decade) {
        factor if factor <= 1.0 + 1e-9 => (1.0, decade),
        factor if factor <= 2.0 + 1e-9 => (2.0, decade),
        factor if factor <= 5.0 + 1e-9 => (5.0, decade),
        _ => (1.0, decade + 1),
    };
    (factor * 10_f64.powi(decade), usize::try_from(-decade).unwrap_or(0))
}

impl Ranged for Scale {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let place = |value: f64| if self.kind == Kind::Logarithmic { value.ln() } else { value };
        let (start, end) = (place(self.range.start), place(self.range.end));
        let share = (place(*value) - start) / (end - start);
        limit.0 + (share * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.marks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

impl ValueFormatter<f64> for Scale {
    fn format_ext(&self, value: &f64) -> String {
        match &self.kind {
            Kind::Linear { decimals } => format!("{value:.decimals$}"),
            // Powers of ten are not exact: the shortest text of three digits is.
            Kind::Logarithmic => format!("{}", (value * 1e9).round() / 1e9),
            Kind::Names(names) => names.get(value.round() as usize).cloned().unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: &Scale) -> Vec<String> {
        scale.marks.iter().map(|mark| scale.format_ext(mark)).collect()
    }

    #[test]
    fn marks_are_round_numbers_within_the_range() {
        assert_eq!(labels(&Scale::linear(0.0..1.25, 5)), ["0.0", "0.5", "1.0"]);
        assert_eq!(labels(&Scale::linear(0.0..0.51, 6)), ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5"]);
        assert_eq!(labels(&Scale::linear(0.0..0.052, 5)), ["0.00", "0.02", "0.04"]);
        assert_eq!(labels(&Scale::linear(0.0..101.0, 6)), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(labels(&Scale::whole(1.0..2.0, 8)), ["1", "2"]);
        assert_eq!(labels(&Scale::whole(1.0..35.5, 8)), ["5", "10", "15", "20", "25", "30", "35"]);
        assert_eq!(labels(&Scale::logarithmic(0.03..1.4)), ["0.05", "0.1", "0.2", "0.5", "1"]);
        assert_eq!(labels(&Scale::names(vec!["a".to_owned(), "b".to_owned()])), ["a", "b"]);
        assert_eq!(Scale::from_zero([]).range, 0.0..1.0);
    }

    #[test]
    fn ends_stand_at_the_ends() {
        for scale in [Scale::linear(2.0..4.0, 5), Scale::logarithmic(0.01..10.0)] {
            let Range { start, end } = scale.range();
            assert_eq!((scale.map(&start, (900, 100)), scale.map(&end, (900, 100))), (900, 100));
        }
        assert_eq!(Scale::logarithmic(0.01..100.0).map(&1.0, (0, 1000)), 500);
    }
}
