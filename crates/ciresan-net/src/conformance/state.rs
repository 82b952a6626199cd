//! Parameters and the optimizer's state are all of an engine's state, and come back as they were given.

use super::case::{ACTIVATIONS, ADAM_W, Batch, Case, Failure, NESTEROV, SMALL};
use crate::{Engine, OptimizerState, Parameters, Step};

/// What is set is read back bit for bit and touches nothing else; a NaN does not hide.
///
/// # Errors
/// The first bit that differs.
pub fn state<E: Engine>() -> Result<(), Failure> {
    for optimizer in [NESTEROV, ADAM_W] {
        for (seed, notation) in (1..).zip(SMALL) {
            read_back::<E>(Case::new("state, read back", notation, ACTIVATIONS[0], optimizer, 2, seed)?)?;
        }
    }
    for activation in ACTIVATIONS {
        for (seed, notation) in (1..).zip([SMALL[1], SMALL[2], SMALL[3]]) {
            nan_shows::<E>(Case::new("state, NaN", notation, activation, NESTEROV, 2, seed)?)?;
        }
    }
    Ok(())
}

/// A run that is taken over by a new engine in its middle, and one that is repeated, end with the same bits; predictions
/// change nothing.
///
/// # Errors
/// The first bit that differs.
pub fn resumed<E: Engine>() -> Result<(), Failure> {
    for (activation, optimizer) in ACTIVATIONS.into_iter().flat_map(|a| [(a, NESTEROV), (a, ADAM_W)]) {
        for (seed, notation) in (1..).zip([SMALL[1], SMALL[2], SMALL[3]]) {
            taken_over::<E>(Case::new("resumed", notation, activation, optimizer, 3, seed)?)?;
        }
    }
    Ok(())
}

/// Values of all kinds: zeros of both signs, the smallest and the largest numbers, and ordinary ones.
fn draw_values(case: &mut Case) -> Parameters {
    let mut parameters = Parameters::zeros(&case.spec.network);
    let special = [0.0, -0.0, f32::from_bits(1), f32::MIN_POSITIVE, f32::MAX, f32::MIN, f32::INFINITY];
    for value in parameters.values_mut() {
        let kind = case.below(4 * special.len());
        *value = special.get(kind).copied().unwrap_or_else(|| case.uniform());
    }
    parameters
}

fn draw_state(case: &mut Case) -> OptimizerState {
    let names = case.spec.optimizer.moments();
    OptimizerState { n_steps: u64::MAX - 1, moments: names.iter().map(|_| draw_values(case)).collect() }
}

fn read_back<E: Engine>(mut case: Case) -> Result<(), Failure> {
    let first: Vec<_> = (0..2).map(|_| draw_values(&mut case)).collect();
    let mut engine = case.run(E::new(&case.spec, &first))?;
    let (parameters, state) = (draw_values(&mut case), draw_state(&mut case));
    let fresh = OptimizerState::new(&case.spec.optimizer, &case.spec.network);
    case.run(engine.set_parameters(1, &parameters))?;
    case.check_state("parameters set:", &case.run(engine.optimizer_state(1))?, &fresh)?;
    case.run(engine.set_optimizer_state(1, &state))?;
    let again = draw_values(&mut case);
    case.run(engine.set_parameters(1, &again))?;
    case.check_bits("parameters of column 0", case.run(engine.parameters(0))?.values(), first[0].values())?;
    case.check_state("column 0:", &case.run(engine.optimizer_state(0))?, &fresh)?;
    case.check_bits("parameters of column 1", case.run(engine.parameters(1))?.values(), again.values())?;
    let got = case.run(engine.optimizer_state(1))?;
    case.check_state("column 1:", &got, &state)?;
    let parameters = case.run(engine.parameters(1))?;
    if got.moments.iter().chain([&parameters]).any(|values| values.layout() != again.layout()) {
        return Err(case.fail("parameters or moments: another layout than the network's"));
    }
    Ok(())
}

fn train<E: Engine>(case: &Case, engine: &mut E, batches: &[Batch]) -> Result<Vec<u64>, Failure> {
    let mut bits = Vec::new();
    for batch in batches {
        let mut steps = [Step::default(); 2];
        case.run(engine.train_step(&batch.images, &batch.labels, 0.05, &mut steps))?;
        bits.extend(steps.iter().flat_map(|step| [step.loss.to_bits(), step.update_ratio.to_bits()]));
    }
    Ok(bits)
}

fn taken_over<E: Engine>(mut case: Case) -> Result<(), Failure> {
    let first: Vec<_> = (0..2).map(|_| case.draw_parameters()).collect();
    let batches: Vec<_> = [3, 1, 2, 3, 2].map(|batch| case.draw_batch(2 * batch)).into();
    let mut unbroken = case.run(E::new(&case.spec, &first))?;
    let head = train(&case, &mut unbroken, &batches[..2])?;

    let zeros = vec![Parameters::zeros(&case.spec.network); 2];
    let mut second = case.run(E::new(&case.spec, &zeros))?;
    // It has a past of its own, which must not show.
    train(&case, &mut second, &batches[3..])?;
    for column in 0..2 {
        case.run(second.set_optimizer_state(column, &case.run(unbroken.optimizer_state(column))?))?;
        case.run(second.set_parameters(column, &case.run(unbroken.parameters(column))?))?;
    }
    let images = case.draw_images(4);
    let mut probabilities = vec![0.0; 4 * case.spec.network.classes()];
    case.run(second.predict(0, &images, &mut probabilities))?;

    let tail = train(&case, &mut unbroken, &batches[2..])?;
    if train(&case, &mut second, &batches[2..])? != tail {
        return Err(case.fail("losses or update ratios: other bits after the state was taken over"));
    }
    let mut repeated = case.run(E::new(&case.spec, &first))?;
    if train(&case, &mut repeated, &batches)? != [head, tail].concat() {
        return Err(case.fail("losses or update ratios: other bits in a second run"));
    }
    for column in 0..2 {
        for (name, other) in [("taken over", &second), ("repeated", &repeated)] {
            case.check_bits(
                &format!("parameters of column {column}, {name}"),
                case.run(other.parameters(column))?.values(),
                case.run(unbroken.parameters(column))?.values(),
            )?;
            case.check_state(
                &format!("column {column}, {name}:"),
                &case.run(other.optimizer_state(column))?,
                &case.run(unbroken.optimizer_state(column))?,
            )?;
        }
    }
    Ok(())
}

/// A NaN in any tensor must come out, however many maxima and rectifiers are on its way.
fn nan_shows<E: Engine>(mut case: Case) -> Result<(), Failure> {
    let first = case.draw_parameters();
    let batch = case.draw_batch(2);
    for spec in first.layout() {
        let mut parameters = first.clone();
        parameters.values_mut()[spec.range.start] = f32::NAN;
        let mut engine = case.run(E::new(&case.spec, &[parameters]))?;
        let mut probabilities = vec![0.0; 2 * case.spec.network.classes()];
        case.run(engine.predict(0, &batch.images, &mut probabilities))?;
        if probabilities.iter().all(|probability| probability.is_finite()) {
            return Err(case.fail(format_args!("probabilities: all finite with a NaN in {}", spec.name)));
        }
        let mut steps = [Step::default()];
        case.run(engine.train_step(&batch.images, &batch.labels, 0.05, &mut steps))?;
        if steps[0].loss.is_finite() {
            return Err(case.fail(format_args!("loss: got {} with a NaN in {}", steps[0].loss, spec.name)));
        }
    }
    Ok(())
}
