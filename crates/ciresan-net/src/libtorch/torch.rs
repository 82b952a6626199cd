//! What an operation of libtorch gives back.

use tch::TchError;

/// A result, or what libtorch says of its failure.
pub(super) type Torch<T> = Result<T, TchError>;
