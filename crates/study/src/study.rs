//! A study: what is trained, on what, and how; checked.

use std::path::Path;

use ciresan_net::{Activation, EngineSpec, Initialization, Network, Optimizer, Precision};
use preprocess::{Views, Width};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::data_set::N_CLASSES;
use crate::difference::{Difference, differences};
use crate::error::READ_CONFIG;
use crate::{
    AnnealedDistortion, ColumnId, ConfigError, DataSet, EarlyStopping, LearningRate, RunLength, StudyError,
};
use crate::{distortion, json, optimizer, views, widths};

/// The config format that this crate reads: the value of the key `schema`.
pub const CONFIG_SCHEMA: u32 = 1;

/// Longest config that is read, in bytes; a real one takes two kilobytes.
const MAX_CONFIG_BYTES: u64 = 1 << 20;

/// A study: everything that decides the bits of its columns, and its name.
///
/// Made by [`Study::read`] or [`Study::from_json`], which check every value, so a `Study` in hand can be run.
/// Serde stores it as a config with every key written out, and reads it through the same checks.
///
/// # A key added later
///
/// [`Study::hash`] is of the JSON that this struct and those in it serialize to. So that results of today keep their
/// hash, a new key is an `Option` with `#[serde(default, skip_serializing_if = "Option::is_none")]` here or in the
/// type of its part. Where configs are read (`config.rs`, or `Keys` in the file of the part) it is optional, too, with
/// `#[serde(default, deserialize_with = "present")]`, and the check turns the value that means "as before the key
/// existed" into `None`. Left out or as before, the key is then neither written nor hashed. Keys of today are never
/// renamed, reordered or written otherwise; tests pin hashes.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(
    deny_unknown_fields,
    description = "A study: which columns to train, on what, and how. Every key that changes a result is required, \
                   except skip_below (0 if omitted) and early_stopping (off if omitted)."
)]
#[non_exhaustive]
pub struct Study {
    /// Version of this format: 1.
    #[schemars(with = "Value", extend("const" = CONFIG_SCHEMA))]
    pub(crate) schema: u32,
    /// Name of the study and of its results folder: letters, digits, dots, underscores and hyphens.
    // Never empty, except in what is hashed.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schemars(required, length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9_][A-Za-z0-9._-]*$"))]
    pub name: String,
    /// Remarks for readers; they change no result.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("default" = []))]
    pub notes: Vec<String>,
    /// The digits: "mnist", "fashion-mnist", or "sample", the 500 embedded ones.
    pub data: DataSet,
    /// Seed of every random number of the study.
    #[schemars(range(min = 0))]
    pub seed: u64,
    /// The network of every column in the paper's notation, with input 1x29x29 and 10 classes.
    #[schemars(with = "String", regex(pattern = r"^1x29x29(-[0-9]+C[0-9]+|-MP[0-9]+)*(-[0-9]+N)*-10N$"))]
    pub network: Network,
    /// The activation after convolutions and hidden layers.
    #[schemars(with = "Value", extend("enum" = [Activation::ScaledTanh, Activation::Relu]))]
    pub activation: Activation,
    /// How first weights are drawn: "paper", uniform within ±0.05, or "fan-in", normal by the number of a
    /// neuron's inputs.
    #[schemars(with = "Value", extend("enum" = [Initialization::Paper, Initialization::FanIn]))]
    pub initialization: Initialization,
    /// The widths digits are normalized to: "original", or pixels; each once.
    #[schemars(with = "Vec<Value>", extend("items" = widths::schema(), "minItems" = 1, "uniqueItems" = true))]
    pub widths: Vec<Width>,
    /// Columns of each width.
    #[schemars(range(min = 1, max = Study::MAX_COLUMNS_PER_WIDTH))]
    pub columns_per_width: u16,
    /// Epochs that each column trains; with `early_stopping`, the most it trains.
    #[schemars(range(min = 1, max = Study::MAX_EPOCHS))]
    pub epochs: u32,
    /// Images per training step; at most the number of training digits that are not held out.
    #[schemars(range(min = 1, max = 60_000))]
    pub batch: u32,
    /// Training digits held out for validation, the last ones in file order; 0 for none.
    #[schemars(range(min = 0, max = 59_999))]
    pub validation: u32,
    /// Ends the training of a column when its error on the held-out digits no longer improves, and keeps the weights of its best
    /// epoch. If omitted, a column trains all epochs and keeps its last weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "EarlyStopping")]
    pub early_stopping: Option<EarlyStopping>,
    /// The schedule of the learning rate.
    pub learning_rate: LearningRate,
    /// How a step moves the parameters by the gradient.
    #[schemars(with = "optimizer::OptimizerSchema")]
    pub optimizer: Optimizer,
    /// The coarsest rounding that an engine may use for the operands of convolutions and matrix products: "fp32", "tf32" or
    /// "bf16". Parameters, sums and loss are always fp32. An engine may round less: the CPU engine always uses fp32.
    #[schemars(with = "Value", extend("enum" = Precision::ALL))]
    pub precision: Precision,
    /// Skips images that the column already knows: an image whose probability of its label is above 1 - skip_below adds
    /// nothing to the gradient, and an engine may leave out its backward pass. The loss is still that of all images. If 0
    /// or omitted, no image is skipped.
    // 0 is `None`: neither written nor hashed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f32", range(min = 0, max = 0.5), extend("default" = 0))]
    pub skip_below: Option<f32>,
    /// The random distortion of training digits, drawn anew for every image in every epoch; null for none.
    #[schemars(required, schema_with = "distortion::schema")]
    pub distortion: Option<AnnealedDistortion>,
    /// Views of each digit that finished columns classify in addition; none if omitted. They do not change the training,
    /// so they can be added to the config of a finished study.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "views::Keys")]
    pub views: Option<Views>,
}

impl Study {
    /// Most columns of one width.
    pub const MAX_COLUMNS_PER_WIDTH: u16 = 999;
    /// Most epochs.
    pub const MAX_EPOCHS: u32 = 100_000;
    /// Most characters of a name.
    pub const MAX_NAME_CHARS: usize = 64;
    /// Classes that the network must tell apart: the ten digits.
    pub const N_CLASSES: usize = N_CLASSES;

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
        json::parse(text)
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
            skip_below: self.skip_below.unwrap_or(0.0),
        }
    }

    /// SHA-256, hexadecimal, of all that decides the study's results: the compact JSON of the checked config
    /// without `$schema`, `name`, `notes` and `views`.
    ///
    /// The text hashed has fixed keys in a fixed order, the network as its notation and numbers in their
    /// shortest form, so spaces, key order or `8` for `8.0` change nothing. The order of `widths` counts,
    /// because it is the order of training and of report tables.
    #[must_use]
    pub fn hash(&self) -> String {
        let text = serde_json::to_vec(&self.nameless()).expect("plain keys and finite numbers");
        Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The keys in which this study and `theirs` differ, in the config's order; those that [`hash`](Self::hash)
    /// leaves out aside.
    #[must_use]
    pub fn differences(&self, theirs: &Self) -> Vec<Difference> {
        // By way of text: a `Value` made directly would hold 0.3 of single precision as 0.30000001192092896.
        let [ours, theirs] = [self, theirs].map(|study| {
            let text = study.nameless().to_json();
            serde_json::from_str(&text).expect("JSON as written a line above")
        });
        differences(&ours, &theirs)
    }

    /// What decides the weights: the other keys are then not written.
    fn nameless(&self) -> Self {
        Self { name: String::new(), notes: Vec::new(), views: None, ..self.clone() }
    }
}
