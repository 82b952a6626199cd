//! What drawing a figure gives, or why it failed.

use preprocess::PreprocessError;
use study::StudyError;

use crate::drawing::chart::ChartError;
use crate::drawing::figure::Figure;

/// What a figure's module gives: nothing where the study has nothing to show there.
pub(super) type Drawn = Result<Option<Figure>, DrawError>;

/// Why a figure could not be drawn.
#[derive(Debug, thiserror::Error)]
pub(super) enum DrawError {
    /// The plotting library failed.
    #[error(transparent)]
    Chart(#[from] ChartError),
    /// Digits that cannot be a network's input.
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    /// A column's file.
    #[error(transparent)]
    Study(#[from] StudyError),
}
