//! Whether the committee's answers are right as often as their probabilities say.

use committee::Score;
use plotters::prelude::*;

use super::drawn::Drawn;
use crate::drawing::chart::{Mark, axes, chart, legend, line, px};
use crate::drawing::figure::{Figure, Span, Words};
use crate::drawing::palette::{MAIN, MUTED};
use crate::drawing::scale::Scale;
use crate::evidence::Evidence;

/// Accuracy against confidence, in bins.
pub(super) fn draw(name: &'static str, evidence: &Evidence<'_>) -> Drawn {
    let reliability = &evidence.summary.statistics.reliability;
    // Confidence and accuracy in percent, the interval of the accuracy, and the digits.
    let bins = reliability.bins.iter().filter_map(|bin| {
        let (confidence, accuracy) = (100.0 * bin.mean_confidence?, 100.0 * bin.accuracy()?);
        let error = Score { errors: bin.n - bin.n_right, n: bin.n }.interval();
        Some((confidence, accuracy, [100.0 - error.high_percent, 100.0 - error.low_percent], bin.n))
    });
    let bins: Vec<_> = bins.collect();
    let drawing = chart([520, 320], |area| {
        let entries = [
            (Mark::Dot, MAIN, "digits with about this probability"),
            (Mark::Line, MUTED, "perfect calibration"),
        ];
        let area = legend(area, &entries)?;
        let x = ("probability of the first guess (%)", Scale::linear(0.0..101.0, 6));
        let y = ("right answers (%)", Scale::linear(0.0..101.0, 6));
        let mut chart = axes(&area, x, y)?;
        chart.draw_series(LineSeries::new([(0.0, 0.0), (100.0, 100.0)], line(MUTED, 1.5)))?;
        for &(confidence, accuracy, [low, high], _) in &bins {
            chart.draw_series(LineSeries::new([(confidence, low), (confidence, high)], line(MAIN, 1.5)))?;
            chart.draw_series([Circle::new((confidence, accuracy), px(4.5), MAIN.rgb().filled())])?;
        }
        Ok(())
    })?;
    let in_words = bins.iter().map(|(confidence, accuracy, _, n)| {
        format!("of {n} digits at {confidence:.1} % {accuracy:.1} % are right")
    });
    let words = Words {
        title: "Calibration".to_owned(),
        caption: format!(
            "Test digits in {} bins by the probability of the committee’s first guess, with 95 % intervals. Above the line, answers are right more often than their probability says. \
             Expected calibration error: {:.2} %.",
            reliability.bins.len(),
            100.0 * reliability.expected_calibration_error
        ),
        description: format!("Reliability diagram: {}.", in_words.collect::<Vec<_>>().join("; ")),
    };
    Ok(Some(Figure::new(name, Span::Half, words, drawing)))
}
