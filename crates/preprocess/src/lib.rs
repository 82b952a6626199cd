// The picture as a part of the page, because rustdoc copies no files; of two definitions of a link the first counts.
#![doc = include_str!("../doc/sheet.md")]
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod affine;
mod area;
mod batches;
mod distorter;
mod distortion;
mod draw;
mod error;
mod ink;
mod input;
mod instruction_set;
mod limits;
mod lines;
mod mnist_form;
mod normal;
mod normalize;
mod parts;
mod pieces;
pub mod reference;
mod resample;
mod smoothing;
#[doc(hidden)]
pub mod steps;
mod to_mnist;
mod views;
mod warp;
mod width;

pub use batches::Batches;
pub use distorter::Distorter;
pub use distortion::{Distortion, Smoothing, strength};
pub use draw::{Draw, Epoch};
pub use error::PreprocessError;
pub use ink::Polarity;
pub use input::scale_to_input;
pub use instruction_set::InstructionSet;
pub use limits::{MAX_SIDE_PX, MIN_CONTRAST};
pub use mnist_form::are_in_mnists_form;
pub use normalize::{INK_MIN, MAX_STRETCH, normalize, normalize_all};
pub use parts::Doubt;
pub use to_mnist::{MNIST_BOX_PX, MNIST_PX, MnistDigit, to_mnist};
pub use views::{ViewMaker, Views};
pub use width::{Width, WidthPx};

/// Side of the paper's input, in pixels: MNIST's 28 × 28 images stand on a canvas of 29 × 29.
pub const CANVAS_PX: usize = 29;
