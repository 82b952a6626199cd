//! A column applied to digits, or to views of them: the one implementation, for every engine.

use ciresan_net::{Engine, EngineError, EngineSpec, Parameters};
use ndarray::{Array2, ArrayView3, Axis};
use preprocess::{PreprocessError, ViewMaker, Width};
use thiserror::Error;

/// Images handed to the engine at once: their f32 input takes 3.4 MB at 29×29, and no more is held whatever their number.
const CHUNK: usize = 1_024;

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
    /// There are views only where there is a distortion to make them by.
    #[error("the study trains without distortion, so there is no way to make views of a digit")]
    NoDistortion,
}

/// Memory to be used again.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    input: Vec<f32>,
    /// What is said of each view.
    of_views: Vec<f32>,
}

/// The probabilities of these weights for `digits`, normalized to `width`, or the mean of those for views of them. `make` makes
/// the engine.
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
    views: Option<&ViewMaker>,
    make: impl FnOnce(&EngineSpec, &[Parameters]) -> Result<E, EngineError>,
) -> Result<Array2<f32>, PredictError> {
    let input = spec.network.input();
    let canvases = preprocess::normalize_all(digits, width, [input.height, input.width])?;
    probabilities(&mut make(spec, &[weights])?, 0, canvases.view(), views, spec.network.classes())
}

/// The probabilities of column `column` of `engine` for digits that are normalized to its width already, or the mean of those
/// for views of them.
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
    views: Option<&ViewMaker>,
    classes: usize,
) -> Result<Array2<f32>, PredictError> {
    let mut probabilities = Array2::zeros((canvases.len_of(Axis(0)), classes));
    let out = probabilities.as_slice_mut().expect("a new array is contiguous");
    fill(engine, column, canvases, views, &mut Memory::default(), out)?;
    Ok(probabilities)
}

/// [`probabilities`] into `out`.
pub(crate) fn fill<E: Engine>(
    engine: &mut E,
    column: usize,
    canvases: ArrayView3<'_, u8>,
    views: Option<&ViewMaker>,
    memory: &mut Memory,
    out: &mut [f32],
) -> Result<(), PredictError> {
    let (n_images, height, width) = canvases.dim();
    if canvases.is_empty() {
        return Ok(engine.predict(column, &[], out)?);
    }
    let classes = out.len() / n_images;
    let n_views = views.map_or(1, ViewMaker::count);
    let chunk = (CHUNK / n_views).max(1);
    let chunks = canvases.axis_chunks_iter(Axis(0), chunk).zip(out.chunks_mut(chunk * classes));
    for (canvases, out) in chunks {
        memory.input.resize(canvases.len_of(Axis(0)) * n_views * height * width, 0.0);
        let Some(views) = views else {
            // No copy of canvases that lie in memory one after the other.
            let canvases = canvases.as_standard_layout();
            let pixels = canvases.as_slice().expect("standard layout is contiguous");
            preprocess::scale_to_input(pixels, &mut memory.input)?;
            engine.predict(column, &memory.input, out)?;
            continue;
        };
        views.fill(canvases, &mut memory.input)?;
        memory.of_views.resize(out.len() * n_views, 0.0);
        engine.predict(column, &memory.input, &mut memory.of_views)?;
        let of_digits = memory.of_views.chunks_exact(n_views * classes);
        for (mean, of_views) in out.chunks_exact_mut(classes).zip(of_digits) {
            average(of_views, mean);
        }
    }
    Ok(())
}

/// The mean of several rows.
fn average(rows: &[f32], mean: &mut [f32]) {
    let classes = mean.len();
    let n_rows = (rows.len() / classes) as f64;
    for (class, mean) in mean.iter_mut().enumerate() {
        let of_class = rows[class..].iter().step_by(classes);
        *mean = (of_class.copied().map(f64::from).sum::<f64>() / n_rows) as f32;
    }
}
