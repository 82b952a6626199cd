//! What ends the training of a whole group.

use ciresan_net::EngineError;
use preprocess::PreprocessError;

/// What ends the training of all columns of a group.
pub(crate) enum GroupError {
    Engine(EngineError),
    Preprocess(PreprocessError),
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
