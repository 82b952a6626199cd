//! Training digits as the elastic distortion leaves them.

use ndarray::{Array2, Axis};
use preprocess::{CANVAS_PX, Distorter, Distortion, Epoch, PreprocessError, Smoothing, Width, normalize};

use super::drawn::Drawn;
use super::sheet::{self, Sheet};
use crate::drawing::figure::{Figure, Span, Words};
use crate::evidence::Evidence;

/// Digits in a row, as on the Theano project's sheets.
const N_DIGITS: usize = 25;
/// Strength of the sheets' fields, the Theano project's.
const ALPHA: f32 = 36.0;
/// The smoothings of the first sheet.
const SIGMAS: [f32; 5] = [9.0, 8.0, 7.0, 6.0, 5.0];
/// The smoothing of the second sheet.
const SIGMA: f32 = 8.0;
/// Times that the second sheet draws it.
const N_DRAWS: u32 = 5;

/// Undistorted digits, and below them five smoothings.
pub(super) fn sigmas(name: &'static str, evidence: &Evidence<'_>) -> Drawn {
    let rows = SIGMAS.map(|sigma| (format!("σ = {sigma}"), sigma, 0));
    let words = Words {
        title: "Elastic distortion, from weak to strong".to_owned(),
        caption: format!(
            "Training digits, undistorted and with elastic distortion: random displacements of the pixels, smoothed over σ pixels; α = {ALPHA}. A smaller σ distorts more."
        ),
        description: "Six rows of the same training digits: undistorted, then with σ = 9, 8, 7, 6 and 5. The smaller σ, the stronger the distortion.".to_owned(),
    };
    drawn(name, evidence, &rows, words)
}

/// Undistorted digits, and below them five draws of one smoothing.
pub(super) fn draws(name: &'static str, evidence: &Evidence<'_>) -> Drawn {
    let rows: Vec<_> = (0..N_DRAWS).map(|draw| (format!("draw {}", draw + 1), SIGMA, draw)).collect();
    let words = Words {
        title: format!("Elastic distortion, {N_DRAWS} random draws"),
        caption: format!(
            "In every epoch, each digit gets a new random distortion. Here are {N_DRAWS} of them, with σ = {SIGMA}, α = {ALPHA}."
        ),
        description: format!(
            "Six rows of the same training digits: undistorted, then {N_DRAWS} different distortions of each with σ = {SIGMA}."
        ),
    };
    drawn(name, evidence, &rows, words)
}

/// Undistorted digits and, below them, rows of a word, σ, and the epoch that the fields are drawn for.
fn drawn(name: &'static str, evidence: &Evidence<'_>, rows: &[(String, f32, u32)], words: Words) -> Drawn {
    let images = evidence.data.train.images();
    let n_digits = images.len_of(Axis(0)).min(N_DIGITS);
    if n_digits == 0 {
        return Ok(None);
    }
    let canvas =
        |image_idx| normalize(images.index_axis(Axis(0), image_idx), Width::Original, [CANVAS_PX; 2]);
    let canvases = (0..n_digits).map(canvas).collect::<Result<Vec<_>, _>>()?;
    let mut sheet: Sheet = vec![("undistorted".to_owned(), canvases.clone())];
    for (label, sigma, epoch) in rows {
        let epoch = Epoch { study_seed: evidence.summary.manifest.config.seed, column: 0, epoch: *epoch };
        sheet.push((label.clone(), distorted(&canvases, *sigma, epoch)?));
    }
    Ok(Some(Figure::new(name, Span::Whole, words, sheet::drawn(&sheet, 1000.0))))
}

/// Each canvas with an elastic field of its own.
fn distorted(canvases: &[Array2<u8>], sigma: f32, epoch: Epoch) -> Result<Vec<Array2<u8>>, PreprocessError> {
    let elastic = Distortion {
        sigma,
        alpha: ALPHA,
        smoothing: Smoothing::Gaussian,
        translation_px: 0.0,
        rotation_deg: 0.0,
        scaling: 0.0,
        shear: 0.0,
    };
    let distorter = Distorter::new(&elastic, CANVAS_PX, CANVAS_PX)?;
    let digits = canvases.iter().zip(0..).map(|(canvas, image)| {
        let pixels: Vec<u8> = canvas.iter().copied().collect();
        let mut out = vec![0.0; pixels.len()];
        distorter.distort(&pixels, epoch.image(image), 1.0, &mut out)?;
        Ok(Array2::from_shape_fn([CANVAS_PX; 2], |(y, x)| to_pixel(out[y * CANVAS_PX + x])))
    });
    digits.collect()
}

/// The network's −1 to 1 back to 0 to 255.
fn to_pixel(input: f32) -> u8 {
    (127.5 + 127.5 * input).round().clamp(0.0, 255.0) as u8
}
