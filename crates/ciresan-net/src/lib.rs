#![doc = include_str!("../README.md")]
// With the feature `libtorch`, one call opts in, with its reason: libtorch/cuda_library.rs.
#![cfg_attr(not(feature = "libtorch"), forbid(unsafe_code))]

mod activation;
mod batch;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod engine;
mod form;
mod initialization;
pub mod installation;
#[cfg(feature = "libtorch")]
pub mod libtorch;
mod memory;
mod network;
mod notation;
mod optimizer;
mod parameters;
mod precision;
#[cfg(any(test, feature = "conformance"))]
pub mod reference;
mod weights;

pub use activation::{Activation, ActivationError};
pub use batch::{Batch, PlainBatch};
pub use engine::{Engine, EngineError, EngineSpec, Step};
pub use form::{PaperForm, Stage};
pub use initialization::Initialization;
pub use network::{Layer, Network, Shape};
pub use notation::{NotationError, NotationProblem};
pub use optimizer::{Optimizer, OptimizerError, OptimizerState};
pub use parameters::{ParameterSpec, Parameters};
pub use precision::{Precision, PrecisionError};
pub use weights::{Metadata, WeightsError};
