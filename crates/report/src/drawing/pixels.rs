//! Small pictures of pixels as PNG, written into an attribute.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ndarray::{Array2, ArrayView2};
use png::{BitDepth, ColorType, Compression, Encoder};

/// Shades of ink that a picture has: as many as four bits hold, which the eye takes for all of them.
const SHADES: u8 = 16;
/// Shades of a positive value, and of a negative one.
const SIGNED_SHADES: u8 = 24;
/// Above zero.
const POSITIVE: [u8; 3] = [0xd0, 0x58, 0x00];
/// Below zero.
const NEGATIVE: [u8; 3] = [0x00, 0x72, 0xb2];

/// Ink on clear ground, so that the paper may have any colour.
///
/// # Units
/// `ink`: 0 for none to 255.
pub(crate) fn ink(ink: ArrayView2<'_, u8>) -> String {
    let top = u32::from(SHADES - 1);
    let shade = |value: u8| ((u32::from(value) * top + 127) / 255) as u8;
    let alpha = (0..SHADES).map(|shade| (u32::from(shade) * 255 / top) as u8).collect();
    let rows = ink.outer_iter().flat_map(|row| {
        // Two pixels a byte, the left one in the upper half; a row fills whole bytes.
        let row: Vec<u8> = row.iter().map(|&value| shade(value)).collect();
        row.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).copied().unwrap_or(0)).collect::<Vec<_>>()
    });
    encoded(ink.dim(), BitDepth::Four, vec![0; 3 * usize::from(SHADES)], alpha, &rows.collect::<Vec<_>>())
}

/// Signed values: orange above zero, blue below, the stronger the farther, and clear at zero.
///
/// # Units
/// `values`: any; `largest` and beyond has the full colour. What is no number is clear.
pub(crate) fn signed(values: ArrayView2<'_, f32>, largest: f32) -> String {
    let top = f32::from(SIGNED_SHADES);
    let shade = |value: f32| {
        // As a whole number, no number is 0.
        let steps = ((value.abs() / largest * top).round() as u8).min(SIGNED_SHADES);
        if value < 0.0 { SIGNED_SHADES + steps } else { steps }
    };
    // The shades 0 to 24 are those of zero and above, 25 to 48 those below.
    let shades = || (0..=2 * SIGNED_SHADES).map(|shade| (shade > SIGNED_SHADES, shade % (SIGNED_SHADES + 1)));
    let colours = shades().flat_map(|(negative, _)| if negative { NEGATIVE } else { POSITIVE }).collect();
    let alpha = |(negative, step): (bool, u8)| {
        let step = u32::from(step) + u32::from(negative);
        (step * 255 / u32::from(SIGNED_SHADES)) as u8
    };
    let pixels: Vec<u8> = values.iter().map(|&value| shade(value)).collect();
    encoded(values.dim(), BitDepth::Eight, colours, shades().map(alpha).collect(), &pixels)
}

/// Tiles side by side and below each other, `columns` in a row, with `gap` pixels of `ground` between them.
pub(crate) fn mosaic<T: Copy>(
    tiles: &[ArrayView2<'_, T>],
    columns: usize,
    gap: usize,
    ground: T,
) -> Array2<T> {
    let (height, width) = tiles.first().map_or((0, 0), |tile| tile.dim());
    let columns = columns.min(tiles.len()).max(1);
    let rows = tiles.len().div_ceil(columns);
    let side = |n: usize, side: usize| n * side + n.saturating_sub(1) * gap;
    let mut picture = Array2::from_elem((side(rows, height), side(columns, width)), ground);
    for (index, tile) in tiles.iter().enumerate() {
        let (y, x) = (index / columns * (height + gap), index % columns * (width + gap));
        tile.indexed_iter().for_each(|((row, column), &value)| picture[[y + row, x + column]] = value);
    }
    picture
}

fn encoded(
    (height, width): (usize, usize),
    depth: BitDepth,
    colours: Vec<u8>,
    alpha: Vec<u8>,
    rows: &[u8],
) -> String {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width as u32, height as u32);
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(depth);
    encoder.set_palette(colours);
    encoder.set_trns(alpha);
    encoder.set_compression(Compression::High);
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(rows)?;
        writer.finish()
    });
    written.expect("a picture with pixels, written to memory");
    format!("data:image/png;base64,{}", STANDARD.encode(&bytes))
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    /// Red, green, blue and alpha of each pixel.
    fn decoded(href: &str) -> Vec<[u8; 4]> {
        let bytes = STANDARD.decode(href.strip_prefix("data:image/png;base64,").unwrap()).unwrap();
        let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        pixels.as_chunks::<4>().0.to_vec()
    }

    #[test]
    fn ink_is_black_of_the_strength_of_the_pixel() {
        let got = decoded(&ink(array![[0, 255, 17], [34, 128, 8]].view()));
        let alpha: Vec<u8> = got.iter().map(|pixel| pixel[3]).collect();
        assert_eq!(alpha, [0, 255, 17, 34, 136, 0]);
        assert!(got.iter().all(|pixel| pixel[..3] == [0, 0, 0]));
    }

    #[test]
    fn a_sign_is_a_colour_and_zero_is_clear() {
        let got = decoded(&signed(array![[0.0, 2.0, -2.0, 1.0, -1.0, 9.0, f32::NAN]].view(), 2.0));
        let alpha: Vec<u8> = got.iter().map(|pixel| pixel[3]).collect();
        assert_eq!(alpha, [0, 255, 255, 127, 127, 255, 0]);
        assert_eq!((&got[1][..3], &got[2][..3]), (&POSITIVE[..], &NEGATIVE[..]));
        assert_eq!((&got[3][..3], &got[4][..3]), (&POSITIVE[..], &NEGATIVE[..]));
    }

    #[test]
    fn tiles_keep_their_places() {
        let tiles: Vec<Array2<u8>> = (1..=3).map(|value| Array2::from_elem((1, 2), value)).collect();
        let views: Vec<_> = tiles.iter().map(|tile| tile.view()).collect();
        assert_eq!(mosaic(&views, 2, 1, 0), array![[1, 1, 0, 2, 2], [0, 0, 0, 0, 0], [3, 3, 0, 0, 0]]);
        assert_eq!(mosaic(&views, 9, 0, 0), array![[1, 1, 2, 2, 3, 3]]);
    }
}
