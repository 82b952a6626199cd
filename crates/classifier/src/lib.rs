#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod answer;
mod clarity;
mod classifier;
mod column;
mod error;
mod finished;
mod image;
mod predict;
mod views;

pub use answer::{Answer, Answers};
pub use clarity::{CLEAR, Unclear};
pub use classifier::Classifier;
pub use error::{ClassifyError, OpenError};
pub use finished::{FinishedError, predict_finished};
pub use image::{Image, ImageError};
pub use predict::{PredictError, predict_digits, probabilities};
pub use views::view_maker;
