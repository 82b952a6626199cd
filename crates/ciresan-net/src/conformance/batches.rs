//! Batches that are filled while the engine trains on another.

use super::case::{ACTIVATIONS, Batch, Case, Failure, NESTEROV, SMALL};
use crate::{Batch as _, Engine, EngineError, Step};
use std::thread;

/// Images of each column, step by step.
const SIZES: [usize; 5] = [3, 1, 2, 3, 2];
const N_COLUMNS: usize = 2;

/// What was filled in on another thread meanwhile is what the next step trains on; an empty batch, one that could not be
/// filled and one of an engine with more columns are refused.
///
/// # Errors
/// The first loss that is not that of the batch, or the first batch that is not refused.
pub fn batches<E: Engine>() -> Result<(), Failure> {
    for activation in ACTIVATIONS {
        for (seed, notation) in (1..).zip([SMALL[1], SMALL[2]]) {
            check_steps::<E>(Case::new("batches", notation, activation, NESTEROV, 3, seed)?)?;
        }
    }
    check_refused::<E>(Case::new("batches, refused", SMALL[1], ACTIVATIONS[0], NESTEROV, 3, 1)?)
}

/// Fills `room` with what `drawn` has for each column.
fn fill<E: Engine>(room: &mut E::Batch, drawn: &[Batch; N_COLUMNS]) -> Result<(), EngineError> {
    room.fill(drawn[0].labels.len(), |column, images, labels| {
        images.copy_from_slice(&drawn[column].images);
        labels.copy_from_slice(&drawn[column].labels);
        Ok(())
    })
}

fn check_steps<E: Engine>(mut case: Case) -> Result<(), Failure> {
    let columns = [case.draw_parameters(), case.draw_parameters()];
    let mut engine = case.run(E::new(&case.spec, &columns))?;
    let drawn = SIZES.map(|n| [case.draw_batch(n), case.draw_batch(n)]);
    let (mut batch, mut next) = (engine.batch(), engine.batch());
    case.run(fill::<E>(&mut batch, &drawn[0]))?;
    for (step, of_columns) in drawn.iter().enumerate() {
        let mut expected = Vec::new();
        for (column, drawn) in of_columns.iter().enumerate() {
            let parameters = case.run(engine.parameters(column))?;
            expected.push(case.expect(&parameters, drawn));
        }
        let mut steps = [Step::default(); N_COLUMNS];
        let trained = thread::scope(|scope| {
            let filling = drawn.get(step + 1).map(|drawn| {
                let next = &mut next;
                scope.spawn(move || fill::<E>(next, drawn))
            });
            let trained = engine.train_on(&batch, 0.05, &mut steps);
            let filled = filling.map_or(Ok(Ok(())), |filling| filling.join());
            trained.and(filled.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        case.run(trained)?;
        for (column, (expected, drawn)) in expected.iter().zip(of_columns).enumerate() {
            let want = expected.trace.loss(&drawn.labels);
            let tolerance = expected.rounding.loss_tolerance(&expected.trace, &drawn.labels);
            let what = format!("loss of column {column} in step {step}");
            case.check_close(&what, [steps[column].loss], [want], [tolerance])?;
        }
        std::mem::swap(&mut batch, &mut next);
    }
    Ok(())
}

fn check_refused<E: Engine>(mut case: Case) -> Result<(), Failure> {
    let columns = [case.draw_parameters(), case.draw_parameters()];
    let mut engine = case.run(E::new(&case.spec, &columns))?;
    let mut alone = case.run(E::new(&case.spec, &columns[..1]))?;
    let (empty, length) =
        (EngineError::Batch { got: 0, max: 3 }, EngineError::Length { what: "", got: 2, want: 1 });
    let mut steps = [Step::default(); N_COLUMNS];

    let mut batch = engine.batch();
    case.check_refused("a batch never filled", engine.train_on(&batch, 0.1, &mut steps), &empty)?;
    let drawn = [case.draw_batch(2), case.draw_batch(2)];
    case.run(fill::<E>(&mut batch, &drawn))?;
    let refused = alone.train_on(&batch, 0.1, &mut steps[..1]);
    case.check_refused("a batch of two columns for one", refused, &length)?;
    let given_up = batch.fill(2, |column, _, _| match column {
        0 => Ok(()),
        _ => Err(EngineError::NoBatch),
    });
    case.check_refused("a column that cannot be filled", given_up, &EngineError::NoBatch)?;
    let refused = engine.train_on(&batch, 0.1, &mut steps);
    case.check_refused("a batch that could not be filled", refused, &empty)?;
    case.run(batch.fill(0, |_, _, _| Ok::<_, EngineError>(())))?;
    case.check_refused("a batch of no images", engine.train_on(&batch, 0.1, &mut steps), &empty)?;
    if steps != [Step::default(); N_COLUMNS] {
        return Err(case.fail(format_args!("refused batches: steps written, {steps:?}")));
    }
    case.run(fill::<E>(&mut batch, &drawn))?;
    case.run(engine.train_on(&batch, 0.1, &mut steps))
}
