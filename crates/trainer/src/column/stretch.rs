//! The steps of one epoch, or of what an interruption has left of it.

use ciresan_net::{Engine, EngineError, Step};
use preprocess::PreprocessError;

use super::{ColumnError, Job};
use crate::batch::{Batch, Batches, EpochBatches};
use crate::checkpoint::Position;
use crate::observer::Event;
use crate::schedule::{self, RunLength};
use crate::setup::{Setup, Stopwatch};

/// What the steps need besides the engine.
pub(super) struct Stretch<'a, 'setup> {
    pub(super) job: &'a Job<'a, 'setup>,
    pub(super) run: RunLength,
    pub(super) batches: &'a Batches<'a>,
}

impl Stretch<'_, '_> {
    /// Trains from `position` to the end of its epoch (`step` is then that of all batches) or, when the stop flag is set, to
    /// the end of the step at work. Returns the learning rate of the last step.
    pub(super) fn train<E: Engine>(
        &self,
        engine: &mut E,
        position: &mut Position,
    ) -> Result<f32, ColumnError> {
        let Setup { study, clock, .. } = *self.job.setup;
        let stopwatch = Stopwatch::start(clock, position.epoch_elapsed);
        let batches = self.batches.epoch(position.epoch);
        let (mut batch, mut next) = (Batch::default(), Batch::default());
        batches.fill(position.step, &mut batch)?;
        let mut learning_rate = 0.0;
        while position.step < self.run.steps_per_epoch && !self.job.stopping() {
            let step = position.step;
            learning_rate = schedule::learning_rate(&study.learning_rate, self.run, position.epoch, step);
            let following = (step + 1 < self.run.steps_per_epoch).then_some(step + 1);
            let (trained, prepared) =
                train_and_prepare(engine, &batch, learning_rate, &batches, following, &mut next);
            let Step { loss, update_ratio } = trained?;
            prepared?;
            check("loss", loss, position, learning_rate)?;
            check("update ratio", update_ratio, position, learning_rate)?;
            // f64, one step after the other: 470 losses of f32 would lose what a late epoch improves.
            position.loss_sum += loss * batch.labels.len() as f64;
            position.ratio_sum += update_ratio;
            position.step += 1;
            position.epoch_elapsed = stopwatch.elapsed();
            self.tell(position, batch.labels.len());
            std::mem::swap(&mut batch, &mut next);
        }
        Ok(learning_rate)
    }

    fn tell(&self, position: &Position, n_images: usize) {
        let images_of_epoch = self.job.images_in_epoch(position.step);
        self.job.tell(Event::Step {
            worker: self.job.worker,
            column: self.job.column,
            epoch: position.epoch + 1,
            n_images,
            mean_loss: position.loss_sum / images_of_epoch as f64,
        });
    }
}

/// One training step, while a thread that is idle makes the next batch; where none is, this thread makes it afterwards.
fn train_and_prepare<E: Engine>(
    engine: &mut E,
    batch: &Batch,
    learning_rate: f32,
    batches: &EpochBatches<'_>,
    following: Option<u32>,
    next: &mut Batch,
) -> (Result<Step, EngineError>, Result<(), PreprocessError>) {
    let mut steps = [Step { loss: 0.0, update_ratio: 0.0 }];
    let mut prepared = Ok(());
    let trained = rayon::in_place_scope(|scope| {
        if let Some(following) = following {
            let prepared = &mut prepared;
            scope.spawn(move |_| *prepared = batches.fill(following, next));
        }
        engine.train_step(&batch.images, &batch.labels, learning_rate, &mut steps)
    });
    let [step] = steps;
    (trained.map(|()| step), prepared)
}

fn check(what: &'static str, got: f64, position: &Position, learning_rate: f32) -> Result<(), ColumnError> {
    if got.is_finite() {
        return Ok(());
    }
    let (epoch, step) = (position.epoch + 1, position.step + 1);
    Err(ColumnError::NotFinite { what, got, epoch, step, learning_rate })
}
