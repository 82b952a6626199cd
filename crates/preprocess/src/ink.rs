//! Where the ink of an image is, whatever the paper: polarity, paper, threshold, bounding box.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, Axis};

use crate::PreprocessError;
use crate::limits::MIN_CONTRAST;
use crate::parts::{Border, Doubt, Parts};

/// Whether the ink is darker or lighter than what it stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Polarity {
    /// Light ink on dark ground, as in MNIST.
    LightOnDark,
    /// Dark ink on light paper: scans, photographs, screens.
    DarkOnLight,
}

/// Fainter than this share of the strongest ink, one part in so many, is no ink where it touches some: the ripples that JPEG
/// draws around strokes.
const RIPPLES: f32 = 32.0;

/// Standard deviations of the paper that are not taken for ink: so many that not one of a photograph's pixels lies beyond.
const NOISE: f64 = 5.0;

/// How far faint ink may widen the box of the strong ink at each side: one part in so many of the box, rounded up. That is 5 of
/// 20 pixels, which the faintest ends of MNIST's strokes need.
const FRINGE: usize = 4;

impl Polarity {
    /// Finds the polarity of an image of some ink on paper.
    ///
    /// The paper is the median of the border, the outermost pixels. Of the pixels darker and those lighter than it, the ones whose differences' fourth powers sum to more are the ink. So a few black
    /// strokes outweigh large areas that are a little lighter than the border, such as a lamp's spot in the middle; and an inverted
    /// image has the other polarity.
    ///
    /// # Shapes
    /// `image`: `[height, width]`, each side at least 1.
    /// # Units
    /// 0 black to 255 white.
    /// # Errors
    /// [`PreprocessError::Side`] for an image without pixels, [`PreprocessError::Blank`] for one whose pixels differ by less
    /// than [`MIN_CONTRAST`] from the paper.
    pub fn of(image: ArrayView2<'_, u8>) -> Result<Self, PreprocessError> {
        let (polarity, ..) = Self::found(image)?;
        Ok(polarity)
    }

    /// The polarity, the paper's level, doubled, and how many pixels each grey level has.
    fn found(image: ArrayView2<'_, u8>) -> Result<(Self, i32, [u64; 256]), PreprocessError> {
        for (side, got) in [("image height", image.nrows()), ("image width", image.ncols())] {
            if got == 0 {
                return Err(PreprocessError::Side { side, got });
            }
        }
        let counts = grey_levels(image.iter().copied());
        let paper = median(&grey_levels(border(image.dim()).map(|at| image[at])));
        let (polarity, contrast) = Self::against(paper, &counts);
        if contrast < MIN_CONTRAST {
            return Err(PreprocessError::Blank { contrast });
        }
        Ok((polarity, paper, counts))
    }

    /// The polarity on paper of this level, doubled, and the largest difference of a pixel from it.
    fn against(paper: i32, counts: &[u64; 256]) -> (Self, u8) {
        let (mut lighter, mut darker, mut contrast) = (0_u128, 0_u128, 0);
        for (level, &count) in (0..).zip(counts).filter(|(_, count)| **count > 0) {
            let difference: i32 = 2 * level - paper;
            let power = u128::from(difference.unsigned_abs()).pow(4) * u128::from(count);
            *if difference > 0 { &mut lighter } else { &mut darker } += power;
            contrast = contrast.max(difference.unsigned_abs() / 2);
        }
        (if darker > lighter { Self::DarkOnLight } else { Self::LightOnDark }, contrast as u8)
    }

    /// The image as light ink on dark ground: as it is, or inverted.
    ///
    /// # Shapes
    /// `image` and the result: `[height, width]`.
    #[must_use]
    pub fn light_on_dark(self, image: ArrayView2<'_, u8>) -> Array2<u8> {
        match self {
            Self::LightOnDark => image.to_owned(),
            Self::DarkOnLight => image.mapv(|pixel| 255 - pixel),
        }
    }
}

