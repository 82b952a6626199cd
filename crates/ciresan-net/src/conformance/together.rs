//! Columns do not know of each other.

use super::case::{ACTIVATIONS, ADAM_W, Case, Failure, NESTEROV, PAPER, PLAIN, SMALL, widened};
use super::rounding::UNIT;
use crate::{Engine, Step};

const N_COLUMNS: usize = 3;

/// Three columns of one engine go, bit for bit, where each goes in an engine of its own: steps, parameters,
/// the optimizer's state and predictions, over batches of several sizes, with and without skipped images.
///
/// # Errors
/// The first bit that differs.
pub fn together_equals_apart<E: Engine>() -> Result<(), Failure> {
    for activation in ACTIVATIONS {
        for (seed, notation) in (1..).zip([SMALL[1], SMALL[3], SMALL[11]]) {
            for optimizer in [NESTEROV, ADAM_W] {
                for skip_below in [0.0, 0.5] {
                    let case = Case::new("together_equals_apart", notation, activation, optimizer, 4, seed)?;
                    check_columns::<E>(case.skipping(skip_below), &[4, 1, 3, 4])?;
                }
            }
        }
    }
    check_columns::<E>(Case::new("together_equals_apart", PAPER, ACTIVATIONS[0], NESTEROV, 2, 1)?, &[2, 1])
}

fn check_columns<E: Engine>(mut case: Case, batches: &[usize]) -> Result<(), Failure> {
    let skips = case.spec.skip_bound().is_some();
    let columns: Vec<_> = (0..N_COLUMNS)
        .map(|_| if skips { case.draw_sure_parameters() } else { case.draw_parameters() })
        .collect();
    let mut n_skipped = 0;
    let mut together = case.run(E::new(&case.spec, &columns))?;
    let mut apart = Vec::new();
    for column in &columns {
        apart.push(case.run(E::new(&case.spec, std::slice::from_ref(column)))?);
    }
    for (step, &batch) in batches.iter().enumerate() {
        let mut all = case.draw_batch(N_COLUMNS * batch);
        if skips {
            all.labels.fill(1); // soon known
        }
        let learning_rate = 0.1 / (step + 1) as f32;
        let mut steps = [Step::default(); N_COLUMNS];
        case.run(together.train_step(&all.images, &all.labels, learning_rate, &mut steps))?;
        let images = all.images.chunks_exact(all.images.len() / N_COLUMNS);
        for (i, (images, labels)) in images.zip(all.labels.chunks_exact(batch)).enumerate() {
            let mut alone = [Step::default()];
            case.run(apart[i].train_step(images, labels, learning_rate, &mut alone))?;
            let bits = |step: Step| (step.loss.to_bits(), step.update_ratio.to_bits(), step.skipped);
            if bits(steps[i]) != bits(alone[0]) {
                let (got, want) = (steps[i], alone[0]);
                return Err(case.fail(format_args!("step {step}, column {i}: got {got:?}, alone {want:?}")));
            }
            n_skipped += alone[0].skipped;
        }
    }
    if skips && n_skipped == 0 {
        return Err(case.fail("no image was skipped"));
    }
    let images = case.draw_images(5);
    for (i, alone) in apart.iter_mut().enumerate() {
        let what = |what: &str| format!("{what} of column {i}");
        case.check_bits(
            &what("parameters"),
            case.run(together.parameters(i))?.values(),
            case.run(alone.parameters(0))?.values(),
        )?;
        case.check_state(
            &format!("column {i}:"),
            &case.run(together.optimizer_state(i))?,
            &case.run(alone.optimizer_state(0))?,
        )?;
        let mut got = vec![0.0; 5 * case.spec.network.classes()];
        let mut want = got.clone();
        case.run(together.predict(i, &images, &mut got))?;
        case.run(alone.predict(0, &images, &mut want))?;
        case.check_bits(&what("probabilities"), &got, &want)?;
    }
    Ok(())
}

/// Three columns of one engine step, each within rounding, as the reference says of each alone: what an engine
/// promises whose sums depend on how many columns it has.
///
/// The tolerances are those of [`gradients`](super::gradients()), so together and apart differ by no more than twice
/// those. Each step is compared on its own, from the state that the engine had before it.
///
/// # Errors
/// The first value that is off.
pub fn together_within_rounding<E: Engine>() -> Result<(), Failure> {
    for activation in ACTIVATIONS {
        for (seed, notation) in (1..).zip([SMALL[1], SMALL[3], SMALL[11]]) {
            let case = Case::new("together_within_rounding", notation, activation, PLAIN, 4, seed)?;
            check_steps::<E>(case, &[4, 1, 3])?;
        }
        check_steps::<E>(Case::new("together_within_rounding", PAPER, activation, PLAIN, 2, 1)?, &[1, 2])?;
    }
    Ok(())
}

fn check_steps<E: Engine>(mut case: Case, batches: &[usize]) -> Result<(), Failure> {
    const LEARNING_RATE: f32 = 0.5;
    let mut columns: Vec<_> = (0..N_COLUMNS).map(|_| case.draw_parameters()).collect();
    let mut engine = case.run(E::new(&case.spec, &columns))?;
    for &batch in batches {
        let (mut images, mut labels, mut expected) = (Vec::new(), Vec::new(), Vec::new());
        for column in &columns {
            let (batch, of_column) = case.draw_separated(column, batch)?;
            images.extend(&batch.images);
            labels.extend(&batch.labels);
            expected.push((batch, of_column));
        }
        let mut steps = [Step::default(); N_COLUMNS];
        case.run(engine.train_step(&images, &labels, LEARNING_RATE, &mut steps))?;
        for (i, (batch, expected)) in expected.iter().enumerate() {
            let loss = expected.trace.loss(&batch.labels);
            let tolerance = expected.rounding.loss_tolerance(&expected.trace, &batch.labels);
            case.check_close(&format!("loss of column {i}"), [steps[i].loss], [loss], [tolerance])?;
            let gradient = &expected.gradients.parameters;
            let tolerances = expected.rounding.gradient_tolerances();
            let velocity = &case.run(engine.optimizer_state(i))?.moments[0];
            let what = format!("gradient of column {i}");
            case.check_tensors(&what, &widened(velocity.values()), gradient, &tolerances)?;
            // θ − η·g: two roundings beside the gradient's error.
            let rate = f64::from(LEARNING_RATE);
            let after = case.run(engine.parameters(i))?;
            let (mut want, mut tolerance) = (Vec::new(), Vec::new());
            for ((before, g), off) in widened(columns[i].values()).iter().zip(gradient).zip(&tolerances) {
                want.push(before - rate * g);
                tolerance.push(rate * off + 2.0 * UNIT * (before.abs() + (rate * g).abs()));
            }
            let what = format!("parameters of column {i}");
            case.check_tensors(&what, &widened(after.values()), &want, &tolerance)?;
            columns[i] = after;
        }
    }
    Ok(())
}
