//! A study: what is trained, on what, and how; checked.

use std::fmt;
use std::path::Path;

use ciresan_net::{Activation, EngineSpec, Initialization, Network, Optimizer, Precision};
use preprocess::{Distortion, Smoothing, Width};
use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::error::READ_CONFIG;
use crate::json;
use crate::raw::RawStudy;
use crate::{ColumnId, ConfigError, LearningRate, RunLength, StudyError};

/// The config format that this crate reads: the value of the key `schema`.
pub const CONFIG_SCHEMA: u32 = 1;

/// Longest config that is read, in bytes; a real one takes two kilobytes.
const MAX_CONFIG_BYTES: u64 = 1 << 20;

/// A study: everything that decides the bits of its columns, and its name.
///
/// Made by [`Study::read`] or [`Study::from_json`], which check every value, so a `Study` in hand can be run.
/// Serde stores it as a config with every key written out, and reads it through the same checks.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "RawStudy")]
#[non_exhaustive]
pub struct Study {
    /// Name of the study and of its results folder: letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// Remarks for readers of the config; empty when it has none.
    pub notes: Vec<String>,
    /// The digits.
    pub data: DataSet,
    /// Every random number of the study comes from this and the coordinates of its use.
    pub seed: u64,
    /// The network of every column: input 1x29x29, 10 classes.
    pub network: Network,
    /// The activation of its convolutions and hidden layers.
    pub activation: Activation,
    /// How first weights are drawn.
    pub initialization: Initialization,
    /// The widths digits are normalized to, as ordered in the config; at least one, each once.
    pub widths: Vec<Width>,
    /// Columns of each width: 1 to [`Study::MAX_COLUMNS_PER_WIDTH`].
    pub columns_per_width: u16,
    /// Epochs of a column: 1 to [`Study::MAX_EPOCHS`].
    pub epochs: u32,
    /// Images of a step: 1 to [`n_training_digits`](Self::n_training_digits).
    pub batch: u32,
    /// Training digits held out for validation, the last in file order; 0 for none, fewer than there are.
    pub validation: u32,
    /// The learning rate's schedule.
    pub learning_rate: LearningRate,
    /// How a step moves the parameters. A momentum of 0 is never Nesterov's.
    pub optimizer: Optimizer,
    /// The coarsest rounding of operands that an engine may use.
    pub precision: Precision,
    /// The distortion of training digits; `None` trains on digits as they are.
    pub distortion: Option<AnnealedDistortion>,
}

impl Study {
    /// Most columns of one width.
    pub const MAX_COLUMNS_PER_WIDTH: u16 = 999;
    /// Most epochs.
    pub const MAX_EPOCHS: u32 = 100_000;
    /// Largest learning rate.
    pub const MAX_LEARNING_RATE: f64 = 100.0;
    /// Most characters of a name.
    pub const MAX_NAME_CHARS: usize = 64;
    /// Classes that the network must tell apart: the ten digits.
    pub const N_CLASSES: usize = 10;

    /// Reads the config at `path`.
    ///
    /// # Errors
    /// [`StudyError::Config`] with the place and the reason when a value or key is wrong, [`StudyError::Io`]
    /// when the file cannot be read.
    pub fn read(path: &Path) -> Result<Self, StudyError> {
        let text = json::read_text(path, READ_CONFIG, MAX_CONFIG_BYTES)?;
        Self::from_json(&text)
            .map_err(|error| StudyError::Config { path: path.to_path_buf(), error: error.into() })
    }

    /// Reads a config from its text.
    ///
    /// # Errors
    /// [`ConfigError`] with the place and the reason.
    pub fn from_json(text: &str) -> Result<Self, ConfigError> {
        let raw: RawStudy = json::parse(text)?;
        raw.check().map_err(|refusal| refusal.placed_in(text))
    }

