//! What ends the training of a whole group.

use ciresan_net::EngineError;
use preprocess::PreprocessError;

use crate::column_error::ColumnError;

/// What ends the training of all columns of a group.
pub(crate) enum GroupError {
    Engine(EngineError),
    Preprocess(PreprocessError),
}

impl GroupError {
    /// The same, as what one of the columns failed by.
    pub(crate) fn column_error(&self) -> ColumnError {
        match self {
            Self::Engine(error) => error.clone().into(),
            Self::Preprocess(error) => error.clone().into(),
        }
    }
}

impl From<EngineError> for GroupError {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl From<PreprocessError> for GroupError {
    fn from(error: PreprocessError) -> Self {
        Self::Preprocess(error)
    }
}
