//! `checkpoint.safetensors`: where an unfinished column stands, exactly.
//!
//! Tensors `parameters/<name>` and, of the optimizer's state, `velocity/<name>` or `first_moment/<name>` and
//! `second_moment/<name>`, and with early stopping `best/<name>`, f32, in the order of the network's layers; one metadata key,
//! `ciresan-checkpoint`, with JSON: the position in the run, the steps that the optimizer counts, the sums of the epoch as bit
//! patterns, the best epoch, the runs up to here, and a SHA-256 over all of it, because a flipped bit would train on as if nothing had happened. The checkpoint before is
//! kept as `checkpoint-before.safetensors`.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use ciresan_net::{EngineSpec, OptimizerState, ParameterSpec, Parameters};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use study::{ColumnFolder, ColumnId, RunLength, StudyError, TrainingRun};

pub use self::error::{CheckpointError, Flaw};
use crate::best_epoch::BestEpoch;

mod error;

/// The one key of the file's metadata.
const METADATA_KEY: &str = "ciresan-checkpoint";
/// The layout described in this module.
const FORMAT: u32 = 3;
/// The oldest layout that is read: it knows nothing of runs and of the metrics' checksum.
const OLDEST_FORMAT: u32 = 2;
/// Room for the header of names, shapes and metadata when the file's length is checked before it is read; a real one
/// takes about 2 KB.
const HEADER_ROOM_BYTES: u64 = 1 << 20;

/// How far a column has come.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Position {
    /// Complete epochs.
    pub(crate) epoch: u32,
    /// Complete steps of the epoch in progress; 0 at an epoch's end.
    pub(crate) step: u32,
    /// Sum over the images of those steps of their cross-entropy, in nats.
    pub(crate) loss_sum: f64,
    /// Sum over those steps of their update ratio.
    pub(crate) ratio_sum: f64,
    /// Images of those steps that were skipped.
    pub(crate) skipped: u32,
    /// Time spent on the column, over all runs.
    pub(crate) elapsed: Duration,
    /// Time spent on the steps of the epoch in progress.
    pub(crate) epoch_elapsed: Duration,
}

/// What a checkpoint knows of the column's past, which decides no bit.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Past {
    /// The runs that trained the column up to here; none in a file of format 2.
    pub(crate) runs: Vec<TrainingRun>,
    /// SHA-256 of the metrics of the complete epochs, hexadecimal; `None` in a file of format 2.
    pub(crate) metrics_sha256: Option<String>,
}

/// A column in mid-training: all that is needed to resume with the same bits.
#[derive(Debug, Clone)]
pub(crate) struct Checkpoint {
    /// How far it has come.
    pub(crate) position: Position,
    /// Its parameters.
    pub(crate) parameters: Parameters,
    /// The optimizer's state.
    pub(crate) optimizer: OptimizerState,
    /// Where it comes from.
    pub(crate) past: Past,
    /// With early stopping, after the first epoch.
    pub(crate) best: Option<BestEpoch>,
}

/// Where a column resumes.
#[derive(Debug)]
pub(crate) struct Place {
    /// `None` for a column that has not begun.
    pub(crate) checkpoint: Option<Checkpoint>,
    /// Why the last checkpoint is not the one.
    pub(crate) damaged: Option<CheckpointError>,
}

/// Whose checkpoint it is: both must match for training to go on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner<'a> {
    /// The column.
    pub(crate) column: ColumnId,
    /// The hash of the study's config, hexadecimal.
    pub(crate) config_hash: &'a str,
}

/// The metadata as stored; field order is part of the checksum.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    format: u32,
    state: State,
    /// Over the JSON of `state`, then the bytes of the parameters, then those of each moment, then those of the best parameters.
    sha256: String,
}