/// The ink of an image of light ink: how much lighter than the paper each pixel of its bounding box is.
///
/// 1. The paper is a plane, of least squares through the border's pixels within Tukey's fences (strokes that touch the
///    border lie outside of them): light that falls off to one side is taken out. On clean paper it is exact.
/// 2. Otsu's threshold on what is lighter than the paper gives the strong ink, whose bounding box is taken.
/// 3. The box grows by up to a quarter to each side while there is fainter ink that is above the paper's noise: the
///    antialiased edge of the strokes. Without it a digit of MNIST would not keep its size.
///
/// Returns `[height, width]` of the box, 0 where there is no ink.
///
/// If most of the border has another grey than most of the image, the border may be a desk or a frame. Unless what differs from a smooth border looks
/// like a digit, the paper is then looked for inside the image: what touches the border is left out, and the answer is in doubt. If that
/// leaves no digit, the border is paper after all.
pub(crate) fn ink(image: ArrayView2<'_, u8>) -> Result<Ink, PreprocessError> {
    let (polarity, outer, counts) = Polarity::found(image)?;
    let inner = median(&counts);
    let (polarity_inside, contrast) = Polarity::against(inner, &counts);
    let light = polarity.light_on_dark(image);
    let paper = Paper::under(light.view());
    let on_border = on(&paper, light.view(), Border::Paper);
    let is_digit = paper.deviation <= ROUGH && matches!(on_border, Ok((_, None)));
    if !is_digit && (outer - inner).abs() > i32::from(contrast.max(MIN_CONTRAST)) {
        let image = polarity_inside.light_on_dark(image);
        let points = sampled(image.view());
        let level = median(&grey_levels(points.iter().map(|point| point[2] as u8)));
        let (paper, _) = Paper::near(&points, f64::from(level) / 2.0);
        if let Ok((Some(pixels), _)) = on(&paper, image.view(), Border::Other) {
            return Ok(Ink { pixels, polarity: polarity_inside, doubt: Some(Doubt::Border) });
        }
    }
    let (pixels, doubt) = on_border?;
    let pixels = pixels.expect("what the border is part of has ink");
    Ok(Ink { pixels, polarity, doubt })
}

/// The ink of an image.
pub(crate) struct Ink {
    /// `[height, width]` of its box, 0 where there is none.
    pub(crate) pixels: Array2<f32>,
    pub(crate) polarity: Polarity,
    /// Why it may be no digit's.
    pub(crate) doubt: Option<Doubt>,
}

/// The ink on this paper, and what speaks against a digit; `None` where the border is something else and nothing else is left.
fn on(
    paper: &Paper,
    image: ArrayView2<'_, u8>,
    around: Border,
) -> Result<(Option<Array2<f32>>, Option<Doubt>), PreprocessError> {
    let mut map =
        Array2::from_shape_fn(image.raw_dim(), |(row, column)| paper.ink(row, column, image[[row, column]]));
    let mut levels = Levels::of(map.view(), paper.deviation)?;
    let parts = Parts::of(map.mapv(|ink| ink > levels.threshold), around);
    if around == Border::Other && parts.others.is_none() {
        return Ok((None, None));
    }
    if leave_out(&mut map, &parts, levels.noise) {
        levels = Levels::of(map.view(), paper.deviation)?;
    }
    let Levels { threshold, noise } = levels;

    // The most ink of each row and column.
    let (mut rows, mut columns) = (vec![0.0_f32; image.nrows()], vec![0.0_f32; image.ncols()]);
    for ((row, column), &ink) in map.indexed_iter() {
        rows[row] = rows[row].max(ink);
        columns[column] = columns[column].max(ink);
    }
    let [rows, columns] = [extent(&rows, threshold, noise), extent(&columns, threshold, noise)];
    let boxed = map.slice_axis(Axis(0), rows.into());
    let pixels = boxed.slice_axis(Axis(1), columns.into()).mapv(|ink| if ink > noise { ink } else { 0.0 });
    Ok((Some(pixels), parts.doubt))
}

/// Some thousand pixels, evenly: row, column and grey level each.
fn sampled(image: ArrayView2<'_, u8>) -> Vec<[f64; 3]> {
    let step = image.nrows().min(image.ncols()).div_ceil(N_SAMPLED);
    let places = (0..image.nrows())
        .step_by(step)
        .flat_map(|row| (0..image.ncols()).step_by(step).map(move |column| (row, column)));
    places.map(|(row, column)| [row as f64, column as f64, f64::from(image[[row, column]])]).collect()
}

/// Pixels along the shorter side that stand for all.
const N_SAMPLED: usize = 64;

/// How many pixels each grey level has.
fn grey_levels(pixels: impl Iterator<Item = u8>) -> [u64; 256] {
    let mut counts = [0; 256];
    pixels.for_each(|pixel| counts[usize::from(pixel)] += 1);
    counts
}

/// Twice the median of at least one pixel, so that it is a whole number and that of the inverted image is 510 minus it.
fn median(counts: &[u64; 256]) -> i32 {
    let n_all: u64 = counts.iter().sum();
    let mut n_up_to = counts.iter().scan(0, |n, count| {
        *n += count;
        Some(*n)
    });
    let lower = n_up_to.clone().take_while(|&n| n <= (n_all - 1) / 2).count();
    let upper = n_up_to.position(|n| n > n_all / 2).expect("the last level has counted all");
    (lower + upper) as i32
}

