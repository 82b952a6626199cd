//! Charts with axes, by plotters.

use std::fmt::Display;
use std::io;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::figure::Drawing;
use super::palette::{GRID, INK, MUTED, Role, with_classes};
use super::scale::Scale;

/// Plotters places everything on whole numbers, so a chart is drawn this much larger than it is thought.
pub(crate) const UNIT: u32 = 8;

/// Height of text on charts, before [`UNIT`].
const TEXT: u32 = 13;
/// Height of a legend's line, before [`UNIT`].
const LEGEND_LINE: u32 = 20;

/// Where plotters draws.
pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// Why a chart could not be drawn.
pub(crate) type ChartError = DrawingAreaErrorKind<io::Error>;
/// A chart with two axes.
pub(crate) type Chart<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<Scale, Scale>>;

/// A length in a chart's units.
pub(crate) fn px(length: f64) -> u32 {
    (length * f64::from(UNIT)).round() as u32
}

/// A drawing of `width` × `height`, made by `plot`.
pub(crate) fn chart(
    [width, height]: [u32; 2],
    plot: impl FnOnce(&Area<'_>) -> Result<(), ChartError>,
) -> Result<Drawing, ChartError> {
    let size = [width * UNIT, height * UNIT];
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (size[0], size[1])).into_drawing_area();
        plot(&area)?;
        area.present()?;
    }
    // The element around it is written by `Figure`.
    let body = svg.split_once('>').map_or("", |(_, body)| body).trim_end().trim_end_matches("</svg>");
    Ok(Drawing { size, body: with_classes(body) })
}

/// Text of the usual height.
pub(crate) fn text(role: Role) -> TextStyle<'static> {
    // Plotters makes it smaller by this factor on its way into the file.
    let size = f64::from(TEXT * UNIT) * 1.24;
    TextStyle { color: role.rgb().to_backend_color(), ..TextStyle::from(("sans-serif", size).into_font()) }
}

/// Text whose middle is at its place.
pub(crate) fn centered(role: Role) -> TextStyle<'static> {
    text(role).pos(Pos::new(HPos::Center, VPos::Center))
}

/// A line of this thickness.
pub(crate) fn line(role: Role, thickness: f64) -> ShapeStyle {
    ShapeStyle::from(role.rgb()).stroke_width(px(thickness))
}

/// Axes on `area`, each with its name and unit: horizontal guides, an axis below, names at both.
pub(crate) fn axes<'a>(area: &Area<'a>, x: (&str, Scale), y: (&str, Scale)) -> Result<Chart<'a>, ChartError> {
    let mut chart = ChartBuilder::on(area)
        .margin_top(px(8.0))
        .margin_left(px(3.0))
        .margin_right(px(14.0))
        .margin_bottom(px(4.0))
        .x_label_area_size(px(44.0))
        .y_label_area_size(px(55.0))
        .build_cartesian_2d(x.1, y.1)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(line(GRID, 1.0))
        .axis_style(line(MUTED, 1.0))
        .label_style(text(MUTED))
        .axis_desc_style(text(INK))
        .x_desc(x.0)
        .y_desc(y.0)
        .set_all_tick_mark_size(px(4.0))
        .draw()?;
    Ok(chart)
}

/// How an entry of a legend looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Line,
    Dashes,
    Dot,
    Diamond,
    Block,
    PaleBlock,
}

/// A row of a legend's entries across the top of `area`, and what is left below; more than a row where they need it.
pub(crate) fn legend<'a, L: Display>(
    area: &Area<'a>,
    entries: &[(Mark, Role, L)],
) -> Result<Area<'a>, ChartError> {
    let width = area.dim_in_pixel().0 as i32;
    let (left, key, gap) = (px(58.0) as i32, px(22.0) as i32, px(14.0) as i32);
    let text_width = |label: &str| (label.chars().count() as f64 * f64::from(TEXT * UNIT) * 0.55) as i32;
    let (mut x, mut y) = (left, px(f64::from(LEGEND_LINE) / 2.0) as i32);
    for (mark, role, label) in entries {
        let label = label.to_string();
        let needed = key + px(6.0) as i32 + text_width(&label);
        if x > left && x + needed > width {
            (x, y) = (left, y + px(f64::from(LEGEND_LINE)) as i32);
        }
        draw_mark(area, *mark, *role, [x, y], key)?;
        let style = text(INK).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new(label, (x + key + px(6.0) as i32, y), style))?;
        x += needed + gap;
    }
    Ok(area.split_vertically(y as u32 + px(f64::from(LEGEND_LINE) / 2.0)).1)
}

fn draw_mark(area: &Area<'_>, mark: Mark, role: Role, [x, y]: [i32; 2], key: i32) -> Result<(), ChartError> {
    let filled = ShapeStyle::from(role.rgb()).filled();
    let middle = (x + key / 2, y);
    match mark {
        Mark::Line => area.draw(&PathElement::new([(x, y), (x + key, y)], line(role, 2.5))),
        Mark::Dashes => {
            let third = key / 5;
            (0..3).try_for_each(|dash| {
                let begin = x + 2 * dash * third;
                area.draw(&PathElement::new([(begin, y), (begin + third, y)], line(role, 2.0)))
            })
        }
        Mark::Dot => area.draw(&Circle::new(middle, px(4.0), filled)),
        Mark::Diamond => area.draw(&(EmptyElement::at(middle) + diamond(role))),
        Mark::Block | Mark::PaleBlock => {
            let half = px(5.0) as i32;
            let tint = if mark == Mark::Block { 0.33 } else { 0.18 };
            area.draw(&Rectangle::new([(x, y - half), (x + key, y + half)], role.rgb().mix(tint).filled()))
        }
    }
}

/// A diamond around a place on a chart.
pub(crate) fn diamond(role: Role) -> Polygon<(i32, i32)> {
    let reach = px(6.0) as i32;
    Polygon::new([(0, -reach), (reach, 0), (0, reach), (-reach, 0)], role.rgb())
}