    /// The config as JSON with every key written out, indented, ending in a line break. [`Study::from_json`]
    /// reads it back equal.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("plain keys and finite numbers");
        text.push('\n');
        text
    }

    /// The study's columns in training order: the first of every width, then the second of every width, and
    /// so on, so that a study cut short has a committee over all widths.
    #[must_use]
    pub fn columns(&self) -> Vec<ColumnId> {
        let of_number = |number| self.widths.iter().map(move |&width| ColumnId { width, number });
        (1..=self.columns_per_width).flat_map(of_number).collect()
    }

    /// Training digits that are not held out.
    #[must_use]
    pub fn n_training_digits(&self) -> u32 {
        self.data.n_train() - self.validation
    }

    /// How long each column trains.
    #[must_use]
    pub fn run_length(&self) -> RunLength {
        RunLength::new(self.epochs, self.n_training_digits(), self.batch)
    }

    /// What the engines of its columns are made by.
    #[must_use]
    pub fn engine_spec(&self) -> EngineSpec {
        EngineSpec {
            network: self.network.clone(),
            activation: self.activation,
            optimizer: self.optimizer,
            precision: self.precision,
            max_batch: self.batch as usize,
        }
    }

    /// SHA-256, hexadecimal, of all that decides the study's results: the compact JSON of the checked config
    /// without `$schema`, `name` and `notes`.
    ///
    /// The text hashed has fixed keys in a fixed order, the network as its notation and numbers in their
    /// shortest form, so spaces, key order or `8` for `8.0` change nothing. The order of `widths` counts,
    /// because it is the order of training and of report tables.
    #[must_use]
    pub fn hash(&self) -> String {
        let resolved = Resolved { name: None, notes: None, ..Resolved::new(self) };
        let text = serde_json::to_vec(&resolved).expect("plain keys and finite numbers");
        Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Which digits a study trains and tests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum DataSet {
    /// MNIST: 60,000 training and 10,000 test digits.
    Mnist,
    /// Fashion-MNIST: 60,000 and 10,000 images of clothes in the same format.
    FashionMnist,
    /// The embedded sample of MNIST: 400 and 100 digits. Quick and offline, for trying things.
    Sample,
}

impl DataSet {
    /// Training images.
    #[must_use]
    pub const fn n_train(self) -> u32 {
        match self {
            Self::Mnist | Self::FashionMnist => 60_000,
            Self::Sample => 400,
        }
    }

    /// Test images.
    #[must_use]
    pub const fn n_test(self) -> u32 {
        match self {
            Self::Mnist | Self::FashionMnist => 10_000,
            Self::Sample => 100,
        }
    }
}

impl fmt::Display for DataSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Mnist => "mnist",
            Self::FashionMnist => "fashion-mnist",
            Self::Sample => "sample",
        })
    }
}

/// A distortion, and how it fades out over a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AnnealedDistortion {
    /// The distortion at full strength.
    pub distortion: Distortion,
    /// Share of the run, at its end, over which the strength falls linearly to 0: 0 (never) to 1; what
    /// [`preprocess::strength`] takes.
    pub anneal: f32,
}

impl Serialize for Study {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Resolved::new(self).serialize(serializer)
    }
}

/// A config with every key written out, in the order of the documentation; `None` leaves a key out.
#[derive(Serialize)]
struct Resolved<'a> {
    schema: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<&'a [String]>,
    data: DataSet,
    seed: u64,
    network: &'a Network,
    activation: Activation,
    initialization: Initialization,
    widths: &'a [Width],
    columns_per_width: u16,
    epochs: u32,
    batch: u32,
    validation: u32,
    learning_rate: LearningRate,
    optimizer: Optimizer,
    precision: Precision,
    distortion: Option<ResolvedDistortion>,
}

/// [`AnnealedDistortion`] as one object.
#[derive(Serialize)]
struct ResolvedDistortion {
    sigma: f32,
    alpha: f32,
    smoothing: Smoothing,
    translation_px: f32,
    rotation_deg: f32,
    scaling: f32,
    shear: f32,
    anneal: f32,
}

impl<'a> Resolved<'a> {
    fn new(study: &'a Study) -> Self {
        let Study { name, notes, network, widths, .. } = study;
        Self {
            schema: CONFIG_SCHEMA,
            name: Some(name),
            notes: (!notes.is_empty()).then_some(notes),
            data: study.data,
            seed: study.seed,
            network,
            activation: study.activation,
            initialization: study.initialization,
            widths,
            columns_per_width: study.columns_per_width,
            epochs: study.epochs,
            batch: study.batch,
            validation: study.validation,
            learning_rate: study.learning_rate,
            optimizer: study.optimizer,
            precision: study.precision,
            distortion: study.distortion.as_ref().map(ResolvedDistortion::new),
        }
    }
}

impl ResolvedDistortion {
    fn new(annealed: &AnnealedDistortion) -> Self {
        let Distortion { sigma, alpha, smoothing, translation_px, rotation_deg, scaling, shear } =
            annealed.distortion;
        let anneal = annealed.anneal;
        Self { sigma, alpha, smoothing, translation_px, rotation_deg, scaling, shear, anneal }
    }
}
