//! Steps of every optimizer against the formulas of [`Optimizer`].

use super::case::{ACTIVATIONS, Case, Failure, SMALL, widened};
use super::rounding::UNIT;
use crate::reference::step;
use crate::{Engine, Optimizer, OptimizerState, Step};

/// Steps of a run, and what the learning rate falls by from one to the next.
const N_STEPS: u64 = 10;
const DECAY: f32 = 0.9;

const fn sgd(momentum: f32, nesterov: bool) -> Optimizer {
    Optimizer::Sgd { momentum, nesterov }
}

const fn adam_w(beta1: f32, beta2: f32, epsilon: f32, weight_decay: f32) -> Optimizer {
    Optimizer::AdamW { beta1, beta2, epsilon, weight_decay }
}

/// Descent without momentum, with it, and with Nesterov's look-ahead; AdamW as it is used, with short memories, and with none.
const OPTIMIZERS: [Optimizer; 8] = [
    sgd(0.0, false),
    sgd(0.9, false),
    sgd(0.9, true),
    sgd(0.0, true),
    sgd(0.5, true),
    adam_w(0.9, 0.999, 1e-8, 0.01),
    adam_w(0.5, 0.9, 0.01, 0.5),
    adam_w(0.0, 0.0, 1.0, 0.0),
];

/// Ten steps of a falling learning rate by every optimizer, beside a column that has made more steps.
///
/// Each step is compared on its own, from the state that the engine had before it: what is computed is a
/// step, and small differences do not grow.
///
/// # Errors
/// The first value that is off.
pub fn optimizer<E: Engine>() -> Result<(), Failure> {
    for (seed, optimizer) in (1..).zip(OPTIMIZERS) {
        for (activation, notation) in ACTIVATIONS.into_iter().zip([SMALL[1], SMALL[2]]) {
            check_steps::<E>(Case::new("optimizer", notation, activation, optimizer, 3, seed)?)?;
        }
    }
    Ok(())
}

fn check_steps<E: Engine>(mut case: Case) -> Result<(), Failure> {
    let mut parameters = case.draw_parameters();
    let older = case.draw_parameters();
    let mut engine = case.run(E::new(&case.spec, &[older, parameters.clone()]))?;
    let mut state = OptimizerState::new(&case.spec.optimizer, &case.spec.network);
    case.check_state("first", &case.run(engine.optimizer_state(1))?, &state)?;
    case.run(engine.set_optimizer_state(0, &OptimizerState { n_steps: 1000, ..state.clone() }))?;
    let mut learning_rate = 0.1;
    for t in 1..=N_STEPS {
        let (batch, expected) = case.draw_separated(&parameters, 1 + t as usize % 3)?;
        let (images, labels) = (batch.images.repeat(2), batch.labels.repeat(2));
        let mut steps = [Step::default(); 2];
        case.run(engine.train_step(&images, &labels, learning_rate, &mut steps))?;
        let rate = f64::from(learning_rate);
        let gradient = expected.gradients.parameters.iter().zip(expected.rounding.gradient_tolerances());
        let wide: Vec<Vec<f64>> = state.moments.iter().map(|moment| widened(moment.values())).collect();
        let mut want = Vec::new();
        for (i, (&g, off)) in gradient.enumerate() {
            let moments: Vec<f64> = wide.iter().map(|moment| moment[i]).collect();
            let value = f64::from(parameters.values()[i]);
            want.push(Want::new(case.spec.optimizer, t, value, &moments, (g, off), rate));
        }

        state = case.run(engine.optimizer_state(1))?;
        if state.n_steps != t {
            return Err(case.fail(format_args!("steps counted: {}, expected {t}", state.n_steps)));
        }
        let after = case.spec.optimizer.moments().iter().zip(&state.moments);
        for (k, (name, moment)) in after.enumerate() {
            let (values, off): (Vec<_>, Vec<_>) = want.iter().map(|want| want.moments[k]).unzip();
            case.check_tensors(&format!("{name} after step {t}"), &widened(moment.values()), &values, &off)?;
        }
        parameters = case.run(engine.parameters(1))?;
        let (values, off): (Vec<_>, Vec<_>) = want.iter().map(|want| want.value).unzip();
        case.check_tensors(
            &format!("parameters after step {t}"),
            &widened(parameters.values()),
            &values,
            &off,
        )?;
        learning_rate *= DECAY;
    }
    Ok(())
}

/// One value after a step and its moments, each with how far off it may be.
struct Want {
    moments: Vec<(f64, f64)>,
    value: (f64, f64),
}

impl Want {
    /// From before step number `t`; `g` is the gradient and how far off that may be.
    fn new(optimizer: Optimizer, t: u64, before: f64, moments: &[f64], g: (f64, f64), rate: f64) -> Self {
        let (after, value) = step(optimizer, t, before, moments, g.0, rate);
        match optimizer {
            Optimizer::Sgd { momentum, nesterov } => {
                let momentum = f64::from(momentum);
                // Two roundings of the sum's parts.
                let off_v = g.1 + 4.0 * UNIT * ((momentum * moments[0]).abs() + g.0.abs());
                // The direction's error, four roundings of the update, one of the result.
                let off = if nesterov { g.1 + momentum * off_v } else { off_v };
                let size = g.0.abs() + after[0].abs();
                let off = rate * (off + 4.0 * UNIT * size) + UNIT * (before.abs() + rate * size);
                Self { moments: vec![(after[0], off_v)], value: (value, off) }
            }
            Optimizer::AdamW { beta1, beta2, epsilon, .. } => {
                let [of_m, of_s] = [beta1, beta2].map(|beta| 1.0 - f64::from(beta));
                // Four roundings of the parts.
                let size_m = after[0].abs() + 2.0 * of_m * g.0.abs();
                let off_m = of_m * g.1 + 4.0 * UNIT * size_m;
                let off_s = of_s * (2.0 * g.0.abs() + g.1) * g.1 + 4.0 * UNIT * after[1];
                // A quotient by a root has no derivative at zero: it lies between those of the extremes.
                let [correction_m, correction_s] = optimizer.bias_corrections(t);
                let direction = |m: f64, s: f64| {
                    (m / correction_m) / ((s.max(0.0) / correction_s).sqrt() + f64::from(epsilon))
                };
                let exact = direction(after[0], after[1]);
                let corners = [(-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0), (1.0, 1.0)];
                let off = corners
                    .map(|(a, b)| (direction(after[0] + a * off_m, after[1] + b * off_s) - exact).abs());
                let off = off.into_iter().fold(0.0, f64::max);
                // Ten roundings of the direction and its factors, three of the decay and the result.
                let off = rate * (off + 10.0 * UNIT * exact.abs())
                    + 3.0 * UNIT * (before.abs() + rate * exact.abs());
                Self { moments: vec![(after[0], off_m), (after[1], off_s)], value: (value, off) }
            }
        }
    }
}
