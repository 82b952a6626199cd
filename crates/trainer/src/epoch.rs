//! The steps of one epoch of a group, or of what an interruption has left of it.

use ciresan_net::{Engine, EngineError, Step};

use crate::batch::{EpochBatches, fill};
use crate::checkpoint::Position;
use crate::column::{Column, Digits};
use crate::column_error::ColumnError;
use crate::group_error::GroupError;
use crate::job::Job;
use crate::observer::Event;
use crate::setup::Stopwatch;

/// Columns that cannot go on, by their number in the group, and why.
pub(crate) type Lost = Vec<(usize, ColumnError)>;

/// Trains the columns of `engine`, which stand at the same step, to the end of its epoch (`step` is then that of all
/// batches) or, when the stop flag is set or a column is lost, to the end of the step at work.
pub(crate) fn train<E: Engine>(
    job: &Job<'_, '_>,
    engine: &mut E,
    columns: &mut [Column<'_, '_>],
    digits: &[Digits<'_>],
) -> Result<Lost, GroupError> {
    let (study, run) = (job.setup.study, job.run_length());
    let Position { epoch, step: first, epoch_elapsed, .. } = columns[0].position;
    if first == run.steps_per_epoch {
        return Ok(Lost::new()); // a column was lost at the epoch's last step
    }
    let stopwatch = Stopwatch::start(job.setup.clock, epoch_elapsed);
    let epochs: Vec<EpochBatches<'_>> = digits.iter().map(|digits| digits.batches.epoch(epoch)).collect();
    let (mut batch, mut next) = (engine.batch(), engine.batch());
    fill(&mut batch, &epochs, first)?;
    let mut steps = vec![Step::default(); columns.len()];
    for step in first..run.steps_per_epoch {
        if job.stopping() {
            break;
        }
        let learning_rate = study.learning_rate.at(run, epoch, step);
        let following = (step + 1 < run.steps_per_epoch).then_some(step + 1);
        train_and_prepare(engine, &batch, learning_rate, &mut steps, &epochs, following, &mut next)?;
        let elapsed = stopwatch.elapsed();
        let n_images = epochs[0].n_images(step);
        let mut lost = Lost::new();
        for (index, (column, Step { loss, update_ratio, skipped })) in
            columns.iter_mut().zip(&steps).enumerate()
        {
            let figures = [("loss", *loss), ("update ratio", *update_ratio)];
            if let Some((what, got)) = figures.into_iter().find(|(_, got)| !got.is_finite()) {
                lost.push((index, column.diverged(what, got, learning_rate, epochs[index].images(step))));
                continue;
            }
            let position = &mut column.position;
            // f64, one step after the other: 470 losses of f32 would lose what a late epoch improves.
            position.loss_sum += loss * n_images as f64;
            position.ratio_sum += update_ratio;
            position.skipped += skipped;
            position.step += 1;
            position.epoch_elapsed = elapsed;
            tell(job, column, n_images);
        }
        if !lost.is_empty() {
            return Ok(lost);
        }
        std::mem::swap(&mut batch, &mut next);
    }
    Ok(Lost::new())
}

/// One training step, while threads that are idle make the next batch; where none is, this thread makes it afterwards.
fn train_and_prepare<E: Engine>(
    engine: &mut E,
    batch: &E::Batch,
    learning_rate: f32,
    steps: &mut [Step],
    epochs: &[EpochBatches<'_>],
    following: Option<u32>,
    next: &mut E::Batch,
) -> Result<(), GroupError> {
    let mut prepared = Ok(());
    let trained: Result<(), EngineError> = rayon::in_place_scope(|scope| {
        if let Some(following) = following {
            let prepared = &mut prepared;
            scope.spawn(move |_| *prepared = fill(next, epochs, following));
        }
        engine.train_on(batch, learning_rate, steps)
    });
    trained?;
    prepared
}

fn tell(job: &Job<'_, '_>, column: &Column<'_, '_>, n_images: usize) {
    let Position { epoch, step, loss_sum, .. } = column.position;
    job.tell(Event::Step {
        worker: job.worker,
        column: column.id,
        epoch: epoch + 1,
        n_images,
        mean_loss: loss_sum / job.images_in_epoch(step) as f64,
    });
}
