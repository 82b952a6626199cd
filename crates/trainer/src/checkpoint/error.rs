//! Why a checkpoint cannot be read or used.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why training cannot resume from a checkpoint.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file could not be read.
    #[error("{path}: cannot read the checkpoint: {reason}")]
    Io {
        /// The checkpoint.
        path: PathBuf,
        /// The operating system's reason.
        reason: io::Error,
    },
    /// The file is there, but training cannot resume from it.
    #[error("{path}: {flaw}")]
    Unusable {
        /// The checkpoint.
        path: PathBuf,
        /// What is wrong with it.
        flaw: Flaw,
    },
}

impl CheckpointError {
    /// Whether the file is damaged, and not whole but of something else.
    pub(crate) fn is_damage(&self) -> bool {
        let of_something_else =
            |flaw: &Flaw| matches!(flaw, Flaw::Version { .. } | Flaw::Column { .. } | Flaw::Config { .. });
        matches!(self, Self::Unusable { flaw, .. } if !of_something_else(flaw))
    }
}

/// What is wrong with a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Flaw {
    /// Larger than any checkpoint of this network.
    #[error("{got} bytes, expected at most {max}")]
    Length {
        /// Bytes of the file.
        got: u64,
        /// Most that a checkpoint of this network takes.
        max: u64,
    },
    /// Not a checkpoint at all, or cut off.
    #[error("not a checkpoint ({0})")]
    Format(String),
    /// Of another version of the format.
    #[error("checkpoint format {got}, but this version reads formats up to {want}")]
    Version {
        /// The file's format.
        got: u32,
        /// The format that this program writes.
        want: u32,
    },
    /// Of another column.
    #[error("checkpoint of column {got}, expected {want}")]
    Column {
        /// The file's column.
        got: String,
        /// The column to train.
        want: String,
    },
    /// Of another config.
    #[error("checkpoint of config {got}, expected {want}")]
    Config {
        /// The file's config hash.
        got: String,
        /// The hash of the study's config.
        want: String,
    },
    /// Too many tensors.
    #[error("{got} tensors, expected {want}")]
    Tensors {
        /// Tensors in the file.
        got: usize,
        /// Two for each parameter tensor of the network.
        want: usize,
    },
    /// A tensor is missing.
    #[error("no tensor \"{name}\"")]
    Tensor {
        /// The missing tensor.
        name: String,
    },
    /// A tensor of another type or shape.
    #[error("tensor \"{name}\" has shape {got:?}, expected {want:?} of f32")]
    Shape {
        /// The tensor.
        name: String,
        /// Its shape in the file.
        got: Vec<usize>,
        /// Its shape in the network.
        want: Vec<usize>,
    },
    /// The bits are not those that were written.
    #[error("damaged: its checksum does not match its content")]
    Checksum,
    /// A sum that no epoch can have.
    #[error("sum with the bits \"{0}\", expected a finite number")]
    Sum(String),
    /// A place outside the run.
    #[error(
        "checkpoint after epoch {epoch} and step {step}, expected at most {epochs} epochs of \
         {steps_per_epoch} steps"
    )]
    Position {
        /// Complete epochs.
        epoch: u32,
        /// Complete steps of the next.
        step: u32,
        /// Epochs of the study.
        epochs: u32,
        /// Steps of each of its epochs.
        steps_per_epoch: u32,
    },
}
