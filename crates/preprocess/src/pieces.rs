//! Connected pieces of ink.

use ndarray::{Array2, Axis};

/// Pixels of ink that hang together, corners counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Pixels.
    pub(crate) area: usize,
    /// First and last row and column.
    pub(crate) rows: [usize; 2],
    pub(crate) columns: [usize; 2],
    /// Pixels that are nearer to the image's border than each of the margins.
    pub(crate) in_margins: [usize; 2],
}

/// The pieces of an image.
pub(crate) struct Pieces {
    runs: Vec<Run>,
    /// For each run the index of its piece.
    of_run: Vec<usize>,
    pub(crate) all: Vec<Piece>,
    size: [usize; 2],
}

/// Pixels of a row that follow one another: from `start` to before `end`.
#[derive(Debug, Clone, Copy)]
struct Run {
    row: usize,
    start: usize,
    end: usize,
}

impl Piece {
    pub(crate) fn height(&self) -> usize {
        self.rows[1] + 1 - self.rows[0]
    }

    pub(crate) fn width(&self) -> usize {
        self.columns[1] + 1 - self.columns[0]
    }

    pub(crate) fn longer(&self) -> usize {
        self.height().max(self.width())
    }

    pub(crate) fn touches_border(&self, [height, width]: [usize; 2]) -> bool {
        self.rows[0] == 0
            || self.columns[0] == 0
            || self.rows[1] + 1 == height
            || self.columns[1] + 1 == width
    }

    /// Whether `other` lies within the box of this one.
    pub(crate) fn surrounds(&self, other: &Self) -> bool {
        let within = |outer: [usize; 2], inner: [usize; 2]| outer[0] < inner[0] && inner[1] < outer[1];
        within(self.rows, other.rows) && within(self.columns, other.columns)
    }
}

impl Pieces {
    /// Those of the pixels that are set; pixels less than a margin from the border are counted apart.
    pub(crate) fn of(mask: &Array2<bool>, margins: [usize; 2]) -> Self {
        let [height, width] = [mask.nrows(), mask.ncols()];
        let mut runs: Vec<Run> = Vec::new();
        let mut parents: Vec<usize> = Vec::new();
        let mut before = 0..0; // the runs of the row before
        for (row, pixels) in mask.outer_iter().enumerate() {
            let first = runs.len();
            let mut candidate = before.start;
            let mut column = 0;
            while column < width {
                if !pixels[column] {
                    column += 1;
                    continue;
                }
                let start = column;
                while column < width && pixels[column] {
                    column += 1;
                }
                let index = runs.len();
                runs.push(Run { row, start, end: column });
                parents.push(index);
                while candidate < before.end && runs[candidate].end < start {
                    candidate += 1;
                }
                // A run of the row before may touch this one and the next.
                let mut above = candidate;
                while above < before.end && runs[above].start <= column {
                    unite(&mut parents, above, index);
                    above += 1;
                }
            }
            before = first..runs.len();
        }
        let mut pieces = Self { of_run: vec![0; runs.len()], all: Vec::new(), size: [height, width], runs };
        let mut of_root = vec![usize::MAX; parents.len()];
        for index in 0..pieces.runs.len() {
            let root = root(&mut parents, index);
            let run = pieces.runs[index];
            if of_root[root] == usize::MAX {
                of_root[root] = pieces.all.len();
                let (rows, columns) = ([run.row; 2], [run.start, run.end - 1]);
                pieces.all.push(Piece { area: 0, rows, columns, in_margins: [0; 2] });
            }
            pieces.of_run[index] = of_root[root];
            let piece = &mut pieces.all[of_root[root]];
            piece.area += run.end - run.start;
            piece.rows[1] = run.row;
            piece.columns = [piece.columns[0].min(run.start), piece.columns[1].max(run.end - 1)];
            for (in_margin, margin) in piece.in_margins.iter_mut().zip(margins) {
                let inner = margin..width.saturating_sub(margin).max(margin);
                let n_inner = run.end.min(inner.end).saturating_sub(run.start.max(inner.start));
                let is_outer = run.row < margin || run.row + margin >= height;
                *in_margin += run.end - run.start - if is_outer { 0 } else { n_inner };
            }
        }
        pieces
    }

