//! Bringing images to MNIST's form: MNIST's own digits come back from whatever was made of them.

use mnist_data::Data;
use ndarray::{Array2, ArrayView2, Axis, s};
use preprocess::{Doubt, MNIST_BOX_PX, MnistDigit, Polarity, PreprocessError, are_in_mnists_form, to_mnist};
use proptest::prelude::*;

fn sample(index: usize) -> Array2<u8> {
    Data::sample().train.images().index_axis(Axis(0), index).to_owned()
}

/// Mean difference of two images in grey levels.
fn difference(a: ArrayView2<'_, u8>, b: ArrayView2<'_, u8>) -> f64 {
    let sum: u64 = a.iter().zip(b).map(|(&a, &b)| u64::from(a.abs_diff(b))).sum();
    sum as f64 / a.len() as f64
}

fn inverted(image: &Array2<u8>) -> Array2<u8> {
    image.mapv(|pixel| 255 - pixel)
}

/// Every pixel `times` times along both axes.
fn repeated(image: ArrayView2<'_, u8>, times: usize) -> Array2<u8> {
    Array2::from_shape_fn((image.nrows() * times, image.ncols() * times), |(row, column)| {
        image[[row / times, column / times]]
    })
}

/// Stands on a larger ground, 0.
fn placed(image: ArrayView2<'_, u8>, size: [usize; 2], at: [usize; 2]) -> Array2<u8> {
    let mut ground = Array2::zeros(size);
    ground.slice_mut(s![at[0]..at[0] + image.nrows(), at[1]..at[1] + image.ncols()]).assign(&image);
    ground
}

#[test]
fn digits_of_mnist_come_back() {
    let images = Data::sample().train.images().to_owned();
    let back = images.outer_iter().map(|image| (image, to_mnist(image).unwrap()));
    let differences: Vec<f64> = back.map(|(image, digit)| difference(image, digit.pixels.view())).collect();
    let n_near = differences.iter().filter(|&&difference| difference < 1.0).count();
    let worst = differences.iter().copied().fold(0.0, f64::max);
    assert!(n_near >= 390, "{n_near} of 400 within a grey level, the worst by {worst}");
}

#[test]
fn blank_images_are_refused() {
    for (grey, size) in [(0, (28, 28)), (255, (1, 1)), (128, (300, 2))] {
        let blank = Array2::from_elem(size, grey);
        assert_eq!(to_mnist(blank.view()), Err(PreprocessError::Blank { contrast: 0 }));
    }
    // Empty paper in a photograph: a little uneven.
    let paper = Array2::from_shape_fn((90, 120), |(row, column)| 180 + ((row * 7 + column * 13) % 11) as u8);
    let error = to_mnist(paper.view()).unwrap_err().to_string();
    assert_eq!(error, "the image is blank");
    let none = Array2::zeros((0, 5));
    assert_eq!(to_mnist(none.view()), Err(PreprocessError::Side { side: "image height", got: 0 }));
}

/// First and last row and column with ink.
fn extent(image: &Array2<u8>) -> [usize; 4] {
    let inked = |axis: usize| {
        let lanes: Vec<usize> = image
            .axis_iter(Axis(axis))
            .enumerate()
            .filter_map(|(index, lane)| lane.iter().any(|&ink| ink > 0).then_some(index))
            .collect();
        [lanes[0], lanes[lanes.len() - 1]]
    };
    let [[top, bottom], [left, right]] = [inked(0), inked(1)];
    [top, bottom, left, right]
}

#[test]
fn the_ink_fills_the_box_whatever_its_size() {
    for (height, width) in [(1, 1), (3, 2), (9, 5), (500, 3), (3, 500), (2000, 1400)] {
        let mut image = Array2::from_elem((height + 20, width + 30), 240);
        image.slice_mut(s![10..10 + height, 10..10 + width]).fill(15);
        let MnistDigit { pixels, polarity, .. } = to_mnist(image.view()).unwrap();
        let [top, bottom, left, right] = extent(&pixels);
        assert_eq!((bottom + 1 - top).max(right + 1 - left), MNIST_BOX_PX, "{height} x {width}");
        assert_eq!((polarity, pixels.iter().max()), (Polarity::DarkOnLight, Some(&255)));
    }
}