/// Where ink begins.
struct Levels {
    /// Above it ink is strong.
    threshold: f32,
    /// Above it is ink where it touches strong ink.
    noise: f32,
}

impl Levels {
    fn of(map: ArrayView2<'_, f32>, deviation: f64) -> Result<Self, PreprocessError> {
        let mut histogram = [0_u64; 256];
        let mut strongest = 0.0_f32;
        for &ink in map {
            histogram[ink.round() as usize] += 1;
            strongest = strongest.max(ink);
        }
        if strongest < f32::from(MIN_CONTRAST) {
            return Err(PreprocessError::Blank { contrast: strongest as u8 });
        }
        let threshold = f32::from(otsu(&histogram));
        Ok(Self { threshold, noise: ((NOISE * deviation) as f32).max(strongest / RIPPLES).min(threshold) })
    }
}

/// Takes what is not the digit out of the map; says whether there was something. Then ink that is not near the digit's is no ink of it,
/// however faint.
fn leave_out(map: &mut Array2<f32>, parts: &Parts, noise: f32) -> bool {
    // Faint ink at the border, such as the lines of an exercise book: a digit ends before. Looked for where nothing else is left out.
    let mut faint = Vec::new();
    if parts.others.is_none() {
        faint.extend(border(map.dim()).filter(|&at| map[at] > noise && !parts.digit[at]));
        if faint.len() < FAINT_BORDER {
            return false;
        }
    }
    let near = grown(&parts.digit, stroke(&parts.digit) / 2 + 1);
    if parts.others.is_none() && faint.into_iter().filter(|&at| !near[at]).count() < FAINT_BORDER {
        return false;
    }
    for (at, ink) in map.indexed_iter_mut() {
        if !near[at] || parts.others.as_ref().is_some_and(|others| others[at]) {
            *ink = 0.0;
        }
    }
    true
}

/// Faint pixels of the border, apart from the digit, that are not by chance.
const FAINT_BORDER: usize = 3;

/// The mean thickness of the strokes, in pixels: twice the area for each pixel of the outline.
fn stroke(mask: &Array2<bool>) -> usize {
    let (mut area, mut edges) = (0_usize, 0_usize);
    for lane in mask.rows() {
        let mut before = false;
        for &set in lane {
            area += usize::from(set);
            edges += usize::from(set != before);
            before = set;
        }
        edges += usize::from(before);
    }
    // A row crosses a stroke at all angles: by the mean of the sine, pi / 2 times its thickness.
    (4 * area / edges.max(1)).div_ceil(3).max(1)
}

/// The mask with everything that is within so many pixels along both axes.
fn grown(mask: &Array2<bool>, reach: usize) -> Array2<bool> {
    let mut grown = mask.clone();
    for axis in [Axis(0), Axis(1)] {
        let before = grown.clone();
        for (before, mut lane) in before.lanes(axis).into_iter().zip(grown.lanes_mut(axis)) {
            let mut end = 0;
            for index in (0..lane.len()).filter(|&index| before[index]) {
                let start = index.saturating_sub(reach).max(end);
                end = (index + reach + 1).min(lane.len());
                (start..end).for_each(|at| lane[at] = true);
            }
        }
    }
    grown
}

/// The places of the outermost pixels, each once.
fn border((height, width): (usize, usize)) -> impl Iterator<Item = (usize, usize)> {
    let of_row = move |row: usize| {
        let step = if row == 0 || row + 1 == height { 1 } else { (width - 1).max(1) };
        (0..width).step_by(step).map(move |column| (row, column))
    };
    (0..height).flat_map(of_row)
}

/// From this standard deviation on, in grey levels, the border is looked at again: it may be paper in part.
const ROUGH: f64 = 6.0;

/// So much smoother paper must be that is only a part of the border.
const SMOOTHER: f64 = 0.5;

/// Grey levels from the paper within which a pixel is the paper's: at first, and at least.
const REACH: [f64; 2] = [30.0, 6.0];

/// Rounds in which paper is told from the rest.
const ROUNDS: usize = 8;

/// What an image would be without ink: a plane of grey levels.
struct Paper {
    /// Row and column of the middle, where the plane has the height `level`.
    middle: [f64; 2],
    level: f64,
    /// Grey levels a row and a column.
    slope: [f64; 2],
    /// Standard deviation of the border's pixels from the plane.
    deviation: f64,
}