    /// The pixels of the pieces with these indices.
    pub(crate) fn mask(&self, keep: impl Fn(usize) -> bool) -> Array2<bool> {
        let mut mask = Array2::from_elem(self.size, false);
        for (run, &piece) in self.runs.iter().zip(&self.of_run) {
            if keep(piece) {
                mask.row_mut(run.row).slice_axis_mut(Axis(0), (run.start..run.end).into()).fill(true);
            }
        }
        mask
    }

    /// First and last pixel of each row's runs of a piece: `[row, column]`.
    pub(crate) fn ends(&self, piece: usize) -> impl Iterator<Item = [[usize; 2]; 2]> {
        let own = self.runs.iter().zip(&self.of_run).filter(move |(_, of)| **of == piece);
        own.map(|(run, _)| [[run.row, run.start], [run.row, run.end - 1]])
    }

    /// Pixels between the first and the last pixel of each row of a piece, with these.
    pub(crate) fn enclosed(&self, piece: usize) -> usize {
        let Piece { rows, .. } = self.all[piece];
        let mut outline = vec![[usize::MAX, 0]; rows[1] + 1 - rows[0]];
        for [[row, first], [_, last]] in self.ends(piece) {
            let outline = &mut outline[row - rows[0]];
            *outline = [outline[0].min(first), outline[1].max(last)];
        }
        outline.iter().map(|[first, last]| last + 1 - first).sum()
    }
}

fn root(parents: &mut [usize], mut index: usize) -> usize {
    while parents[index] != index {
        parents[index] = parents[parents[index]];
        index = parents[index];
    }
    index
}

/// The lower index becomes the root.
fn unite(parents: &mut [usize], a: usize, b: usize) {
    let [a, b] = [root(parents, a), root(parents, b)];
    parents[a.max(b)] = a.min(b);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(rows: &[&str]) -> Array2<bool> {
        Array2::from_shape_fn((rows.len(), rows[0].len()), |(row, column)| {
            rows[row].as_bytes()[column] == b'#'
        })
    }

    #[test]
    fn pieces_hang_together_over_corners_and_bends() {
        let mask = mask(&[
            "#.#....", //
            "#.#..#.", "###.#..", ".......", "...##..",
        ]);
        let pieces = Pieces::of(&mask, [1, 0]);
        let areas: Vec<usize> = pieces.all.iter().map(|piece| piece.area).collect();
        assert_eq!(areas, [7, 2, 2]);
        let [left, right, below] = [0, 1, 2].map(|index| pieces.all[index]);
        assert_eq!((left.rows, left.columns, left.in_margins), ([0, 2], [0, 2], [4, 0]));
        assert_eq!((right.rows, right.columns, right.in_margins), ([1, 2], [4, 5], [0, 0]));
        assert_eq!((below.rows, below.columns, below.in_margins), ([4, 4], [3, 4], [2, 0]));
        assert!(left.touches_border([5, 7]) && !right.touches_border([5, 7]) && below.touches_border([5, 7]));
        assert_eq!(pieces.mask(|_| true), mask);
        assert_eq!(pieces.mask(|piece| piece == 1).iter().filter(|&&set| set).count(), 2);
    }

    #[test]
    fn a_comb_is_one_piece_and_surrounds_what_stands_in_it() {
        let mask = mask(&["#######", "#.....#", "#..#..#", "#.....#", "#######"]);
        let pieces = Pieces::of(&mask, [0; 2]);
        assert_eq!(pieces.all.len(), 2);
        assert!(pieces.all[0].surrounds(&pieces.all[1]) && !pieces.all[1].surrounds(&pieces.all[0]));
    }
}