#[test]
fn a_stroke_of_a_pixel_stays_visible() {
    // A square drawn with a pencil of one pixel, 400 pixels wide: by area alone it would have 255 / 20.
    let mut image = Array2::zeros((500, 500));
    for line in [s![50..450, 50..51], s![50..450, 449..450], s![50..51, 50..450], s![449..450, 50..450]] {
        image.slice_mut(line).fill(255);
    }
    let pixels = to_mnist(image.view()).unwrap().pixels;
    assert!(pixels.iter().filter(|&&ink| ink >= 120).count() >= 4 * 19);
}

/// The share of the change that a shift by a pixel makes.
fn in_shifts(got: &Array2<u8>, want: &Array2<u8>) -> f64 {
    let shifted = placed(want.slice(s![.., ..27]), [28, 28], [0, 1]);
    difference(got.view(), want.view()) / difference(shifted.view(), want.view())
}

#[test]
fn light_that_falls_off_and_grain_change_less_than_half_a_shift() {
    let mut changes = Vec::new();
    for index in 0..40 {
        let digit = sample(index);
        let large = placed(repeated(digit.view(), 6).view(), [260, 300], [40, 70]);
        // Paper of 130 to 230 with some grain, ink a fifth of it.
        let photo = Array2::from_shape_fn(large.raw_dim(), |(row, column)| {
            let light = 130.0 + 100.0 * column as f64 / 300.0;
            let grain = f64::from(((row * 7919 + column * 104_729) % 13) as u8) - 6.0;
            (light * (1.0 - 0.8 * f64::from(large[[row, column]]) / 255.0) + grain).round() as u8
        });
        let got = to_mnist(photo.view()).unwrap();
        assert_eq!(got.polarity, Polarity::DarkOnLight);
        changes.push(in_shifts(&got.pixels, &to_mnist(large.view()).unwrap().pixels));
    }
    let mean = changes.iter().sum::<f64>() / changes.len() as f64;
    assert!(mean < 0.5, "{mean} of what a shift changes: {changes:?}");
}

#[test]
fn repeated_pixels_change_little() {
    for times in [2, 3, 5] {
        let change = |index: usize| {
            let digit = sample(index);
            let [small, large] = [digit.view(), repeated(digit.view(), times).view()]
                .map(|image| to_mnist(image).unwrap().pixels);
            in_shifts(&large, &small)
        };
        let changes: Vec<f64> = (0..400).map(change).collect();
        // A centre of mass half way between two pixels may be rounded to either.
        let n_near = changes.iter().filter(|&&change| change < 0.1).count();
        assert!(n_near >= 390, "{times} times: {n_near} of 400");
        assert!(changes.iter().all(|&change| change < 1.5), "{times} times: {changes:?}");
    }
}

proptest! {
    #[test]
    fn the_place_does_not_matter(index in 0_usize..400, at in prop::array::uniform2(0_usize..60)) {
        let digit = sample(index);
        let there = placed(digit.view(), [90, 90], at);
        let middle = placed(digit.view(), [90, 90], [31, 31]);
        prop_assert_eq!(to_mnist(there.view()).unwrap(), to_mnist(middle.view()).unwrap());
    }

    #[test]
    fn an_inverted_image_gives_the_same_bits(index in 0_usize..400, times in 1_usize..4, extra in 0_usize..9) {
        let digit = repeated(sample(index).view(), times);
        let image = placed(digit.view(), [28 * times + extra, 28 * times + 2 * extra], [extra / 2, extra]);
        let [got, dark] = [to_mnist(image.view()).unwrap(), to_mnist(inverted(&image).view()).unwrap()];
        prop_assert_eq!((got.polarity, dark.polarity), (Polarity::LightOnDark, Polarity::DarkOnLight));
        prop_assert_eq!(got.pixels, dark.pixels);
    }

    #[test]
    fn any_image_gives_a_digit_or_is_refused(
        image in (1_usize..40, 1_usize..40).prop_flat_map(|size| {
            prop::collection::vec(any::<u8>(), size.0 * size.1).prop_map(move |pixels| Array2::from_shape_vec(size, pixels).unwrap())
        })
    ) {
        match to_mnist(image.view()) {
            Ok(digit) => {
                prop_assert_eq!(digit.pixels.iter().max(), Some(&255));
                let [top, bottom, left, right] = extent(&digit.pixels);
                prop_assert!(bottom + 1 - top <= MNIST_BOX_PX && right + 1 - left <= MNIST_BOX_PX);
            }
            Err(error) => prop_assert!(matches!(error, PreprocessError::Blank { .. }), "{error}"),
        }
    }
}

