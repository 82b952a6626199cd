//! Width normalization: exact widths, the cap, blank and full images, refused sizes.

use ndarray::{Array2, Array3, ArrayView2, s};
use preprocess::{MAX_STRETCH, Width, normalize, normalize_all};
use proptest::prelude::*;

const CANVAS: [usize; 2] = [29, 29];

fn px(width_px: u8) -> Width {
    Width::try_from(width_px).unwrap()
}

/// First and last column with ink.
fn ink(image: ArrayView2<'_, u8>) -> Option<(usize, usize)> {
    let inked = |column: &usize| image.column(*column).iter().any(|&v| v > 0);
    let first = (0..image.ncols()).find(inked)?;
    Some((first, (0..image.ncols()).rfind(inked)?))
}

#[test]
fn original_is_the_image_with_a_row_below_and_a_column_at_the_right() {
    let image = Array2::from_shape_fn((28, 28), |(row, column)| (row * 28 + column) as u8);
    let padded = normalize(image.view(), Width::ORIGINAL, CANVAS).unwrap();
    assert_eq!(padded.slice(s![..28, ..28]), image);
    assert!(padded.row(28).iter().chain(padded.column(28)).all(|&v| v == 0));
}

#[test]
fn blank_stays_blank_and_full_becomes_a_full_box() {
    let blank = Array2::zeros((28, 28));
    let full = Array2::from_elem((28, 28), 255);
    for width in [Width::ORIGINAL, px(4), px(28)] {
        assert_eq!(normalize(blank.view(), width, CANVAS).unwrap(), Array2::<u8>::zeros((29, 29)));
    }
    let narrow = normalize(full.view(), px(10), CANVAS).unwrap();
    assert!(narrow.slice(s![..28, 9..19]).iter().all(|&v| v == 255));
    assert_eq!(narrow.iter().filter(|&&v| v > 0).count(), 280);
}

#[test]
fn a_stroke_stays_a_stroke() {
    let mut one = Array2::zeros((28, 28));
    one.slice_mut(s![4..24, 12..16]).fill(255);
    let stretched = normalize(one.view(), px(20), CANVAS).unwrap();
    assert_eq!(ink(stretched.view()), Some((11, 17)), "4 pixels become 7, not 20");
    // A single column cannot be stretched at all: 1.75, rounded down.
    one.slice_mut(s![.., 13..]).fill(0);
    let single = normalize(one.view(), px(20), CANVAS).unwrap();
    assert_eq!(ink(single.view()), Some((14, 14)));
}

#[test]
fn memory_order_does_not_matter() {
    let images =
        Array3::from_shape_fn((3, 20, 24), |(n, row, column)| (n * 91 + row * 7 + column * 13) as u8);
    let mut reversed_axes = Array3::zeros((24, 20, 3));
    reversed_axes.assign(&images.t());
    let want = normalize_all(images.view(), px(11), CANVAS).unwrap();
    assert_eq!(normalize_all(reversed_axes.t(), px(11), CANVAS).unwrap(), want);
    for (image, want) in images.outer_iter().zip(want.outer_iter()) {
        assert_eq!(normalize(image, px(11), CANVAS).unwrap(), want);
    }
}

#[track_caller]
fn check_refused(image: [usize; 2], width: Width, canvas: [usize; 2], want: &str) {
    let image = Array2::from_elem(image, 1);
    assert_eq!(normalize(image.view(), width, canvas).unwrap_err().to_string(), want);
}

#[test]
fn sizes_that_do_not_fit_are_named() {
    let too_large = "image of 28 x 30 pixels (height x width) is larger than the canvas of 29 x 29";
    check_refused([28, 30], Width::ORIGINAL, CANVAS, too_large);
    check_refused([28, 30], px(10), CANVAS, too_large);
    check_refused([5, 5], px(20), [9, 12], "width of 20 pixels is larger than the canvas of 12 pixels");
    check_refused([0, 28], px(20), CANVAS, "image height of 0 pixels is out of range: 1 to 512");
    check_refused([28, 28], px(20), [29, 513], "canvas width of 513 pixels is out of range: 1 to 512");
}

prop_compose! {
    fn any_image()(height in 1_usize..34, width in 1_usize..34)(
        // Mostly background, as digits are.
        image in prop::collection::vec(prop_oneof![4 => Just(0_u8), 1 => any::<u8>()], height * width),
        size in Just((height, width)),
    ) -> Array2<u8> {
        Array2::from_shape_vec(size, image).unwrap()
    }
}

proptest! {
    #[test]
    fn the_ink_is_exactly_as_wide_as_asked_unless_the_cap_bites(
        image in any_image(),
        width_px in Width::MIN_PX..=Width::MAX_PX,
        extra in prop::array::uniform2(0_usize..5),
    ) {
        let canvas = [image.nrows() + extra[0], (image.ncols() + extra[1]).max(28)];
        let result = normalize(image.view(), px(width_px), canvas).unwrap();
        prop_assert_eq!(result.dim(), (canvas[0], canvas[1]));
        let Some((first, last)) = ink(image.view()) else {
            prop_assert_eq!(ink(result.view()), None);
            return Ok(());
        };
        let n_columns = last + 1 - first;
        let want = usize::from(width_px).min((n_columns as f32 * MAX_STRETCH) as usize);
        let left = (canvas[1] - want) / 2;
        prop_assert_eq!(ink(result.view()), Some((left, left + want - 1)));
        // Rows stay where they are: blank ones blank, inked ones inked.
        let top = (canvas[0] - image.nrows()) / 2;
        for (row, result) in result.outer_iter().enumerate() {
            let inked = row >= top && row - top < image.nrows() && image.row(row - top).iter().any(|&v| v > 0);
            prop_assert_eq!(result.iter().any(|&v| v > 0), inked, "row {}", row);
        }
        if want == n_columns {
            let inside = result.slice(s![top..top + image.nrows(), left..left + want]);
            prop_assert_eq!(inside, image.slice(s![.., first..=last]));
        }
    }

    #[test]
    fn original_only_pads(image in any_image(), extra in prop::array::uniform2(0_usize..5)) {
        let canvas = [image.nrows() + extra[0], image.ncols() + extra[1]];
        let result = normalize(image.view(), Width::ORIGINAL, canvas).unwrap();
        let [top, left] = extra.map(|px| px / 2);
        prop_assert_eq!(result.slice(s![top..top + image.nrows(), left..left + image.ncols()]), image.view());
        let sum = |pixels: &Array2<u8>| pixels.iter().map(|&v| u64::from(v)).sum::<u64>();
        prop_assert_eq!(sum(&result), sum(&image));
    }
}
