#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod activation;
#[cfg(feature = "conformance")]
pub mod conformance;
mod engine;
mod form;
mod initialization;
mod network;
mod notation;
mod parameters;
#[cfg(feature = "conformance")]
pub mod reference;
mod weights;

pub use activation::{Activation, ActivationError};
pub use engine::{Engine, EngineError, EngineSpec, Optimizer, Step};
pub use form::{PaperForm, Stage};
pub use initialization::Initialization;
pub use network::{Layer, Network, Shape};
pub use notation::{NotationError, NotationProblem};
pub use parameters::{ParameterSpec, Parameters};
pub use weights::{Metadata, WeightsError};
