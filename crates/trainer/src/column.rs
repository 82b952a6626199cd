//! Training one column, from its first weights or its checkpoint to its test probabilities.

use std::sync::atomic::Ordering;
use std::time::Duration;
use std::{fs, io};

use ciresan_net::{Engine, EngineSpec, Metadata, Parameters};
use study::{ColumnFolder, ColumnId, Study};

pub use self::error::ColumnError;
use self::stretch::Stretch;
use crate::batch::Batches;
use crate::canvas::Canvases;
use crate::checkpoint::{Checkpoint, Owner, Position};
use crate::ledger::Ledger;
use crate::metrics::{EpochRecord, MetricsFile};
use crate::observer::{Event, Observer};
use crate::schedule::RunLength;
use crate::setup::{Setup, Stopwatch, whole_ms};
use crate::validation::HeldOut;
use crate::{predict, streams};

mod error;
mod stretch;

/// One column to train, and whom to tell meanwhile.
pub(crate) struct Job<'a, 'setup> {
    pub(crate) setup: &'a Setup<'setup>,
    pub(crate) config_hash: &'a str,
    pub(crate) column: ColumnId,
    pub(crate) files: ColumnFolder,
    /// Counted from 0.
    pub(crate) worker: usize,
    pub(crate) observer: &'a dyn Observer,
    pub(crate) ledger: &'a Ledger<'a>,
}

/// How far a call of [`Job::train`] came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The column's files are complete.
    Finished,
    /// The stop flag was set; a checkpoint is saved.
    Stopped,
}

impl Job<'_, '_> {
    /// Trains the column from where it stands until it is finished or the stop flag is set.
    pub(crate) fn train<E: Engine>(&self) -> Result<Outcome, ColumnError> {
        let run = self.run();
        self.files.create()?;
        let network = &self.setup.study.network;
        let saved = Checkpoint::read(&self.files.checkpoint(), self.owner(), network, run)?;
        let mut position = saved.as_ref().map_or_else(Position::default, |saved| saved.position);
        let mut metrics = MetricsFile::open(&self.files.metrics(), position.epoch)?;
        let mut engine = self.engine::<E>(saved)?;
        self.tell(Event::ColumnStarted {
            worker: self.worker,
            column: self.column,
            epochs_done: position.epoch,
            images_done: self.images_before(&position),
        });
        let stopwatch = Stopwatch::start(self.setup.clock, position.elapsed);
        if position.epoch < run.epochs {
            let batches = self.batches(run)?;
            let held_out = self.held_out()?;
            let stretch = Stretch { job: self, run, batches: &batches };
            while position.epoch < run.epochs {
                let learning_rate = stretch.train(&mut engine, &mut position)?;
                if position.step < run.steps_per_epoch {
                    self.save(&engine, Position { elapsed: stopwatch.elapsed(), ..position })?;
                    return Ok(Outcome::Stopped);
                }
                let validation_error = held_out.error(&mut engine, 0, self.classes())?;
                let record = self.record(&position, learning_rate, validation_error, stopwatch.elapsed());
                metrics.append(&record)?;
                position = Position { epoch: position.epoch + 1, ..Position::default() };
                self.save(&engine, Position { elapsed: stopwatch.elapsed(), ..position })?;
                let (worker, column) = (self.worker, self.column);
                self.tell(Event::EpochFinished { worker, column, record: &record });
            }
        }
        self.finish(&mut engine)?;
        Ok(Outcome::Finished)
    }

    fn save<E: Engine>(&self, engine: &E, position: Position) -> Result<(), ColumnError> {
        let (parameters, velocity) = (engine.parameters(0)?, engine.velocity(0)?);
        Checkpoint { position, parameters, velocity }.write(&self.files.checkpoint(), self.owner())?;
        Ok(self.ledger.write()?)
    }

    /// Writes the weights, then the probabilities, whose presence says that the column is finished; then the checkpoint
    /// goes. A crash anywhere in between leaves a checkpoint behind from which the rest is done again.
    fn finish<E: Engine>(&self, engine: &mut E) -> Result<(), ColumnError> {
        let weights = engine.parameters(0)?.to_safetensors(&self.metadata())?;
        study::write_whole(&self.files.weights(), &weights)?;
        let test = self.normalize(self.setup.digits.test.images())?;
        let probabilities = predict::probabilities(engine, 0, &test, self.classes())?;
        study::write_probabilities(&self.files.probabilities(), probabilities.view())?;
        self.ledger.write()?;
        remove_checkpoint(&self.files)
    }

