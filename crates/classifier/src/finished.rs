//! Finished columns applied to digits once, by any engine.

use ciresan_net::{Engine, EngineError, EngineSpec, Optimizer, Parameters, Precision};
use ndarray::{Array2, Array3, ArrayView3, Axis};
use preprocess::Views;
use rayon::prelude::*;
use study::{ColumnId, Manifest, ResultsFolder, Study, StudyError};
use thiserror::Error;

use crate::predict::{PredictError, predict_digits};
use crate::views::view_maker;

/// Images that an engine takes at once, at most. The probabilities do not depend on it.
const MAX_BATCH: usize = 128;

/// Why finished columns could not be applied.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FinishedError {
    /// The weights cannot be read, or are another column's.
    #[error(transparent)]
    Weights(#[from] Box<StudyError>),
    /// The column cannot be applied to the digits.
    #[error("column {column}: {problem}")]
    Predict {
        /// The column.
        column: ColumnId,
        /// What is wrong.
        problem: PredictError,
    },
}

/// The engines that apply finished columns of a study.
pub(crate) fn prediction_spec(study: &Study, max_batch: usize) -> EngineSpec {
    EngineSpec {
        // No step is made; without a momentum the engine keeps no memory for one.
        optimizer: Optimizer::Sgd { momentum: 0.0, nesterov: false },
        // Weights are stored in full, and every engine can compute with them so, whatever trained them.
        precision: Precision::Fp32,
        max_batch,
        ..study.engine_spec()
    }
}

/// What finished columns make of some digits, each at the column's width: of the digits as they are, or of views of them, whose
/// mean counts.
///
/// Columns are worked on in parallel on rayon; the result does not depend on it. Of the study's own test digits this gives what
/// `probabilities.npy` holds, or with its views `views.npy`, to the bit, on the same engine and instruction set. `make` makes an engine for one column:
/// `CpuEngine::new`, say. To answer more than once, [`Classifier`](crate::Classifier) keeps the columns ready.
///
/// # Shapes
/// `digits`: `[images, height, width]`, no larger than the network's input. Returns `[columns, images, classes]`.
/// # Units
/// `digits`: 0 background to 255 ink. Probabilities 0..=1, each row's sum 1.
/// # Errors
/// [`FinishedError::Weights`] for a file that is missing, damaged or of another network, column or config;
/// [`FinishedError::Predict`] for digits that do not fit and whatever the engine refuses.
pub fn predict_finished<E: Engine>(
    folder: &ResultsFolder,
    manifest: &Manifest,
    columns: &[ColumnId],
    digits: ArrayView3<'_, u8>,
    views: Option<Views>,
    make: impl Fn(&EngineSpec, &[Parameters]) -> Result<E, EngineError> + Sync,
) -> Result<Array3<f32>, FinishedError> {
    let spec = prediction_spec(&manifest.config, MAX_BATCH);
    let of_column = |id: &ColumnId| {
        let column = folder.finished_column(manifest, *id).map_err(Box::new)?;
        let weights = column.weights().map_err(Box::new)?;
        view_maker(&manifest.config, *id, views)
            .and_then(|views| predict_digits(&spec, weights, id.width, digits, views.as_ref(), &make))
            .map_err(|problem| FinishedError::Predict { column: *id, problem })
    };
    let all: Vec<Array2<f32>> = columns.par_iter().map(of_column).collect::<Result<_, FinishedError>>()?;
    let mut probabilities = Array3::zeros((columns.len(), digits.len_of(Axis(0)), spec.network.classes()));
    for (mut out, of_column) in probabilities.outer_iter_mut().zip(&all) {
        out.assign(of_column);
    }
    Ok(probabilities)
}
