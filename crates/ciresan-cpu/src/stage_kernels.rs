//! A column's weights of one stage, laid out for the kernels.

use crate::backward::ScatterKernel;
use crate::forward::ForwardKernel;

/// A stage's weights as its kernels read them.
pub(crate) struct StageKernels {
    pub(crate) forward: ForwardKernel,
    /// None for the first stage, whose input needs no gradient.
    pub(crate) scatter: Option<ScatterKernel>,
}