/// A digit drawn dark on light paper, five pixels for each of its own, with room around it.
fn on_paper(index: usize) -> Array2<u8> {
    let large = placed(repeated(sample(index).view(), 5).view(), [180, 180], [20, 20]);
    large.mapv(|ink| 230 - (f64::from(ink) * 0.8) as u8)
}

/// How many of the first 40 digits come out as without what `spoil` does, but for less than a shift by a pixel changes; and how many are in
/// doubt.
fn as_before(spoil: impl Fn(usize, usize, u8) -> u8) -> (usize, usize) {
    let (mut n_near, mut n_doubts) = (0, 0);
    for index in 0..40 {
        let clean = on_paper(index);
        let spoilt =
            Array2::from_shape_fn(clean.raw_dim(), |(row, column)| spoil(row, column, clean[[row, column]]));
        let [want, got] = [clean, spoilt].map(|image| to_mnist(image.view()).unwrap());
        assert_eq!(got.polarity, want.polarity);
        n_near += usize::from(in_shifts(&got.pixels, &want.pixels) < 1.0);
        n_doubts += usize::from(got.doubt.is_some() && want.doubt.is_none());
    }
    (n_near, n_doubts)
}

#[test]
fn frames_lines_and_specks_are_not_the_digit() {
    let frame = |row: usize, column: usize, grey: u8| {
        let at_edge = |at: usize| (12..15).contains(&at) || (165..168).contains(&at);
        let inside = (12..168).contains(&row) && (12..168).contains(&column);
        if inside && (at_edge(row) || at_edge(column)) { 20 } else { grey }
    };
    let (n_near, n_doubts) = as_before(frame);
    assert!(n_near >= 38 && n_doubts == 0, "frame: {n_near} {n_doubts}");
    let below = |row: usize, _: usize, grey: u8| if (160..163).contains(&row) { 40 } else { grey };
    let (n_near, n_doubts) = as_before(below);
    assert!(n_near >= 38 && n_doubts == 0, "below: {n_near} {n_doubts}");
    let ruled = |row: usize, _: usize, grey: u8| if row % 30 < 2 { grey.min(160) } else { grey };
    let (n_near, n_doubts) = as_before(ruled);
    // Where a line lies along a stroke or close by, it stays.
    assert!(n_near >= 28 && n_doubts <= 1, "ruled: {n_near} {n_doubts}");
    let squared = |row: usize, column: usize, grey: u8| {
        if row % 25 == 7 || column % 25 == 9 { grey.min(150) } else { grey }
    };
    let (n_near, n_doubts) = as_before(squared);
    assert!(n_near >= 28 && n_doubts <= 1, "squared: {n_near} {n_doubts}");
    let specks = |row: usize, column: usize, grey: u8| {
        if row % 47 < 3 && column % 41 < 3 { grey.min(60) } else { grey }
    };
    let (n_near, n_doubts) = as_before(specks);
    assert!(n_near >= 38 && n_doubts == 0, "specks: {n_near} {n_doubts}");
}

/// A ring so thick that it takes more than half of the image it is cropped to is not the desk around a sheet.
#[test]
fn a_thick_digit_without_a_margin_is_the_one_it_is_with_a_margin() {
    let ring = Array2::from_shape_fn((120, 90), |(row, column)| {
        let [y, x] = [(row as f64 - 59.5) / 60.0, (column as f64 - 44.5) / 45.0];
        if (0.09..=1.0).contains(&(x * x + y * y)) { 30_u8 } else { 220 }
    });
    let mut with_margin = Array2::from_elem((180, 150), 220);
    with_margin.slice_mut(s![30..150, 30..120]).assign(&ring);
    let [cropped, whole] = [ring, with_margin].map(|image| to_mnist(image.view()).unwrap());
    assert_eq!((cropped.polarity, cropped.doubt), (Polarity::DarkOnLight, None));
    assert!(in_shifts(&cropped.pixels, &whole.pixels) < 1.0);
}

