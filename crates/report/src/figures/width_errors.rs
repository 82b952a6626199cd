//! Each column's error by width, and that of the widths' committees.

use plotters::prelude::*;

use super::drawn::Drawn;
use crate::drawing::chart::{Mark, axes, chart, diamond, legend, line, px};
use crate::drawing::figure::{Figure, Span, Words};
use crate::drawing::palette::{INK, MAIN, MUTED, OTHER};
use crate::drawing::scale::Scale;
use crate::evidence::Evidence;
use crate::published::paper;

/// Half the width of a mean's stroke, in widths' places.
const STROKE: f64 = 0.28;
/// How far the columns of a width spread sideways, in widths' places.
const SPREAD: f64 = 0.4;

/// Columns as dots, their means as strokes, committees as diamonds.
pub(super) fn draw(name: &'static str, evidence: &Evidence<'_>) -> Drawn {
    let figures = &evidence.summary.figures;
    let groups = &figures.groups;
    let all = figures.all.score.error_percent();
    let is_mnist = evidence.summary.has_peers();
    let members = figures.members.iter().map(|member| member.score.error_percent());
    let highest = Scale::from_zero(members.chain(is_mnist.then_some(paper::COLUMNS_MEAN_PERCENT)));

    // With one column for each width, its committee is this column: a diamond would hide the dot.
    let has_committees = groups.iter().any(|group| group.n_members > 1);
    let caption = if has_committees {
        "Each dot is a column. Each diamond is the committee of a width: the mean of its columns’ probabilities. The line is the committee of all columns."
    } else {
        "Each dot is a column, the only one of its width. The line is the committee of all columns."
    };

    let drawing = chart([520, 340], |area| {
        let mut entries = vec![(Mark::Dot, MUTED, "column")];
        if has_committees {
            entries.extend([
                (Mark::Line, INK, "mean of columns"),
                (Mark::Diamond, MAIN, "committee of the width"),
            ]);
        }
        entries.push((Mark::Line, MAIN, "committee of all"));
        if is_mnist {
            entries.push((Mark::Dashes, OTHER, "the paper’s committee of 35"));
        }
        let area = legend(area, &entries)?;
        let right = groups.len() as f64 - 0.5;
        let names = groups.iter().map(|group| group.group.clone()).collect();
        let x = ("width of the digits (pixels)", Scale::names(names));
        let title = format!("error on the {} (%)", evidence.summary.digits_name());
        let y = (title.as_str(), highest);
        let mut chart = axes(&area, x, y)?;
        if is_mnist {
            let dashed = DashedLineSeries::new(
                [(-0.5, paper::COMMITTEE_PERCENT), (right, paper::COMMITTEE_PERCENT)],
                px(6.0),
                px(5.0),
                line(OTHER, 2.0),
            );
            chart.draw_series(dashed)?;
        }
        chart.draw_series(LineSeries::new([(-0.5, all), (right, all)], line(MAIN, 2.0)))?;
        for (index, group) in groups.iter().enumerate() {
            let center = index as f64;
            let members: Vec<_> =
                figures.members.iter().filter(|member| member.group == group.group).collect();
            let place =
                |number: usize| center + SPREAD * ((number as f64 + 0.5) / members.len() as f64 - 0.5);
            let dots = members.iter().enumerate().map(|(number, member)| {
                Circle::new(
                    (place(number), member.score.error_percent()),
                    px(3.2),
                    MUTED.rgb().mix(0.75).filled(),
                )
            });
            chart.draw_series(dots)?;
            let mean = group.members.mean_percent;
            if members.len() > 1 {
                chart.draw_series(LineSeries::new(
                    [(center - STROKE, mean), (center + STROKE, mean)],
                    line(INK, 2.5),
                ))?;
            }
            if has_committees {
                chart
                    .draw_series([EmptyElement::at((center, group.score.error_percent())) + diamond(MAIN)])?;
            }
        }
        Ok(())
    })?;

    let widths = groups.iter().map(|group| {
        format!(
            "{}: columns {:.2} % on average, committee {:.2} %",
            group.group,
            group.members.mean_percent,
            group.score.error_percent()
        )
    });
    let beside = if is_mnist {
        format!(" The paper’s committee of 35 columns: {:.2} %.", paper::COMMITTEE_PERCENT)
    } else {
        String::new()
    };
    let words = Words {
        title: "Error by width".to_owned(),
        caption: caption.to_owned(),
        description: format!(
            "Chart of the error by width of the digits. {}. All {} columns together: {all:.2} %.{beside}",
            widths.collect::<Vec<_>>().join("; "),
            figures.all.n_members
        ),
    };
    Ok(Some(Figure::new(name, Span::Half, words, drawing)))
}
