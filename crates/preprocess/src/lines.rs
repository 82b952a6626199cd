//! Straight thin lines: those of exercise books, forms and frames.

use ndarray::{Array2, ArrayView2, Axis};

/// Slopes that are tried: so many to either side, in steps.
const SLOPES: std::ops::RangeInclusive<i32> = -10..=10;
const SLOPE_STEP: f32 = 0.01;

/// The share of the image's side that a line covers at least.
const COVERED: f32 = 0.5;

/// Most lines of a direction.
const MAX_LINES: usize = 60;

/// Thin pieces of ink that a column has in the mean at most: with more, the image is noise, which has lines of every slope.
const MOST_RUNS: usize = 40;

/// How thick a line may be, as a share of the image's shorter side; in any case two pixels.
const THICKEST: f32 = 0.06;

/// A line from the left to the right, as the pixels of it that nothing crosses.
pub(crate) struct Line {
    /// First and last column.
    pub(crate) columns: [usize; 2],
    /// Column, first row and the row behind the last one.
    pub(crate) runs: Vec<[usize; 3]>,
}

/// The thin lines of a mask that run from left to right within some degrees and cover at least half of its width. Where a stroke
/// crosses a line, it is thicker there, and its pixels are not the line's.
pub(crate) fn across(mask: ArrayView2<'_, bool>) -> Vec<Line> {
    let [height, width] = [mask.nrows(), mask.ncols()];
    let thickest = ((height.min(width) as f32 * THICKEST) as usize).max(2);
    let mut runs = thin_runs(mask, thickest);
    if runs.len() > MOST_RUNS * width {
        return Vec::new();
    }
    let bin = (width as f32 / 100.0).max(1.5);
    let mut lines = Vec::new();
    while lines.len() < MAX_LINES && runs.len() as f32 >= COVERED * width as f32 {
        let Some([slope, row]) = strongest(&runs, [height, width], bin) else { break };
        let near = |run: &[usize; 3], slope: f32, row: f32, reach: f32| {
            (middle(run) - row - slope * run[0] as f32).abs() <= reach
        };
        // Once more by least squares, so that the ends of a long line belong to it.
        let points: Vec<[f32; 2]> = runs
            .iter()
            .filter(|run| near(run, slope, row, bin))
            .map(|run| [run[0] as f32, middle(run)])
            .collect();
        let [slope, row] = fitted(&points);
        let mut thickness: Vec<usize> =
            runs.iter().filter(|run| near(run, slope, row, bin)).map(|run| run[2] - run[1]).collect();
        thickness.sort_unstable();
        let usual = thickness.get(thickness.len() / 2).copied().unwrap_or(1);
        let reach = usual as f32 / 2.0 + 1.0;
        let belongs = |run: &[usize; 3]| near(run, slope, row, reach) && run[2] - run[1] <= 2 * usual + 1;
        let (own, others): (Vec<_>, Vec<_>) = runs.into_iter().partition(belongs);
        runs = others;
        if (own.len() as f32) < COVERED * width as f32 {
            break;
        }
        let columns = [own[0][0], own[own.len() - 1][0]];
        lines.push(Line { columns, runs: own });
    }
    lines
}

/// Takes the pixels of lines out of a mask.
pub(crate) fn erase(mask: &mut Array2<bool>, lines: &[Line]) {
    for [column, first, end] in lines.iter().flat_map(|line| &line.runs) {
        mask.column_mut(*column).slice_axis_mut(Axis(0), (*first..*end).into()).fill(false);
    }
}

fn middle([_, first, end]: &[usize; 3]) -> f32 {
    (first + end) as f32 / 2.0
}

/// Pixels of a column that follow one another, where they are no more than so many; by columns.
fn thin_runs(mask: ArrayView2<'_, bool>, thickest: usize) -> Vec<[usize; 3]> {
    let mut runs = Vec::new();
    for (column, pixels) in mask.axis_iter(Axis(1)).enumerate() {
        let mut first = None;
        for row in 0..=pixels.len() {
            match (row < pixels.len() && pixels[row], first) {
                (true, None) => first = Some(row),
                (false, Some(start)) => {
                    if row - start <= thickest {
                        runs.push([column, start, row]);
                    }
                    first = None;
                }
                _ => {}
            }
        }
    }
    runs
}

/// Slope and row at column 0 of the line that most runs lie on, if these cover enough.
fn strongest(runs: &[[usize; 3]], [height, width]: [usize; 2], bin: f32) -> Option<[f32; 2]> {
    let most_slope = SLOPE_STEP * *SLOPES.end() as f32;
    let below = most_slope * width as f32; // rows that a line can begin above the image
    let mut counts = vec![0_usize; ((height as f32 + 2.0 * below) / bin) as usize + 2];
    let mut best = (0, [0.0; 2]);
    for step in SLOPES {
        let slope = SLOPE_STEP * step as f32;
        counts.fill(0);
        for run in runs {
            counts[((middle(run) - slope * run[0] as f32 + below) / bin) as usize] += 1;
        }
        for (index, pair) in counts.windows(2).enumerate() {
            // Steeper ones only where they cover more: most lines are level.
            if pair[0] + pair[1] > best.0 {
                best = (pair[0] + pair[1], [slope, (index + 1) as f32 * bin - below]);
            }
        }
    }
    (best.0 as f32 >= COVERED * width as f32).then_some(best.1)
}

/// Slope and height at 0 of the line of least squares through some points.
fn fitted(points: &[[f32; 2]]) -> [f32; 2] {
    let n = points.len().max(1) as f32;
    let [x, y] = [0, 1].map(|axis| points.iter().map(|point| point[axis]).sum::<f32>() / n);
    let xx: f32 = points.iter().map(|point| (point[0] - x).powi(2)).sum();
    let xy: f32 = points.iter().map(|point| (point[0] - x) * (point[1] - y)).sum();
    let slope = if xx > 0.0 { xy / xx } else { 0.0 };
    [slope, y - slope * x]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tilted_line_is_erased_and_the_stroke_that_crosses_it_stays() {
        let line = |row: usize, column: usize| row.abs_diff(40 + column / 25) <= 1;
        let stroke = |row: usize, column: usize| (10..70).contains(&row) && (48..56).contains(&column);
        let mut mask =
            Array2::from_shape_fn((80, 100), |(row, column)| line(row, column) || stroke(row, column));
        let lines = across(mask.view());
        assert_eq!((lines.len(), lines[0].columns), (1, [0, 99]));
        erase(&mut mask, &lines);
        assert_eq!(mask, Array2::from_shape_fn((80, 100), |(row, column)| stroke(row, column)));
    }

    #[test]
    fn short_ones_and_thick_ones_are_no_lines() {
        let short = Array2::from_shape_fn((80, 100), |(row, column)| row == 9 && column < 45);
        let thick = Array2::from_shape_fn((80, 100), |(row, _)| (20..30).contains(&row));
        assert!(across(short.view()).is_empty() && across(thick.view()).is_empty());
    }
}
