//! How loss and validation error fell while the columns were trained.

use plotters::prelude::*;

use super::drawn::Drawn;
use crate::drawing::chart::{ChartError, Mark, axes, chart, legend, line, px};
use crate::drawing::figure::{Drawing, Figure, Span, Words};
use crate::drawing::palette::Role;
use crate::drawing::scale::Scale;
use crate::evidence::{Curve, Evidence, named};
use preprocess::Width;
use study::EpochRecord;
use thousands::Separable;

/// Most points of a line: more than a chart has pixels say nothing more.
const MAX_POINTS: usize = 160;

type Point = (f64, f64);

/// Training loss of every column.
pub(super) fn loss(name: &'static str, evidence: &Evidence<'_>) -> Drawn {
    let lines = Lines::of(evidence, |epoch| Some(epoch.loss));
    let Some([least, most]) = lines.extent() else { return Ok(None) };
    if !(least > 0.0 && most.is_finite()) {
        return Ok(None);
    }
    let y = ("training loss (nats a digit)", Scale::logarithmic(least / 1.15..most * 1.15));
    let drawing = lines.drawn(y)?;
    let description = format!(
        "{} The loss is on a logarithmic scale.",
        lines.in_words("training loss", |loss| format!("{loss:.3}"))
    );
    let words = Words {
        title: "Training loss".to_owned(),
        caption: format!(
            "Mean cross-entropy in each epoch, measured before each step, on {} digits. {LINES}",
            if evidence.summary.manifest.config.distortion.is_some() { "distorted" } else { "undistorted" }
        ),
        description,
    };
    Ok(Some(Figure::new(name, Span::Half, words, drawing)))
}

/// Error on the held-out digits of every column, where some were held out.
pub(super) fn validation(name: &'static str, evidence: &Evidence<'_>) -> Drawn {
    let lines = Lines::of(evidence, |epoch| epoch.validation_error.map(|share| 100.0 * share));
    let Some([least, most]) = lines.extent() else { return Ok(None) };
    // None wrong is nowhere on a logarithmic scale.
    let scale =
        if least > 0.0 { Scale::logarithmic(least / 1.15..most * 1.15) } else { Scale::from_zero([most]) };
    let y = ("error on held-out digits (%)", scale);
    let drawing = lines.drawn(y)?;
    let n_held_out = evidence.summary.manifest.config.validation.separate_with_commas();
    let words = Words {
        title: "Validation error".to_owned(),
        caption: format!(
            "Error after each epoch on {n_held_out} held-out training digits, undistorted. {LINES}"
        ),
        description: lines.in_words("validation error", |error| format!("{error:.2} %")),
    };
    Ok(Some(Figure::new(name, Span::Half, words, drawing)))
}

/// Said of both charts.
const LINES: &str = "Thin lines are columns; thick lines are the mean of each width.";

/// What is drawn: for each width its columns' lines.
struct Lines {
    widths: Vec<(Width, Role, Vec<Vec<Point>>)>,
}

impl Lines {
    fn of(evidence: &Evidence<'_>, value: impl Fn(&EpochRecord) -> Option<f64>) -> Self {
        let points = |curve: &Curve| -> Vec<Point> {
            let points =
                curve.epochs.iter().filter_map(|epoch| Some((f64::from(epoch.epoch), value(epoch)?)));
            points.filter(|point| point.1.is_finite()).collect()
        };
        let of_width = |width: &Width| {
            let curves = evidence.curves.iter().filter(|curve| curve.id.width == *width).map(points);
            let lines: Vec<_> = curves.filter(|line| !line.is_empty()).collect();
            (!lines.is_empty()).then(|| (*width, Role::of_series(evidence.series(*width)), lines))
        };
        Self { widths: evidence.summary.widths.iter().filter_map(of_width).collect() }
    }

    fn points(&self) -> impl Iterator<Item = &Point> {
        self.widths.iter().flat_map(|(.., lines)| lines.iter().flatten())
    }

    /// Least and largest value; none without a point.
    fn extent(&self) -> Option<[f64; 2]> {
        let first = self.points().next()?.1;
        Some(self.points().fold([first; 2], |[least, most], &(_, value)| [least.min(value), most.max(value)]))
    }

    fn drawn(&self, y: (&str, Scale)) -> Result<Drawing, ChartError> {
        let last = self.points().map(|point| point.0).fold(1.0, f64::max);
        chart([520, 340], |area| {
            let entries: Vec<_> =
                self.widths.iter().map(|&(width, role, _)| (Mark::Line, role, width)).collect();
            let area = legend(area, &entries)?;
            let epochs = if last > 1.0 { 1.0..last } else { 0.0..2.0 };
            let x = ("epoch", Scale::whole(epochs, 8));
            let mut chart = axes(&area, x, y)?;
            for (_, role, lines) in &self.widths {
                if lines.len() > 1 {
                    for points in lines {
                        let style = role.rgb().mix(0.35).stroke_width(px(1.0));
                        chart.draw_series(LineSeries::new(thinned(points), style))?;
                    }
                }
            }
            for (_, role, lines) in &self.widths {
                let mean = mean(lines);
                let mean = thinned(&mean);
                if let [point] = mean[..] {
                    let style = role.rgb().filled();
                    chart.draw_series([Circle::new(point, px(3.5), style)])?;
                }
                chart.draw_series(LineSeries::new(mean, line(*role, 2.0)))?;
            }
            Ok(())
        })
    }

    fn in_words(&self, what: &str, value: impl Fn(f64) -> String) -> String {
        let ends = self.widths.iter().filter_map(|(width, _, lines)| {
            let mean = mean(lines);
            let (first, last) = (mean.first()?, mean.last()?);
            Some(format!(
                "{}, {} after epoch {} and {} after epoch {}",
                named(*width),
                value(first.1),
                first.0,
                value(last.1),
                last.0
            ))
        });
        format!("Line chart of the mean {what} by epoch: {}.", ends.collect::<Vec<_>>().join("; "))
    }
}

/// The mean of several lines where all of them have a point, at the epochs of the first.
fn mean(lines: &[Vec<Point>]) -> Vec<Point> {
    let n_points = lines.iter().map(Vec::len).min().unwrap_or(0);
    let at = |index: usize| {
        let sum: f64 = lines.iter().map(|line| line[index].1).sum();
        (lines[0][index].0, sum / lines.len() as f64)
    };
    (0..n_points).map(at).collect()
}

/// Some of the points, evenly, with the first and the last.
fn thinned(points: &[Point]) -> Vec<Point> {
    let n = points.len();
    if n <= MAX_POINTS {
        return points.to_vec();
    }
    (0..MAX_POINTS).map(|index| points[index * (n - 1) / (MAX_POINTS - 1)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_both_ends_and_the_order() {
        let points: Vec<Point> = (1..=800).map(|epoch| (f64::from(epoch), 1.0 / f64::from(epoch))).collect();
        let thin = thinned(&points);
        assert_eq!((thin.len(), thin[0], thin[MAX_POINTS - 1]), (MAX_POINTS, points[0], points[799]));
        assert!(thin.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!(thinned(&points[..7]), &points[..7]);
    }

    #[test]
    fn a_mean_ends_with_the_shortest_line() {
        let lines = [vec![(1.0, 2.0), (2.0, 1.0)], vec![(1.0, 4.0)]];
        assert_eq!(mean(&lines), [(1.0, 3.0)]);
    }
}
