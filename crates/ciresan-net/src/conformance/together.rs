//! Columns do not know of each other.

use super::case::{ACTIVATIONS, Case, Failure, NESTEROV, PAPER, SMALL};
use crate::{Engine, Step};

const N_COLUMNS: usize = 3;

/// Three columns of one engine go, bit for bit, where each goes in an engine of its own: steps, parameters,
/// velocities and predictions, over batches of several sizes.
///
/// # Errors
/// The first bit that differs.
pub fn together_equals_apart<E: Engine>() -> Result<(), Failure> {
    for activation in ACTIVATIONS {
        for (seed, notation) in (1..).zip([SMALL[1], SMALL[3], SMALL[11]]) {
            check_columns::<E>(
                Case::new("together_equals_apart", notation, activation, NESTEROV, 4, seed)?,
                &[4, 1, 3, 4],
            )?;
        }
    }
    check_columns::<E>(Case::new("together_equals_apart", PAPER, ACTIVATIONS[0], NESTEROV, 2, 1)?, &[2, 1])
}

fn check_columns<E: Engine>(mut case: Case, batches: &[usize]) -> Result<(), Failure> {
    let columns: Vec<_> = (0..N_COLUMNS).map(|_| case.draw_parameters()).collect();
    let mut together = case.run(E::new(&case.spec, &columns))?;
    let mut apart = Vec::new();
    for column in &columns {
        apart.push(case.run(E::new(&case.spec, std::slice::from_ref(column)))?);
    }
    for (step, &batch) in batches.iter().enumerate() {
        let all = case.draw_batch(N_COLUMNS * batch);
        let learning_rate = 0.1 / (step + 1) as f32;
        let mut steps = [Step::default(); N_COLUMNS];
        case.run(together.train_step(&all.images, &all.labels, learning_rate, &mut steps))?;
        let images = all.images.chunks_exact(all.images.len() / N_COLUMNS);
        for (i, (images, labels)) in images.zip(all.labels.chunks_exact(batch)).enumerate() {
            let mut alone = [Step::default()];
            case.run(apart[i].train_step(images, labels, learning_rate, &mut alone))?;
            let bits = |step: Step| (step.loss.to_bits(), step.update_ratio.to_bits());
            if bits(steps[i]) != bits(alone[0]) {
                let (got, want) = (steps[i], alone[0]);
                return Err(case.fail(format_args!("step {step}, column {i}: got {got:?}, alone {want:?}")));
            }
        }
    }
    let images = case.draw_images(5);
    for (i, alone) in apart.iter_mut().enumerate() {
        let what = |what: &str| format!("{what} of column {i}");
        case.check_bits(&what("parameters"), together.parameters(i).values(), alone.parameters(0).values())?;
        case.check_bits(&what("velocity"), together.velocity(i).values(), alone.velocity(0).values())?;
        let mut got = vec![0.0; 5 * case.spec.network.classes()];
        let mut want = got.clone();
        case.run(together.predict(i, &images, &mut got))?;
        case.run(alone.predict(0, &images, &mut want))?;
        case.check_bits(&what("probabilities"), &got, &want)?;
    }
    Ok(())
}
