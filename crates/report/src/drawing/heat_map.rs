//! Numbers of rows and columns as tints of one colour.

use plotters::prelude::*;

use super::chart::{Area, ChartError, centered, chart, px, text};
use super::figure::Drawing;
use super::palette::{GRID, INK, MAIN, MAX_TINT, MUTED};
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// A square heat map of n × n cells.
pub(crate) struct HeatMap<'a> {
    /// Cells in a row.
    pub(crate) n: usize,
    /// Words at rows and at columns, with the place of their middle in cells.
    pub(crate) names: &'a [(f64, String)],
    /// Of the rows together, and of the columns.
    pub(crate) titles: [&'a str; 2],
    /// Lines between groups of cells, in cells from the first.
    pub(crate) borders: &'a [usize],
    /// Strength of the tint from 0 to 1 of a row's and a column's cell; nothing for none.
    pub(crate) strength: &'a dyn Fn(usize, usize) -> Option<f64>,
    /// What is written into a cell.
    pub(crate) number: &'a dyn Fn(usize, usize) -> String,
}

/// Width and height of the drawing.
const SIZE: [u32; 2] = [520, 480];
/// Left upper corner of the cells.
const CORNER: [f64; 2] = [84.0, 8.0];
/// Side of all cells together.
const SIDE: f64 = 420.0;

impl HeatMap<'_> {
    pub(crate) fn drawn(&self) -> Result<Drawing, ChartError> {
        chart(SIZE, |area| {
            self.cells(area)?;
            self.lines(area)?;
            self.words(area)
        })
    }

    fn cells(&self, area: &Area<'_>) -> Result<(), ChartError> {
        for row in 0..self.n {
            for column in 0..self.n {
                let [left, top] = self.place(column as f64, row as f64);
                let [right, bottom] = self.place(column as f64 + 1.0, row as f64 + 1.0);
                if let Some(strength) = (self.strength)(row, column) {
                    let tint = MAIN.rgb().mix(MAX_TINT * strength.clamp(0.0, 1.0));
                    area.draw(&Rectangle::new([(left, top), (right, bottom)], tint.filled()))?;
                }
                let number = (self.number)(row, column);
                if !number.is_empty() {
                    let middle = (i32::midpoint(left, right), i32::midpoint(top, bottom));
                    let role = if (self.strength)(row, column).is_some() { INK } else { MUTED };
                    area.draw(&Text::new(number, middle, centered(role)))?;
                }
            }
        }
        Ok(())
    }

    fn lines(&self, area: &Area<'_>) -> Result<(), ChartError> {
        let n = self.n as f64;
        for border in self.borders.iter().chain([&0, &self.n]) {
            let at = *border as f64;
            for [[from_x, from_y], [to_x, to_y]] in
                [[self.place(at, 0.0), self.place(at, n)], [self.place(0.0, at), self.place(n, at)]]
            {
                let style = ShapeStyle::from(GRID.rgb()).stroke_width(px(1.0));
                area.draw(&PathElement::new([(from_x, from_y), (to_x, to_y)], style))?;
            }
        }
        Ok(())
    }

    fn words(&self, area: &Area<'_>) -> Result<(), ChartError> {
        let below = CORNER[1] + SIDE;
        for (middle, name) in self.names {
            let [x, y] = self.place(*middle, *middle);
            let left = px(CORNER[0] - 7.0) as i32;
            let right_aligned = text(MUTED).pos(Pos::new(HPos::Right, VPos::Center));
            area.draw(&Text::new(name.clone(), (left, y), right_aligned))?;
            area.draw(&Text::new(name.clone(), (x, px(below + 13.0) as i32), centered(MUTED)))?;
        }
        let [rows, columns] = self.titles;
        let middle = px(SIDE / 2.0) as i32;
        let turned = centered(INK).transform(FontTransform::Rotate270);
        area.draw(&Text::new(rows.to_owned(), (px(12.0) as i32, px(CORNER[1]) as i32 + middle), turned))?;
        let place = (px(CORNER[0]) as i32 + middle, px(below + 36.0) as i32);
        area.draw(&Text::new(columns.to_owned(), place, centered(INK)))
    }

    /// Where the corner of a cell is.
    fn place(&self, column: f64, row: f64) -> [i32; 2] {
        let side = SIDE / self.n.max(1) as f64;
        [px(CORNER[0] + column * side) as i32, px(CORNER[1] + row * side) as i32]
    }
}