/// The part of [`Metadata`] that every format has.
#[derive(Debug, Deserialize)]
struct Format {
    format: u32,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    column: String,
    config_hash: String,
    epoch: u32,
    step: u32,
    optimizer_steps: u64,
    /// The bits of an f64, hexadecimal: decimal digits could lose the last one.
    loss_sum_bits: String,
    ratio_sum_bits: String,
    // Only where the config's `skip_below` is above 0: builds that do not know that key refuse the config itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    skipped: Option<NonZeroU32>,
    elapsed_ns: u64,
    epoch_elapsed_ns: u64,
    // Only where the config has `early_stopping`, as for `skipped`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    best: Option<Best>,
    // From format 3 on; left out, the checksum is that of format 2.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    runs: Vec<TrainingRun>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    metrics_sha256: Option<String>,
}

/// A [`BestEpoch`] without its parameters.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Best {
    epoch: u32,
    error_bits: String,
    patience: u32,
}

impl Checkpoint {
    /// Writes the column's checkpoint, whole or not at all, and keeps the one before.
    ///
    /// # Errors
    /// When the disk is full or the folder cannot be written.
    pub(crate) fn write(
        &self,
        files: &ColumnFolder,
        owner: Owner<'_>,
        spec: &EngineSpec,
    ) -> Result<(), Box<StudyError>> {
        let path = files.checkpoint();
        match fs::rename(&path, files.checkpoint_before()) {
            Err(reason) if reason.kind() != io::ErrorKind::NotFound => {
                Err(Box::new(StudyError::Io { path, action: "keep the checkpoint before", reason }))
            }
            _ => Ok(study::write_whole(&path, &self.to_bytes(owner, spec))?),
        }
    }

    /// Where the column resumes: its last checkpoint or, when that is damaged or was never completed, the one before.
    ///
    /// # Errors
    /// [`CheckpointError`] of the last checkpoint, when it is of something else or there is no good one before it.
    pub(crate) fn find(
        files: &ColumnFolder,
        owner: Owner<'_>,
        spec: &EngineSpec,
        run: RunLength,
    ) -> Result<Place, CheckpointError> {
        let before = || Self::read(&files.checkpoint_before(), owner, spec, run);
        match Self::read(&files.checkpoint(), owner, spec, run) {
            Ok(None) => Ok(Place { checkpoint: before()?, damaged: None }),
            Err(error) if error.is_damage() => match before() {
                Ok(Some(checkpoint)) => Ok(Place { checkpoint: Some(checkpoint), damaged: Some(error) }),
                _ => Err(error),
            },
            last => Ok(Place { checkpoint: last?, damaged: None }),
        }
    }