impl Paper {
    /// The plane through the border.
    fn under(image: ArrayView2<'_, u8>) -> Self {
        let point =
            |(row, column): (usize, usize)| [row as f64, column as f64, f64::from(image[[row, column]])];
        let points: Vec<[f64; 3]> = border(image.dim()).map(point).collect();
        let mut grey: Vec<u8> = points.iter().map(|point| point[2] as u8).collect();
        grey.sort_unstable();
        let [low, high] = [grey[grey.len() / 4], grey[(grey.len() - 1) - grey.len() / 4]].map(f64::from);
        // Tukey's fences. Where at least half of the border has one value, that value alone is inside.
        let fences = low - 1.5 * (high - low)..=high + 1.5 * (high - low);
        let within: Vec<[f64; 3]> =
            points.iter().copied().filter(|point| fences.contains(&point[2])).collect();
        let paper = Self::through(&within);
        if paper.deviation <= ROUGH {
            return paper;
        }
        // A part of the border is something else, such as the desk: then the others lie near a plane of their own.
        let (others, n_others) = Self::near(&points, f64::from(grey[grey.len() / 2]));
        if others.deviation < SMOOTHER * paper.deviation && 2 * n_others > points.len() {
            others
        } else {
            paper
        }
    }

    /// The plane near most points, beginning at a level, and how many they are.
    fn near(points: &[[f64; 3]], level: f64) -> (Self, usize) {
        let mut paper = Self { middle: [0.0; 2], level, slope: [0.0; 2], deviation: REACH[0] / 3.0 };
        let mut n_near = 0;
        for _ in 0..ROUNDS {
            let reach = (3.0 * paper.deviation).clamp(REACH[1], REACH[0]);
            let is_near = |point: &[f64; 3]| (point[2] - paper.at(point[0], point[1])).abs() <= reach;
            let near: Vec<[f64; 3]> = points.iter().copied().filter(is_near).collect();
            if near.is_empty() {
                break;
            }
            n_near = near.len();
            paper = Self::through(&near);
        }
        (paper, n_near)
    }

    /// The plane of least squares through points: row, column and grey level each.
    fn through(points: &[[f64; 3]]) -> Self {
        let n = points.len() as f64;
        let [row, column, level] =
            [0, 1, 2].map(|axis| points.iter().map(|point| point[axis]).sum::<f64>() / n);
        let [mut yy, mut yx, mut xx, mut yv, mut xv] = [0.0; 5];
        for point in points {
            let [y, x, v] = [point[0] - row, point[1] - column, point[2] - level];
            yy += y * y;
            yx += y * x;
            xx += x * x;
            yv += y * v;
            xv += x * v;
        }
        // Of points in a row there is no plane, and a row of pixels has no light that falls off.
        let determinant = yy * xx - yx * yx;
        let slope = if determinant > 0.0 {
            [(yv * xx - xv * yx) / determinant, (xv * yy - yv * yx) / determinant]
        } else {
            [0.0, 0.0]
        };
        let mut paper = Self { middle: [row, column], level, slope, deviation: 0.0 };
        let square = |point: &[f64; 3]| (point[2] - paper.at(point[0], point[1])).powi(2);
        paper.deviation = (points.iter().map(square).sum::<f64>() / n).sqrt();
        paper
    }

    fn at(&self, row: f64, column: f64) -> f64 {
        self.level + self.slope[0] * (row - self.middle[0]) + self.slope[1] * (column - self.middle[1])
    }

    /// How much lighter than the paper a pixel is, 0 to 255.
    fn ink(&self, row: usize, column: usize, pixel: u8) -> f32 {
        (f64::from(pixel) - self.at(row as f64, column as f64)).clamp(0.0, 255.0) as f32
    }
}

/// The threshold whose two classes (up to it, above it) lie furthest apart, by the variance between them; of equals the
/// middle one, so that two flat greys are split half way.
///
/// # Source
/// Otsu: *A Threshold Selection Method from Gray-Level Histograms*, IEEE Transactions on Systems, Man, and Cybernetics 9 (1979).
fn otsu(histogram: &[u64; 256]) -> u8 {
    let moment = |(value, &count): (usize, &u64)| value as u64 * count;
    let n_all: u64 = histogram.iter().sum();
    let sum_all: u64 = histogram.iter().enumerate().map(moment).sum();
    let (mut n, mut sum) = (0, 0);
    let (mut best, mut first, mut last) = (-1.0, 0, 0);
    for (value, &count) in histogram[..255].iter().enumerate() {
        n += count;
        sum += moment((value, &count));
        if n == 0 || n == n_all {
            continue;
        }
        let [below, above] = [n as f64, (n_all - n) as f64];
        let apart = sum as f64 / below - (sum_all - sum) as f64 / above;
        let between = below * above * apart * apart;
        if between > best {
            (best, first, last) = (between, value, value);
        } else if count == 0 && value == last + 1 {
            last = value; // an empty level changes nothing
        }
    }
    ((first + last) / 2) as u8
}

