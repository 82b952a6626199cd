//! One column between its first weights or its checkpoint and its test probabilities: all but the training steps, which
//! its [`group`](crate::group) makes.

use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use ciresan_net::{Engine, EngineError, Metadata, OptimizerState, Parameters};
use ndarray::ArrayView3;
use study::{ColumnFolder, ColumnId, Study};

pub use self::error::ColumnError;
use crate::batch::Batches;
use crate::canvas::Canvases;
use crate::checkpoint::{Checkpoint, Owner, Position};
use crate::group::Job;
use crate::metrics::{EpochRecord, MetricsFile};
use crate::setup::{Stopwatch, StudyDigits, whole_ms};
use crate::validation::HeldOut;
use crate::{predict, streams};

mod error;

/// How far the training of a column came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The column's files are complete.
    Finished,
    /// The stop flag was set; a checkpoint is saved.
    Stopped,
}

/// A column at work.
pub(crate) struct Column<'a, 'setup> {
    job: &'a Job<'a, 'setup>,
    pub(crate) id: ColumnId,
    pub(crate) position: Position,
    files: ColumnFolder,
    metrics: MetricsFile,
    stopwatch: Stopwatch<'a>,
}

/// What an engine has of a column.
pub(crate) struct State {
    pub(crate) parameters: Parameters,
    pub(crate) optimizer: OptimizerState,
}

impl State {
    /// That of column `index` of `engine`.
    pub(crate) fn of<E: Engine>(engine: &E, index: usize) -> Result<Self, EngineError> {
        Ok(Self { parameters: engine.parameters(index)?, optimizer: engine.optimizer_state(index)? })
    }
}

/// What a column trains on and is measured by.
pub(crate) struct Digits<'a> {
    pub(crate) batches: Batches<'a>,
    pub(crate) held_out: HeldOut<'a>,
}

impl<'a, 'setup> Column<'a, 'setup> {
    /// Opens the column's files, with its saved state or its first weights.
    pub(crate) fn begin(job: &'a Job<'a, 'setup>, id: ColumnId) -> Result<(Self, State), ColumnError> {
        let files = job.setup.folder.column(&id);
        files.create()?;
        let study = job.setup.study;
        let owner = Owner { column: id, config_hash: job.config_hash };
        let saved = Checkpoint::read(&files.checkpoint(), owner, &study.engine_spec(), job.run_length())?;
        let (position, state) = match saved {
            Some(Checkpoint { position, parameters, optimizer }) => {
                (position, State { parameters, optimizer })
            }
            None => {
                let Study { network, activation, initialization, seed, .. } = study;
                let mut rng = streams::weights(*seed, id);
                let parameters = Parameters::init(network, *activation, *initialization, &mut rng);
                let optimizer = OptimizerState::new(&study.optimizer, network);
                (Position::default(), State { parameters, optimizer })
            }
        };
        let metrics = MetricsFile::open(&files.metrics(), position.epoch)?;
        let stopwatch = Stopwatch::start(job.setup.clock, position.elapsed);
        Ok((Self { job, id, position, files, metrics, stopwatch }, state))
    }