    /// Reads the checkpoint at `path`; `None` when there is no such file.
    ///
    /// # Errors
    /// [`CheckpointError::Unusable`] when the file is damaged or of another column, config, network or optimizer: it is never taken
    /// for a column that has not begun. [`CheckpointError::Io`] when it cannot be read.
    pub(crate) fn read(
        path: &Path,
        owner: Owner<'_>,
        spec: &EngineSpec,
        run: RunLength,
    ) -> Result<Option<Self>, CheckpointError> {
        let io = |reason| CheckpointError::Io { path: path.to_path_buf(), reason };
        let unusable = |flaw| CheckpointError::Unusable { path: path.to_path_buf(), flaw };
        let length = match fs::metadata(path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io(error)),
        };
        let n_vectors = 1 + spec.optimizer.moments().len() + 1; // the last one where an epoch is the best
        let want = (n_vectors * size_of::<f32>() * spec.network.n_params()) as u64;
        if length > want + HEADER_ROOM_BYTES {
            return Err(unusable(Flaw::Length { got: length, max: want + HEADER_ROOM_BYTES }));
        }
        let bytes = fs::read(path).map_err(io)?;
        Self::from_bytes(&bytes, owner, spec, run).map(Some).map_err(unusable)
    }

    fn to_bytes(&self, owner: Owner<'_>, spec: &EngineSpec) -> Vec<u8> {
        let state = State::new(owner, self);
        let best = self.best.as_ref().map(|best| &best.parameters);
        let vectors: Vec<_> =
            [&self.parameters].into_iter().chain(&self.optimizer.moments).chain(best).collect();
        let bytes: Vec<_> = vectors.iter().map(|vector| to_le_bytes(vector)).collect();
        let sha256 = checksum(&state, &bytes);
        let mut tensors = Vec::new();
        for (group, bytes) in groups(spec, self.best.is_some()).zip(&bytes) {
            for ParameterSpec { name, shape, range } in self.parameters.layout() {
                let range = range.start * size_of::<f32>()..range.end * size_of::<f32>();
                let view = TensorView::new(Dtype::F32, shape.clone(), &bytes[range])
                    .expect("a layout's ranges are as long as its shapes say");
                tensors.push((format!("{group}/{name}"), view));
            }
        }
        let metadata = to_json(&Metadata { format: FORMAT, state, sha256 });
        serialize(tensors, Some(HashMap::from([(METADATA_KEY.to_owned(), metadata)])))
            .expect("a few tensors with names of their own have a header of a few kilobytes")
    }

    fn from_bytes(bytes: &[u8], owner: Owner<'_>, spec: &EngineSpec, run: RunLength) -> Result<Self, Flaw> {
        let (_, header) =
            SafeTensors::read_metadata(bytes).map_err(|error| Flaw::Format(error.to_string()))?;
        let file = SafeTensors::deserialize(bytes).map_err(|error| Flaw::Format(error.to_string()))?;
        let json = header
            .metadata()
            .as_ref()
            .and_then(|all| all.get(METADATA_KEY))
            .ok_or_else(|| Flaw::Format(format!("no metadata key \"{METADATA_KEY}\"")))?;
        // Before the rest, which another format may have otherwise.
        let Format { format } =
            serde_json::from_str(json).map_err(|error| Flaw::Format(error.to_string()))?;
        if !(OLDEST_FORMAT..=FORMAT).contains(&format) {
            return Err(Flaw::Version { got: format, want: FORMAT });
        }
        let Metadata { state, sha256, .. } =
            serde_json::from_str(json).map_err(|error| Flaw::Format(error.to_string()))?;
        if (format > OLDEST_FORMAT) != state.metrics_sha256.is_some() {
            return Err(Flaw::Checksum); // the one number that the checksum does not cover was changed
        }
        state.check_owner(owner)?;
        let vectors = groups(spec, state.best.is_some()).map(|group| tensors_of(group, spec, &file));
        let mut vectors: Vec<Parameters> = vectors.collect::<Result<_, _>>()?;
        let n_tensors = vectors.len() * vectors[0].layout().len();
        if file.len() != n_tensors {
            return Err(Flaw::Tensors { got: file.len(), want: n_tensors });
        }
        if checksum(&state, &vectors.iter().map(to_le_bytes).collect::<Vec<_>>()) != sha256 {
            return Err(Flaw::Checksum);
        }
        let position = state.position(run)?;
        let best = match &state.best {
            None => None,
            Some(Best { epoch, error_bits, patience }) => {
                let (error, patience) = (finite(error_bits)?, *patience);
                vectors.pop().map(|parameters| BestEpoch { epoch: *epoch, error, parameters, patience })
            }
        };
        let moments = vectors.split_off(1);
        let optimizer = OptimizerState { n_steps: state.optimizer_steps, moments };
        let past = Past { runs: state.runs, metrics_sha256: state.metrics_sha256 };
        Ok(Self { position, parameters: vectors.remove(0), optimizer, past, best })
    }
}

