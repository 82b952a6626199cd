//! What runs on libtorch: which libtorch this program has loaded, and the GPUs it can use.
//!
//! Linking and starting a program with this feature is described in docs/LIBTORCH.md.

mod cuda_library;
mod gpus;
mod loaded;

pub use gpus::{GpuError, n_gpus};
pub use loaded::loaded_version;