/// A 2 whose upper stroke stands apart, in the box of the rest.
#[test]
fn a_thin_stroke_is_no_frame_of_the_one_beside_it() {
    let strokes = [[[20, 170], [160, 60]], [[160, 60], [160, 150]], [[30, 75], [50, 120]]];
    let image = Array2::from_shape_fn((200, 200), |(row, column)| {
        let is_near = |[from, to]: &[[i32; 2]; 2]| {
            let [along, at] =
                [[to[0] - from[0], to[1] - from[1]], [row as i32 - from[0], column as i32 - from[1]]]
                    .map(|point| point.map(f64::from));
            let length = along[0].hypot(along[1]);
            let share = ((along[0] * at[0] + along[1] * at[1]) / length.powi(2)).clamp(0.0, 1.0);
            (at[0] - share * along[0]).hypot(at[1] - share * along[1]) <= 4.0
        };
        if strokes.iter().any(is_near) { 255 } else { 0 }
    });
    let [top, bottom, ..] = extent(&to_mnist(image.view()).unwrap().pixels);
    assert_eq!(bottom + 1 - top, MNIST_BOX_PX);
}

#[test]
fn what_is_no_single_digit_is_in_doubt() {
    let beside = |gap: usize| {
        let mut two = Array2::from_elem((180, 180 + gap), 230_u8);
        two.slice_mut(s![.., ..180]).assign(&on_paper(0));
        two.slice_mut(s![.., gap..]).zip_mut_with(&on_paper(1), |grey, other| *grey = (*grey).min(*other));
        to_mnist(two.view()).unwrap().doubt
    };
    assert_eq!((beside(110), beside(150)), (Some(Doubt::Several), Some(Doubt::Several)));
    let mut state = 1_u32;
    let noise = Array2::from_shape_simple_fn((120, 120), || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    assert_eq!(to_mnist(noise.view()).unwrap().doubt, Some(Doubt::NoStroke));
    let mut n_found = 0;
    for index in 0..20 {
        // A sheet on a desk; the digit is found on it, but for some.
        let mut desk = Array2::from_elem((240, 240), 70_u8);
        desk.slice_mut(s![30..210, 30..210]).assign(&on_paper(index));
        let got = to_mnist(desk.view()).unwrap();
        assert_eq!(got.doubt, Some(Doubt::Border), "{index}");
        n_found +=
            usize::from(in_shifts(&got.pixels, &to_mnist(on_paper(index).view()).unwrap().pixels) < 0.5);
    }
    assert!(n_found >= 16, "{n_found} of 20");
    // A strip of paper, longer than a sheet.
    let mut desk = Array2::from_elem((220, 90), 70_u8);
    desk.slice_mut(s![10..210, 10..80]).fill(230);
    let digit = repeated(sample(2).slice(s![4..24, 4..24]), 3);
    desk.slice_mut(s![80..140, 15..75]).zip_mut_with(&digit, |grey, ink| *grey -= *ink / 2);
    assert_eq!(to_mnist(desk.view()).unwrap().doubt, Some(Doubt::Border));
}

#[test]
fn a_large_photograph_is_made_smaller_first() {
    let digit = on_paper(3);
    let [small, large] =
        [digit.view(), repeated(digit.view(), 12).view()].map(|image| to_mnist(image).unwrap().pixels);
    assert!(in_shifts(&large, &small) < 0.1);
}

#[test]
fn files_in_mnists_form_are_told_from_others() {
    let digits = Data::sample().train.images().to_owned();
    assert!(are_in_mnists_form(digits.view()));
    assert!(are_in_mnists_form(digits.mapv(|ink| 255 - ink).view()));
    assert!(are_in_mnists_form(digits.slice(s![..0, .., ..])));
    // Moved by two pixels, or smaller by a fifth, or of another size.
    let moved = placed_all(&digits.slice(s![.., .., 2..]).to_owned());
    assert!(!are_in_mnists_form(moved.view()));
    let smaller =
        placed_all(&digits.select(Axis(1), &(0..28).filter(|row| row % 5 != 0).collect::<Vec<_>>()));
    assert!(!are_in_mnists_form(smaller.view()));
    assert!(!are_in_mnists_form(digits.slice(s![.., .., ..27])));
}

/// On blank images of 28 × 28, at the top left.
fn placed_all(images: &ndarray::Array3<u8>) -> ndarray::Array3<u8> {
    let mut all = ndarray::Array3::zeros((images.len_of(Axis(0)), 28, 28));
    all.slice_mut(s![.., ..images.len_of(Axis(1)), ..images.len_of(Axis(2))]).assign(images);
    all
}