impl State {
    fn new(owner: Owner<'_>, checkpoint: &Checkpoint) -> Self {
        let Checkpoint { position, optimizer, past, best, .. } = checkpoint;
        // 2^64 ns are 584 years.
        let ns = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Self {
            column: owner.column.to_string(),
            config_hash: owner.config_hash.to_owned(),
            epoch: position.epoch,
            step: position.step,
            optimizer_steps: optimizer.n_steps,
            loss_sum_bits: bits(position.loss_sum),
            ratio_sum_bits: bits(position.ratio_sum),
            skipped: NonZeroU32::new(position.skipped),
            elapsed_ns: ns(position.elapsed),
            epoch_elapsed_ns: ns(position.epoch_elapsed),
            best: best.as_ref().map(|&BestEpoch { epoch, error, patience, .. }| Best {
                epoch,
                error_bits: bits(error),
                patience,
            }),
            runs: past.runs.clone(),
            metrics_sha256: past.metrics_sha256.clone(),
        }
    }

    fn check_owner(&self, owner: Owner<'_>) -> Result<(), Flaw> {
        let column = owner.column.to_string();
        if self.column != column {
            return Err(Flaw::Column { got: self.column.clone(), want: column });
        }
        if self.config_hash != owner.config_hash {
            return Err(Flaw::Config { got: self.config_hash.clone(), want: owner.config_hash.to_owned() });
        }
        Ok(())
    }

    fn position(&self, run: RunLength) -> Result<Position, Flaw> {
        let within = self.epoch < run.epochs && self.step < run.steps_per_epoch;
        if !(within || (self.epoch == run.epochs && self.step == 0)) {
            let RunLength { epochs, steps_per_epoch } = run;
            return Err(Flaw::Position { epoch: self.epoch, step: self.step, epochs, steps_per_epoch });
        }
        Ok(Position {
            epoch: self.epoch,
            step: self.step,
            loss_sum: finite(&self.loss_sum_bits)?,
            ratio_sum: finite(&self.ratio_sum_bits)?,
            skipped: self.skipped.map_or(0, NonZeroU32::get),
            elapsed: Duration::from_nanos(self.elapsed_ns),
            epoch_elapsed: Duration::from_nanos(self.epoch_elapsed_ns),
        })
    }
}

/// A number as its bits, hexadecimal.
fn bits(number: f64) -> String {
    format!("{:016x}", number.to_bits())
}

/// The number of these bits.
fn finite(bits: &str) -> Result<f64, Flaw> {
    let value = u64::from_str_radix(bits, 16).ok().map(f64::from_bits);
    value.filter(|value| value.is_finite()).ok_or_else(|| Flaw::Sum(bits.to_owned()))
}

/// What the tensors' names begin with, vector by vector; the last one where an epoch is the best.
fn groups(spec: &EngineSpec, has_best: bool) -> impl Iterator<Item = &'static str> {
    ["parameters"]
        .into_iter()
        .chain(spec.optimizer.moments().iter().copied())
        .chain(has_best.then_some("best"))
}

/// The values of the tensors `<group>/<name>`.
fn tensors_of(group: &str, spec: &EngineSpec, file: &SafeTensors<'_>) -> Result<Parameters, Flaw> {
    let mut parameters = Parameters::zeros(&spec.network);
    for tensor_spec in parameters.layout().to_vec() {
        let name = format!("{group}/{}", tensor_spec.name);
        let tensor = file.tensor(&name).map_err(|_| Flaw::Tensor { name: name.clone() })?;
        if tensor.dtype() != Dtype::F32 || tensor.shape() != tensor_spec.shape {
            return Err(Flaw::Shape { name, got: tensor.shape().to_vec(), want: tensor_spec.shape });
        }
        let values = &mut parameters.values_mut()[tensor_spec.range];
        for (value, bytes) in values.iter_mut().zip(tensor.data().as_chunks::<4>().0) {
            *value = f32::from_le_bytes(*bytes);
        }
    }
    Ok(parameters)
}

fn to_le_bytes(parameters: &Parameters) -> Vec<u8> {
    parameters.values().iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("strings and integers always have a JSON form")
}

/// SHA-256 over what must not change, hexadecimal.
fn checksum(state: &State, vectors: &[Vec<u8>]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(to_json(state));
    vectors.iter().for_each(|bytes| hasher.update(bytes));
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
