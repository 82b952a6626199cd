//! How the answer changes when the digit is distorted as in training.

use ndarray::Array2;
use preprocess::{Distorter, Distortion, Epoch, MNIST_PX};
use serde::{Deserialize, Serialize};

use super::ready::{Ready, SCHEMA, digit};
use super::refused::Refused;

/// Distortions that are shown.
const N_DRAWS: u32 = 12;

/// How the digit is distorted.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    /// Smoothness of the elastic field, in pixels.
    sigma: f32,
    /// Share of the training's amplitudes, 0 to 1.
    strength: f32,
    /// The draws are a function of it.
    seed: u64,
}

/// What is said of the distorted digits.
#[derive(Debug, Serialize)]
pub(super) struct Distorted {
    schema: u32,
    distortion: Distortion,
    strength: f32,
    seed: u64,
    digits: Vec<OfDraw>,
}

/// One distorted digit, and what the committee says of it.
#[derive(Debug, Serialize)]
struct OfDraw {
    /// 28 rows of 28 pixels, 0 background to 255 ink.
    pixels: Vec<u8>,
    /// The most probable one; of equals the lowest.
    digit: u8,
    probability: f64,
    clear: bool,
}

/// Distorts the digit some times by the training's distortion with another σ, and asks the columns about each.
///
/// In training a digit is distorted after it was brought to a column's width; here it is distorted first, so that what is
/// shown is what is asked about.
///
/// # Errors
/// For σ or a strength out of range, and a digit that is none.
pub(super) fn distort(ready: &Ready, wish: Wish, bytes: &[u8]) -> Result<Distorted, Refused> {
    digit(bytes)?;
    let distortion = Distortion { sigma: wish.sigma, ..ready.distortion() };
    let unfit = |error: preprocess::PreprocessError| Refused::unfit(error.to_string());
    let distorter = Distorter::new(&distortion, MNIST_PX, MNIST_PX).map_err(unfit)?;
    let draws = Epoch { study_seed: wish.seed, column: 0, epoch: 0 };
    let mut input = vec![0.0; bytes.len()];
    let mut drawn = |number| {
        distorter.distort(bytes, draws.image(number), wish.strength, &mut input).map_err(unfit)?;
        Ok(Array2::from_shape_fn([MNIST_PX; 2], |(y, x)| to_pixel(input[y * MNIST_PX + x])))
    };
    let pixels = (0..N_DRAWS).map(&mut drawn).collect::<Result<Vec<_>, Refused>>()?;
    let images: Vec<_> = pixels.iter().map(|pixels| classifier::Image::Mnist(pixels.view())).collect();
    let answers =
        ready.classifier.classify_all(&images).map_err(|error| Refused::failure(error.to_string()))?;
    let said = answers.classes().into_iter().zip(answers.committee.outer_iter()).zip(answers.unclear());
    let digits = pixels.iter().zip(said).map(|(pixels, ((digit, committee), unclear))| OfDraw {
        pixels: pixels.iter().copied().collect(),
        digit,
        probability: committee[usize::from(digit)],
        clear: unclear.is_none(),
    });
    let digits = digits.collect();
    Ok(Distorted { schema: SCHEMA, distortion, strength: wish.strength, seed: wish.seed, digits })
}

/// The network's -1 to 1 back to 0 to 255.
fn to_pixel(input: f32) -> u8 {
    (127.5 + 127.5 * input).round().clamp(0.0, 255.0) as u8
}
