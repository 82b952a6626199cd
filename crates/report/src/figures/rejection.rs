//! The error that is left when the least sure answers are given to somebody else.

use plotters::prelude::*;

use super::drawn::Drawn;
use crate::drawing::chart::{axes, chart, line};
use crate::drawing::figure::{Figure, Span, Words};
use crate::drawing::palette::MAIN;
use crate::drawing::scale::Scale;
use crate::evidence::Evidence;

/// Points of the line.
const N_POINTS: u32 = 300;
/// The chart ends a little behind the place where this share of the errors is left.
const LEFT: f64 = 0.05;

/// Error against the rejected share.
pub(super) fn draw(name: &'static str, evidence: &Evidence<'_>) -> Drawn {
    let curve = &evidence.summary.statistics.rejection;
    let all = curve.after(0);
    if all.errors == 0 {
        return Ok(None);
    }
    let share = |n_rejected: u32| 100.0 * f64::from(n_rejected) / f64::from(curve.n);
    let end = curve.rejected_for((LEFT * f64::from(all.errors)) as u32);
    let end = (f64::from(end) * 1.15).ceil().min(f64::from(curve.n) - 1.0).max(1.0) as u32;
    let points = (0..=N_POINTS).map(|index| (u64::from(end) * u64::from(index) / u64::from(N_POINTS)) as u32);
    let points: Vec<(f64, f64)> =
        points.map(|n_rejected| (share(n_rejected), curve.after(n_rejected).error_percent())).collect();
    let drawing = chart([520, 320], |area| {
        let x = ("least confident digits rejected (%)", Scale::linear(0.0..share(end), 7));
        let y = ("error on the rest (%)", Scale::from_zero([all.error_percent()]));
        let mut chart = axes(area, x, y)?;
        chart.draw_series(AreaSeries::new(points.iter().copied(), 0.0, MAIN.rgb().mix(0.12)))?;
        chart.draw_series(LineSeries::new(points.iter().copied(), line(MAIN, 2.5)))?;
        Ok(())
    })?;
    let half = curve.rejected_for(all.errors / 2);
    let none = curve.rejected_for(0);
    let words = Words {
        title: "Error after rejecting the least confident answers".to_owned(),
        caption: format!(
            "Rejecting the {:.2} % least confident answers halves the committee’s errors; rejecting {:.2} % removes all of them.",
            share(half),
            share(none)
        ),
        description: format!(
            "Chart of the error against the rejected share. The error is {:.2} % without rejection; half of the errors are left at {:.2} % rejected, none at {:.2} %.",
            all.error_percent(),
            share(half),
            share(none)
        ),
    };
    Ok(Some(Figure::new(name, Span::Half, words, drawing)))
}
