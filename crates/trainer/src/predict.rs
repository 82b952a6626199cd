//! Softmax probabilities of digits as they are: no distortion.

use ciresan_net::{Engine, EngineError};
use ndarray::Array2;
use preprocess::PreprocessError;
use thiserror::Error;

use crate::canvas::Canvases;

/// Images handed to the engine at once: their f32 input takes 3.4 MB at 29×29, and no more is held whatever their number.
const CHUNK: usize = 1_000;

/// Why digits could not be predicted.
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

/// The probabilities of one column for all `digits`.
///
/// # Shapes
/// Returns `[n, classes]`, each row a softmax.
pub(crate) fn probabilities<E: Engine>(
    engine: &mut E,
    column: usize,
    digits: &Canvases,
    classes: usize,
) -> Result<Array2<f32>, PredictError> {
    let mut probabilities = Array2::zeros((digits.len(), classes));
    let mut input = Vec::new();
    for (chunk, mut rows) in probabilities.axis_chunks_iter_mut(ndarray::Axis(0), CHUNK).enumerate() {
        let start = chunk * CHUNK;
        let pixels = digits.pixels(start..start + rows.nrows());
        input.resize(pixels.len(), 0.0);
        preprocess::scale_to_input(pixels, &mut input)?;
        let out = rows.as_slice_mut().expect("whole rows of a row-major array are contiguous");
        engine.predict(column, &input, out)?;
    }
    Ok(probabilities)
}