/// From the first to the last that is above the threshold, and the fainter ones beside them.
fn extent(most: &[f32], threshold: f32, noise: f32) -> Range<usize> {
    let strong = |ink: &f32| *ink > threshold;
    let first = most.iter().position(strong).unwrap_or(0);
    let last = most.iter().rposition(strong).unwrap_or(most.len() - 1);
    let reach = (last + 1 - first).div_ceil(FRINGE);
    let faint = |ink: &&f32| **ink > noise;
    let before = most[..first].iter().rev().take(reach).take_while(faint).count();
    let behind = most[last + 1..].iter().take(reach).take_while(faint).count();
    first - before..last + 1 + behind
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn the_median_is_between_the_two_in_the_middle() {
        for mut grey in
            [vec![7_u8], vec![0, 255], vec![3, 3, 9], vec![255; 4], vec![1, 2, 2, 4], vec![5, 0, 5, 9, 9, 9]]
        {
            let got = median(&grey_levels(grey.iter().copied()));
            grey.sort_unstable();
            let want = i32::from(grey[(grey.len() - 1) / 2]) + i32::from(grey[grey.len() / 2]);
            assert_eq!(got, want, "{grey:?}");
        }
    }

    #[test]
    fn the_border_has_every_place_once() {
        for (height, width) in [(1, 1), (1, 5), (5, 1), (2, 2), (3, 4), (70, 40), (64, 64), (130, 200)] {
            let mut places: Vec<_> = border((height, width)).collect();
            places.sort_unstable();
            let inside = |(row, column): &(usize, usize)| {
                (1..height - 1).contains(row) && (1..width.max(1) - 1).contains(column)
            };
            let all = (0..height).flat_map(|row| (0..width).map(move |column| (row, column)));
            let want: Vec<_> = all.filter(|place| !inside(place)).collect();
            assert_eq!(places, want, "{height} x {width}");
        }
    }

    #[test]
    fn otsu_splits_two_flat_greys_half_way_and_two_heaps_between() {
        let mut histogram = [0; 256];
        (histogram[10], histogram[200]) = (900, 30);
        assert_eq!(otsu(&histogram), 104);
        for value in 0..20 {
            histogram[value] = 50;
            histogram[180 + value] = 5;
        }
        assert!((20..180).contains(&otsu(&histogram)));
    }

    #[test]
    fn a_plane_of_light_is_taken_out_of_the_paper() {
        // Falls off by 2 levels a column; a stroke of 90 touches the border.
        let image = Array2::from_shape_fn((40, 40), |(row, column)| {
            let stroke = row < 30 && (18..21).contains(&column);
            20 + 2 * column as u8 + if stroke { 90 } else { 0 }
        });
        let paper = Paper::under(image.view());
        assert!(paper.ink(35, 3, image[[35, 3]]) < 4.0 && paper.ink(35, 38, image[[35, 38]]) < 4.0);
        assert_eq!(ink(image.view()).unwrap().pixels.dim(), (30, 3));
    }

    #[test]
    fn clean_paper_is_exact() {
        let image =
            Array2::from_shape_fn((30, 50), |place| if place.0 < 9 && place.1 == 4 { 200 } else { 7 });
        let paper = Paper::under(image.view());
        assert_eq!((paper.level, paper.slope, paper.deviation), (7.0, [0.0, 0.0], 0.0));
    }

    #[test]
    fn the_box_takes_the_faint_edge_but_not_what_lies_apart() {
        let most = [0.0, 9.0, 0.0, 9.0, 200.0, 200.0, 9.0, 9.0, 9.0, 0.0];
        assert_eq!(extent(&most, 100.0, 5.0), 3..7);
        assert_eq!(extent(&most, 100.0, 50.0), 4..6);
    }

    #[test]
    fn polarity_is_that_of_the_strokes() {
        let image = array![[200_u8, 200, 200], [200, 20, 200], [200, 255, 200]];
        assert_eq!(Polarity::of(image.view()), Ok(Polarity::DarkOnLight));
        let inverted = Polarity::DarkOnLight.light_on_dark(image.view());
        assert_eq!(Polarity::of(inverted.view()), Ok(Polarity::LightOnDark));
        assert_eq!(inverted[[1, 1]], 235);
    }
}
