//! One column between its first weights or its checkpoint and its test probabilities: all but the training steps, which
//! its [`group`](crate::group) makes.

use std::fs;
use std::time::Duration;

use ciresan_net::{Engine, EngineError, Metadata, OptimizerState, Parameters};
use serde_json::json;
use study::{
    ColumnFolder, ColumnId, ColumnRecord, EpochRecord, Predictions, RECORD_SCHEMA, Study, StudyError,
    TrainingRun,
};

use crate::batch::Batches;
use crate::best_epoch::BestEpoch;
use crate::canvas::Canvases;
use crate::checkpoint::{Checkpoint, Owner, Past, Place, Position};
use crate::column_error::ColumnError;
use crate::job::{Job, Outcome};
use crate::metrics::MetricsFile;
use crate::observer::Event;
use crate::setup::{Setup, Stopwatch, whole_ms};
use crate::streams;
use crate::validation::HeldOut;
use crate::warning::Warning;

/// A column at work.
pub(crate) struct Column<'a, 'setup> {
    job: &'a Job<'a, 'setup>,
    pub(crate) id: ColumnId,
    pub(crate) position: Position,
    /// With early stopping, after the first epoch.
    best: Option<BestEpoch>,
    files: ColumnFolder,
    metrics: MetricsFile,
    stopwatch: Stopwatch<'a>,
    /// Those of earlier runs.
    runs: Vec<TrainingRun>,
    /// This one, with the seconds spent on the column before it.
    this_run: TrainingRun,
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
        (job.setup.may_write)(id)?;
        files.create()?;
        let study = job.setup.study;
        let owner = Owner { column: id, config_hash: job.config_hash };
        let Place { checkpoint, damaged } =
            Checkpoint::find(&files, owner, &study.engine_spec(), job.run_length())?;
        let warn = |warning: &Warning| job.tell(Event::Warned { column: id, warning });
        if let (Some(Checkpoint { position, .. }), Some(error)) = (&checkpoint, damaged) {
            warn(&Warning::Checkpoint { error, epoch: position.epoch });
            // The good one takes its place, or the next to be written would push it out.
            let (before, path) = (files.checkpoint_before(), files.checkpoint());
            fs::rename(before, &path).map_err(|reason| StudyError::Io {
                path,
                action: "replace the damaged checkpoint",
                reason,
            })?;
        }
        let (position, state, past, best) = match checkpoint {
            Some(Checkpoint { position, parameters, optimizer, past, best }) => {
                (position, State { parameters, optimizer }, past, best)
            }
            None => {
                let Study { network, activation, initialization, seed, .. } = study;
                let mut rng = streams::weights(*seed, id);
                let parameters = Parameters::init(network, *activation, *initialization, &mut rng);
                let optimizer = OptimizerState::new(&study.optimizer, network);
                (Position::default(), State { parameters, optimizer }, Past::default(), None)
            }
        };
        let (metrics, warning) =
            MetricsFile::open(&files.metrics(), position.epoch, past.metrics_sha256.as_deref())?;
        warning.iter().for_each(warn);
        let now = job.setup.provenance.kind();
        let before = past.runs.last().map_or_else(|| now.clone(), |run| run.by.kind());
        if before != now {
            warn(&Warning::OtherKind { before, now });
        }
        let stopwatch = Stopwatch::start(job.setup.clock, position.elapsed);
        let this_run = TrainingRun {
            begun: job.now(),
            epochs_before: position.epoch,
            wall_s: whole_ms(position.elapsed),
            by: job.setup.provenance.clone(),
        };
        Ok((Self { job, id, position, best, files, metrics, stopwatch, runs: past.runs, this_run }, state))
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
        self.may_write()?;
        self.metrics.append(&record)?;
        self.position = Position { epoch: self.position.epoch + 1, ..Position::default() };
        if let (Some(rule), Some(error)) = (&self.job.setup.study.early_stopping, validation_error) {
            let before = self.best.take();
            self.best = Some(BestEpoch::after(before, rule, self.position.epoch, error, &state.parameters));
        }
        self.save(state)?;
        Ok(record)
    }

    /// Whether it has trained all its epochs or, with early stopping, waited for a better one long enough.
    pub(crate) fn is_trained(&self) -> bool {
        let epoch = self.position.epoch;
        epoch == self.job.run_length().epochs || self.best.as_ref().is_some_and(|best| epoch >= best.patience)
    }

    /// The parameters that it keeps, where these are not the last.
    pub(crate) fn kept_parameters(&self) -> Option<&Parameters> {
        self.best.as_ref().map(|best| &best.parameters)
    }

    /// Writes the checkpoint.
    pub(crate) fn save(&self, State { parameters, optimizer }: State) -> Result<(), ColumnError> {
        let position = Position { elapsed: self.stopwatch.elapsed(), ..self.position };
        let owner = Owner { column: self.id, config_hash: self.job.config_hash };
        let past = Past { runs: self.runs_until_now(), metrics_sha256: Some(self.metrics.sha256()) };
        let checkpoint = Checkpoint { position, parameters, optimizer, past, best: self.best.clone() };
        self.may_write()?;
        Ok(checkpoint.write(&self.files, owner, &self.job.setup.study.engine_spec())?)
    }

    /// Why the column cannot go on after the step at work, whose images it leaves behind.
    pub(crate) fn diverged(
        &self,
        what: &'static str,
        got: f64,
        learning_rate: f32,
        images: &[u32],
    ) -> ColumnError {
        let (epoch, step) = (self.position.epoch + 1, self.position.step + 1);
        let batch = json!({
            "epoch": epoch, "step": step, "learning_rate": learning_rate, "what": what, "got": got.to_string(),
            "images": images,
        });
        let left = self
            .may_write()
            .and_then(|()| study::write_whole(&self.files.diverged(), format!("{batch}\n").as_bytes()));
        match left {
            Ok(()) => ColumnError::NotFinite { what, got, epoch, step, learning_rate },
            Err(error) => error.into(),
        }
    }

    /// The runs that trained the column, this one with the time it has taken up to now.
    fn runs_until_now(&self) -> Vec<TrainingRun> {
        let wall_s = whole_ms(self.stopwatch.elapsed()) - self.this_run.wall_s;
        let this_run = TrainingRun { wall_s: (wall_s * 1e3).round() / 1e3, ..self.this_run.clone() };
        self.runs.iter().cloned().chain([this_run]).collect()
    }

    /// Writes the weights, the probabilities of the held-out digits, if there are any, and of the test digits, if they may
    /// be read, and last the record that says the column is done; then the checkpoints go. A crash anywhere in between
    /// leaves a checkpoint behind from which the rest is done again. Number `index` of `engine` has the parameters that are kept.
    pub(crate) fn finish<E: Engine>(&self, engine: &mut E, index: usize) -> Result<Outcome, ColumnError> {
        let weights = engine.parameters(index)?.to_safetensors(&self.metadata())?;
        self.may_write()?;
        study::write_whole(&self.files.weights(), &weights)?;
        let Setup { study, digits, .. } = self.job.setup;
        let wanted = [
            (Predictions::HeldOut, study.validation > 0),
            (Predictions::Test, digits.test.is_some()),
            (Predictions::Views, study.views.is_some()),
        ];
        for (which, _) in wanted.into_iter().filter(|(_, is_wanted)| *is_wanted) {
            self.predict(engine, index, which)?;
        }
        let kept_epoch = self.best.as_ref().map(|best| best.epoch);
        self.may_write()?;
        self.files.write_record(&ColumnRecord {
            schema: RECORD_SCHEMA,
            column: self.id,
            config_hash: self.job.config_hash.to_owned(),
            runs: self.runs_until_now(),
            predicted_by: None,
            kept_epoch,
            views: study.views,
            files: self.files.checksums()?,
        })?;
        remove_unfinished(&self.files)?;
        Ok(Outcome::Finished { epochs: self.position.epoch, kept_epoch })
    }

    /// Writes the probabilities of the digits that these predictions are about; of none, where those are left unread.
    fn predict<E: Engine>(
        &self,
        engine: &mut E,
        index: usize,
        which: Predictions,
    ) -> Result<(), ColumnError> {
        let study = self.job.setup.study;
        let Some(images) = self.job.setup.digits.images(which, study) else { return Ok(()) };
        let digits = self.job.normalize(images, self.id.width)?;
        let views = study.views.filter(|_| which == Predictions::Views);
        let views = classifier::view_maker(study, self.id, views)?;
        let (digits, classes) = (digits.view(), self.job.classes());
        let probabilities = classifier::probabilities(engine, index, digits, views.as_ref(), classes)?;
        self.may_write()?;
        Ok(study::write_probabilities(&self.files.root().join(which.file_name()), probabilities.view())?)
    }

    fn may_write(&self) -> Result<(), StudyError> {
        (self.job.setup.may_write)(self.id)
    }

    /// Images that the column has trained on, over all runs.
    pub(crate) fn images_done(&self) -> u64 {
        let per_epoch = self.job.setup.digits.training.len() as u64;
        u64::from(self.position.epoch) * per_epoch + self.job.images_in_epoch(self.position.step)
    }

    fn record(&self, validation_error: Option<f64>, elapsed: Duration) -> EpochRecord {
        let Position { epoch, step, loss_sum, ratio_sum, skipped, epoch_elapsed, .. } = self.position;
        let n_images = self.job.setup.digits.training.len() as f64;
        let Study { learning_rate: schedule, skip_below, .. } = self.job.setup.study;
        EpochRecord {
            epoch: epoch + 1,
            learning_rate: schedule.at(self.job.run_length(), epoch, step - 1),
            loss: loss_sum / n_images,
            update_ratio: ratio_sum / f64::from(step),
            skipped: skip_below.map(|_| f64::from(skipped) / n_images),
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
            ("width", self.id.width.to_string()),
        ];
        Metadata {
            network: study.network.clone(),
            activation: study.activation,
            extra: extra.map(|(key, value)| (key.to_owned(), value)).into(),
        }
    }
}

/// Deletes what only an unfinished column has, as far as it is there.
pub(crate) fn remove_unfinished(files: &ColumnFolder) -> Result<(), ColumnError> {
    for path in [files.diverged(), files.checkpoint_before(), files.checkpoint()] {
        study::remove_if_there(&path).map_err(|reason| ColumnError::Remove { path, reason })?;
    }
    Ok(())
}
