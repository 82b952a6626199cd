//! The views that a column of a study is asked about.

use preprocess::{CANVAS_PX, Distorter, ViewMaker, Views};
use study::{ColumnId, Study};

use crate::predict::PredictError;

/// Makes the views of a column: at `views.strength` of its study's distortion; `None` where none are asked for.
///
/// # Errors
/// [`PredictError::NoDistortion`] for a study that trains on digits as they are, [`PredictError::Preprocess`] for views out of
/// their range.
pub fn view_maker(
    study: &Study,
    column: ColumnId,
    views: Option<Views>,
) -> Result<Option<ViewMaker>, PredictError> {
    let Some(views) = views else { return Ok(None) };
    let trained_by = study.distortion.as_ref().ok_or(PredictError::NoDistortion)?;
    let distorter = Distorter::new(&trained_by.distortion, CANVAS_PX, CANVAS_PX)?;
    Ok(Some(ViewMaker::new(distorter, views, study.seed, column.coordinate())?))
}
