//! The error of committees of one, two, three … columns.

use committee::{CurvePoint, Quantiles};
use plotters::prelude::*;
use thousands::Separable;

use super::drawn::Drawn;
use crate::drawing::chart::{Mark, axes, chart, diamond, legend, line};
use crate::drawing::figure::{Figure, Span, Words};
use crate::drawing::palette::{MAIN, OTHER};
use crate::drawing::scale::Scale;
use crate::evidence::Evidence;
use crate::published::paper;
use crate::statistics::CURVE_SAMPLES;

/// The mean error by the number of columns, with bands of the committees' spread.
pub(super) fn draw(name: &'static str, evidence: &Evidence<'_>) -> Drawn {
    let curve = &evidence.summary.statistics.size_curve;
    let n_columns = curve.len();
    if n_columns < 3 {
        return Ok(None);
    }
    let with_paper = evidence.summary.has_peers() && n_columns >= paper::N_COLUMNS as usize;
    let highest = Scale::from_zero(curve.iter().map(|point| point.quantiles.p95));
    let drawing = chart([520, 340], |area| {
        let mut entries = vec![
            (Mark::Line, MAIN, "mean of the committees"),
            (Mark::Block, MAIN, "middle 50 % of them"),
            (Mark::PaleBlock, MAIN, "middle 90 % of them"),
        ];
        if with_paper {
            entries.push((Mark::Diamond, OTHER, "the paper’s committee"));
        }
        let area = legend(area, &entries)?;
        let x = ("columns in the committee", Scale::whole(1.0..n_columns as f64 + 0.5, 8));
        let title = format!("error on the {} (%)", evidence.summary.digits_name());
        let y = (title.as_str(), highest);
        let mut chart = axes(&area, x, y)?;
        let points = || curve.iter().map(|point| (f64::from(point.n_members), point));
        let bands: [fn(&Quantiles) -> [f64; 2]; 2] =
            [|errors| [errors.p05, errors.p95], |errors| [errors.p25, errors.p75]];
        for band in bands {
            let edge = |end: usize| points().map(move |(n, point)| (n, band(&point.quantiles)[end]));
            let outline: Vec<(f64, f64)> =
                edge(1).chain(edge(0).collect::<Vec<_>>().into_iter().rev()).collect();
            chart.draw_series([Polygon::new(outline, MAIN.rgb().mix(0.18))])?;
        }
        let mean = points().map(|(n, point)| (n, point.errors.mean_percent));
        chart.draw_series(LineSeries::new(mean, line(MAIN, 2.5)))?;
        if with_paper {
            let place = (f64::from(paper::N_COLUMNS), paper::COMMITTEE_PERCENT);
            chart.draw_series([EmptyElement::at(place) + diamond(OTHER)])?;
        }
        Ok(())
    })?;
    let (Some(first), Some(last)) = (curve.first(), curve.last()) else { return Ok(None) };
    let half = &curve[n_columns / 2];
    let said = |point: &CurvePoint| format!("{} {:.2} %", point.n_members, point.errors.mean_percent);
    let words = Words {
        title: "How many columns are enough".to_owned(),
        caption: format!(
            "Error of committees of randomly chosen columns of any width: all committees of a size, or {} random ones.",
            CURVE_SAMPLES.separate_with_commas()
        ),
        description: format!(
            "Chart of the mean error by the number of columns in a committee: {}, {}, {}.",
            said(first),
            said(half),
            said(last)
        ),
    };
    Ok(Some(Figure::new(name, Span::Half, words, drawing)))
}