    /// Digits on canvases that are normalized to the column's width already.
    pub(crate) fn digits(&self, training: Canvases, validation: Canvases) -> Result<Digits<'a>, ColumnError> {
        let job = self.job;
        let labels = job.setup.digits.training.labels();
        let batches = Batches::new(job.setup.study, self.id, job.run_length(), training, labels)?;
        let held_out = HeldOut { digits: validation, labels: job.setup.digits.validation.labels() };
        Ok(Digits { batches, held_out })
    }

    /// Stores what the epoch has made of the column.
    pub(crate) fn end_epoch(
        &mut self,
        validation_error: Option<f64>,
        state: State,
    ) -> Result<EpochRecord, ColumnError> {
        let record = self.record(validation_error, self.stopwatch.elapsed());
        self.metrics.append(&record)?;
        self.position = Position { epoch: self.position.epoch + 1, ..Position::default() };
        self.save(state)?;
        Ok(record)
    }

    /// Writes the checkpoint.
    pub(crate) fn save(&self, State { parameters, optimizer }: State) -> Result<(), ColumnError> {
        let position = Position { elapsed: self.stopwatch.elapsed(), ..self.position };
        let owner = Owner { column: self.id, config_hash: self.job.config_hash };
        let checkpoint = Checkpoint { position, parameters, optimizer };
        Ok(checkpoint.write(&self.files.checkpoint(), owner, &self.job.setup.study.engine_spec())?)
    }

    /// Writes the weights, then the probabilities of the held-out digits, if there are any, and of the test digits, whose
    /// presence says that the column is finished; then the checkpoint goes. A crash anywhere in between leaves a
    /// checkpoint behind from which the rest is done again.
    pub(crate) fn finish<E: Engine>(&self, engine: &mut E, index: usize) -> Result<(), ColumnError> {
        let weights = engine.parameters(index)?.to_safetensors(&self.metadata())?;
        study::write_whole(&self.files.weights(), &weights)?;
        let StudyDigits { validation, test, .. } = self.job.setup.digits;
        if !validation.is_empty() {
            self.predict(engine, index, validation.images(), &self.files.validation())?;
        }
        self.predict(engine, index, test.images(), &self.files.probabilities())?;
        self.job.ledger.write()?;
        remove_checkpoint(&self.files)
    }

    /// Writes the probabilities of `images` to `path`.
    fn predict<E: Engine>(
        &self,
        engine: &mut E,
        index: usize,
        images: ArrayView3<'_, u8>,
        path: &Path,
    ) -> Result<(), ColumnError> {
        let digits = self.job.normalize(images, self.id.width)?;
        let probabilities = predict::probabilities(engine, index, &digits, self.job.classes())?;
        Ok(study::write_probabilities(path, probabilities.view())?)
    }

    /// Images that the column has trained on, over all runs.
    pub(crate) fn images_done(&self) -> u64 {
        let per_epoch = self.job.setup.digits.training.len() as u64;
        u64::from(self.position.epoch) * per_epoch + self.job.images_in_epoch(self.position.step)
    }

    fn record(&self, validation_error: Option<f64>, elapsed: Duration) -> EpochRecord {
        let Position { epoch, step, loss_sum, ratio_sum, epoch_elapsed, .. } = self.position;
        let n_images = self.job.setup.digits.training.len() as f64;
        let schedule = self.job.setup.study.learning_rate;
        EpochRecord {
            epoch: epoch + 1,
            learning_rate: schedule.at(self.job.run_length(), epoch, step - 1),
            loss: loss_sum / n_images,
            update_ratio: ratio_sum / f64::from(step),
            // A clock that stands still, as in a test, must not write an infinity, which JSON has not.
            images_per_second: (n_images / epoch_elapsed.as_secs_f64().max(1e-9)).round(),
            validation_error,
            elapsed_s: whole_ms(elapsed),
        }
    }

    /// Nothing in here may differ between two runs of the same study: equal columns have equal bytes.
    fn metadata(&self) -> Metadata {
        let study = self.job.setup.study;
        let extra = [
            ("column", self.id.to_string()),
            ("config_hash", self.job.config_hash.to_owned()),
            ("study", study.name.clone()),
            ("width", self.id.width.to_string()),
        ];
        Metadata {
            network: study.network.clone(),
            activation: study.activation,
            extra: extra.map(|(key, value)| (key.to_owned(), value)).into(),
        }
    }
}

/// Deletes the checkpoint of a finished column, if there is one.
pub(crate) fn remove_checkpoint(files: &ColumnFolder) -> Result<(), ColumnError> {
    let path = files.checkpoint();
    match fs::remove_file(&path) {
        Err(reason) if reason.kind() != io::ErrorKind::NotFound => Err(ColumnError::Remove { path, reason }),
        _ => Ok(()),
    }
}
