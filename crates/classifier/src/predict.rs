//! A column applied to digits, without distortion: the one implementation, for every engine.

use ciresan_net::{Engine, EngineError, EngineSpec, Parameters};
use ndarray::{Array2, ArrayView3, Axis};
use preprocess::{PreprocessError, Width};
use thiserror::Error;

/// Images handed to the engine at once: their f32 input takes 3.4 MB at 29×29, and no more is held whatever their number.
const CHUNK: usize = 1_000;

/// Why a column could not be applied to digits.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PredictError {
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The digits could not be made the network's input.
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
}

/// The probabilities of these weights for `digits`, normalized to `width`. `make` makes the engine.
///
/// # Shapes
/// `digits`: `[n, height, width]`, no larger than the network's input. Returns `[n, classes]`.
/// # Units
/// `digits`: 0 background to 255 ink. Probabilities 0..=1, each row's sum 1 within rounding.
/// # Errors
/// [`PredictError::Preprocess`] for digits that do not fit, [`PredictError::Engine`] for whatever the engine refuses.
pub fn predict_digits<E: Engine>(
    spec: &EngineSpec,
    weights: Parameters,
    width: Width,
    digits: ArrayView3<'_, u8>,
    make: impl FnOnce(&EngineSpec, &[Parameters]) -> Result<E, EngineError>,
) -> Result<Array2<f32>, PredictError> {
    let input = spec.network.input();
    let canvases = preprocess::normalize_all(digits, width, [input.height, input.width])?;
    probabilities(&mut make(spec, &[weights])?, 0, canvases.view(), spec.network.classes())
}

/// The probabilities of column `column` of `engine` for digits that are normalized to its width already.
///
/// # Shapes
/// `canvases`: `[n, height, width]` of the network's input. Returns `[n, classes]`.
/// # Units
/// `canvases`: 0 background to 255 ink. Probabilities 0..=1, each row's sum 1 within rounding.
/// # Errors
/// [`PredictError::Engine`] for canvases of another size, or whatever else the engine refuses.
pub fn probabilities<E: Engine>(
    engine: &mut E,
    column: usize,
    canvases: ArrayView3<'_, u8>,
    classes: usize,
) -> Result<Array2<f32>, PredictError> {
    let mut probabilities = Array2::zeros((canvases.len_of(Axis(0)), classes));
    let out = probabilities.as_slice_mut().expect("a new array is contiguous");
    fill(engine, column, canvases, &mut Vec::new(), out)?;
    Ok(probabilities)
}

/// [`probabilities`] into `out`; `input` is memory to be used again.
pub(crate) fn fill<E: Engine>(
    engine: &mut E,
    column: usize,
    canvases: ArrayView3<'_, u8>,
    input: &mut Vec<f32>,
    out: &mut [f32],
) -> Result<(), PredictError> {
    let (n_images, height, width) = canvases.dim();
    // No copy of canvases that lie in memory one after the other.
    let canvases = canvases.as_standard_layout();
    let pixels = canvases.as_slice().expect("standard layout is contiguous");
    if pixels.is_empty() {
        return Ok(engine.predict(column, &[], out)?);
    }
    let classes = out.len() / n_images;
    let chunks = pixels.chunks(CHUNK * height * width).zip(out.chunks_mut(CHUNK * classes));
    for (pixels, out) in chunks {
        input.resize(pixels.len(), 0.0);
        preprocess::scale_to_input(pixels, input)?;
        engine.predict(column, input, out)?;
    }
    Ok(())
}
