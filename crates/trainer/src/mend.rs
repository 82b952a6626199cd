//! Predictions that were lost or damaged, made again from a column's weights.

use ciresan_net::{EngineSpec, Parameters};
use ndarray::{Array2, ArrayView3};
use preprocess::Views;
use rayon::prelude::*;
use study::{ColumnId, FinishedColumn, Manifest, Predictions};

use crate::column_error::ColumnError;
use crate::make_engine::MakeEngine;
use crate::setup::Setup;

/// What came of a finished column: whether its predictions had to be made again, or why that is not possible.
pub type Mended = Result<bool, ColumnError>;

/// Looks at the files of the finished columns in `setup.columns`, and makes predictions that are damaged or missing again
/// from the weights. Nothing is trained.
///
/// On the engine and the instruction set that the column was trained on the new predictions are the lost ones, bit for bit;
/// where they are not, the record says what made them.
pub fn mend<M: MakeEngine>(setup: &Setup<'_>, manifest: &Manifest, make: &M) -> Vec<(ColumnId, Mended)> {
    setup.columns.par_iter().map(|&id| (id, mend_column(setup, manifest, make, id))).collect()
}

fn mend_column<M: MakeEngine>(setup: &Setup<'_>, manifest: &Manifest, make: &M, id: ColumnId) -> Mended {
    let column = setup.folder.finished_column(manifest, id)?;
    let lost = column.lost_predictions(setup.digits.test.is_some(), setup.study.views)?;
    let files = setup.folder.column(&id);
    for which in &lost {
        let path = files.root().join(which.file_name());
        let Some(images) = setup.digits.images(*which, setup.study) else {
            return Err(ColumnError::Unread { path });
        };
        let views = setup.study.views.or(column.record().views).filter(|_| *which == Predictions::Views);
        let probabilities = predict(setup, make, &column, images, views)?;
        (setup.may_write)(id)?;
        study::write_probabilities(&path, probabilities.view())?;
    }
    if !lost.is_empty() {
        let mut record = column.record().clone();
        let files_before = std::mem::replace(&mut record.files, files.checksums()?);
        record.views = setup.study.views.or(record.views);
        let differs = |which: &Predictions| {
            let name = which.file_name();
            *which != Predictions::Views && files_before.get(name) != record.files.get(name)
        };
        if lost.iter().any(differs) && record.runs.last().map(|run| &run.by) != Some(setup.provenance) {
            record.predicted_by = Some(setup.provenance.clone());
        }
        (setup.may_write)(id)?;
        files.write_record(&record)?;
    }
    Ok(!lost.is_empty())
}

fn predict<M: MakeEngine>(
    setup: &Setup<'_>,
    make: &M,
    column: &FinishedColumn<'_>,
    images: ArrayView3<'_, u8>,
    views: Option<Views>,
) -> Result<Array2<f32>, ColumnError> {
    let make = |spec: &EngineSpec, columns: &[Parameters]| make.make(0, spec, columns);
    let (spec, weights) = (setup.study.engine_spec(), column.weights()?);
    let id = column.id();
    let views = classifier::view_maker(setup.study, id, views)?;
    Ok(classifier::predict_digits(&spec, weights, id.width, images, views.as_ref(), make)?)
}