    /// The engine with the column's saved state, or with its first weights and no velocity.
    fn engine<E: Engine>(&self, saved: Option<Checkpoint>) -> Result<E, ColumnError> {
        let Study { network, activation, initialization, optimizer, precision, .. } = self.setup.study;
        let spec = EngineSpec {
            network: network.clone(),
            activation: *activation,
            optimizer: *optimizer,
            precision: *precision,
            max_batch: self.setup.study.batch as usize,
        };
        if let Some(Checkpoint { parameters, velocity, .. }) = saved {
            let mut engine = E::new(&spec, &[parameters])?;
            engine.set_velocity(0, &velocity)?;
            return Ok(engine);
        }
        let mut rng = streams::weights(self.setup.study.seed, self.column);
        let parameters = Parameters::init(network, *activation, *initialization, &mut rng);
        Ok(E::new(&spec, &[parameters])?)
    }

    fn owner(&self) -> Owner<'_> {
        Owner { column: self.column, config_hash: self.config_hash }
    }

    fn classes(&self) -> usize {
        self.setup.study.network.classes()
    }

    fn run(&self) -> RunLength {
        // Fewer than 2^32 digits: `run` refuses more before any column begins.
        RunLength::new(
            self.setup.study.epochs,
            self.setup.digits.training.len() as u32,
            self.setup.study.batch,
        )
    }

    fn batches(&self, run: RunLength) -> Result<Batches<'_>, ColumnError> {
        let digits = self.normalize(self.setup.digits.training.images())?;
        Ok(Batches::new(self.setup.study, self.column, run, digits, self.setup.digits.training.labels())?)
    }

    fn held_out(&self) -> Result<HeldOut<'_>, ColumnError> {
        let digits = self.normalize(self.setup.digits.validation.images())?;
        Ok(HeldOut { digits, labels: self.setup.digits.validation.labels() })
    }

    fn normalize(&self, images: ndarray::ArrayView3<'_, u8>) -> Result<Canvases, ColumnError> {
        let input = self.setup.study.network.input();
        Ok(Canvases::normalize(images, self.column.width, [input.height, input.width])?)
    }

    fn record(
        &self,
        epoch: &Position,
        learning_rate: f32,
        validation_error: Option<f64>,
        elapsed: Duration,
    ) -> EpochRecord {
        let n_images = self.setup.digits.training.len() as f64;
        EpochRecord {
            epoch: epoch.epoch + 1,
            learning_rate,
            loss: epoch.loss_sum / n_images,
            update_ratio: epoch.ratio_sum / f64::from(epoch.step),
            // A clock that stands still, as in a test, must not write an infinity, which JSON has not.
            images_per_second: (n_images / epoch.epoch_elapsed.as_secs_f64().max(1e-9)).round(),
            validation_error,
            elapsed_s: whole_ms(elapsed),
        }
    }

    fn images_before(&self, position: &Position) -> u64 {
        let per_epoch = self.setup.digits.training.len() as u64;
        u64::from(position.epoch) * per_epoch + self.images_in_epoch(position.step)
    }

    /// Images of the first `n_steps` batches of an epoch, of which the last may be smaller.
    fn images_in_epoch(&self, n_steps: u32) -> u64 {
        let full = u64::from(n_steps) * u64::from(self.setup.study.batch);
        full.min(self.setup.digits.training.len() as u64)
    }

    /// Nothing in here may differ between two runs of the same study: equal columns have equal bytes.
    fn metadata(&self) -> Metadata {
        let extra = [
            ("column", self.column.to_string()),
            ("config_hash", self.config_hash.to_owned()),
            ("study", self.setup.study.name.clone()),
            ("width", self.column.width.to_string()),
        ];
        Metadata {
            network: self.setup.study.network.clone(),
            activation: self.setup.study.activation,
            extra: extra.map(|(key, value)| (key.to_owned(), value)).into(),
        }
    }

    fn stopping(&self) -> bool {
        self.setup.stop.load(Ordering::Relaxed)
    }

    fn tell(&self, event: Event<'_>) {
        self.observer.observe(&event);
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
