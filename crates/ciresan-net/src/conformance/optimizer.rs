//! Steps with momentum against the formulas of [`Optimizer`].

use super::case::{ACTIVATIONS, Case, Failure, SMALL, widened};
use super::rounding::UNIT;
use crate::{Engine, Optimizer, Step};

/// Steps of a run, and what the learning rate falls by from one to the next.
const N_STEPS: usize = 10;
const DECAY: f32 = 0.9;

/// Ten steps of a falling learning rate, without momentum, with it, and with Nesterov's look-ahead.
///
/// Each step is compared on its own, from the state that the engine had before it: what is computed is a
/// step, and small differences do not grow.
///
/// # Errors
/// The first value that is off.
pub fn optimizer<E: Engine>() -> Result<(), Failure> {
    let optimizers = [(0.0, false), (0.9, false), (0.9, true), (0.0, true), (0.5, true)]
        .map(|(momentum, nesterov)| Optimizer { momentum, nesterov });
    for (seed, optimizer) in (1..).zip(optimizers) {
        for (activation, notation) in ACTIVATIONS.into_iter().zip([SMALL[1], SMALL[2]]) {
            check_steps::<E>(Case::new("optimizer", notation, activation, optimizer, 3, seed)?)?;
        }
    }
    Ok(())
}

fn check_steps<E: Engine>(mut case: Case) -> Result<(), Failure> {
    let mut parameters = case.draw_parameters();
    let mut engine = case.run(E::new(&case.spec, std::slice::from_ref(&parameters)))?;
    let mut velocity = case.run(engine.velocity(0))?;
    case.check_bits("first velocity", velocity.values(), &vec![0.0; velocity.values().len()])?;
    let momentum = f64::from(case.spec.optimizer.momentum);
    let mut learning_rate = 0.1;
    for step in 1..=N_STEPS {
        let (batch, expected) = case.draw_separated(&parameters, 1 + step % 3)?;
        let mut steps = [Step::default()];
        case.run(engine.train_step(&batch.images, &batch.labels, learning_rate, &mut steps))?;
        let rate = f64::from(learning_rate);
        let tolerances = expected.rounding.gradient_tolerances();

        // v' = m·v + g: two roundings of the sum's parts.
        let (mut want_v, mut tolerance_v) = (Vec::new(), Vec::new());
        for ((v, g), tolerance) in
            widened(velocity.values()).iter().zip(&expected.gradients.parameters).zip(&tolerances)
        {
            want_v.push(momentum * v + g);
            tolerance_v.push(tolerance + 4.0 * UNIT * ((momentum * v).abs() + g.abs()));
        }
        velocity = case.run(engine.velocity(0))?;
        case.check_tensors(
            &format!("velocity after step {step}"),
            &widened(velocity.values()),
            &want_v,
            &tolerance_v,
        )?;

        // θ' = θ − η·(v' or g + m·v'): the direction's error, four roundings of the update, one of the
        // result.
        let (mut want, mut tolerance) = (Vec::new(), Vec::new());
        for (i, &before) in widened(parameters.values()).iter().enumerate() {
            let g = expected.gradients.parameters[i];
            let (direction, off) = if case.spec.optimizer.nesterov {
                (g + momentum * want_v[i], tolerances[i] + momentum * tolerance_v[i])
            } else {
                (want_v[i], tolerance_v[i])
            };
            let size = g.abs() + want_v[i].abs();
            want.push(before - rate * direction);
            tolerance.push(rate * (off + 4.0 * UNIT * size) + UNIT * (before.abs() + rate * size));
        }
        parameters = case.run(engine.parameters(0))?;
        case.check_tensors(
            &format!("parameters after step {step}"),
            &widened(parameters.values()),
            &want,
            &tolerance,
        )?;
        learning_rate *= DECAY;
    }
    Ok(())
}
