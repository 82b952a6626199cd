//! What an engine refuses, and that refusing changes nothing.

use super::case::{ACTIVATIONS, ADAM_W, Case, Failure, NESTEROV, SMALL, UNUSUAL};
use crate::{
    Engine, EngineError, EngineSpec, Network, Optimizer, OptimizerError, OptimizerState, Parameters, Step,
};
use std::mem::discriminant;

/// A network with 2 maps of input, 3 classes and no symmetry.
const NETWORK: &str = SMALL[1];

/// Wrong specs, lengths, batches, labels, columns and parameters give the errors of [`EngineSpec::check`] and
/// its companions; afterwards parameters, the optimizer's state and output slices are as they were.
///
/// # Errors
/// The first call that is not refused as it should be.
pub fn errors<E: Engine>() -> Result<(), Failure> {
    let case = Case::new("errors", NETWORK, ACTIVATIONS[0], NESTEROV, 4, 1)?;
    making::<E>(&case)?;
    calling::<E>(case)?;
    half_a_state::<E>(Case::new("errors", NETWORK, ACTIVATIONS[0], ADAM_W, 4, 1)?)?;
    for notation in UNUSUAL {
        let case = Case::new("errors", notation, ACTIVATIONS[0], NESTEROV, 4, 1)?;
        match E::new(&case.spec, &[Parameters::zeros(&case.spec.network)]) {
            Ok(_) | Err(EngineError::NotSupported { .. }) => {}
            Err(error) => {
                return Err(case.fail(format_args!("expected it taken or not supported, got: {error}")));
            }
        }
    }
    Ok(())
}

impl Case {
    /// `result` must be an error like `want`.
    pub(super) fn check_refused<T>(
        &self,
        what: &str,
        result: Result<T, EngineError>,
        want: &EngineError,
    ) -> Result<(), Failure> {
        match result {
            Ok(_) => Err(self.fail(format_args!("{what}: accepted, expected: {want}"))),
            Err(got) if discriminant(&got) == discriminant(want) => Ok(()),
            Err(got) => Err(self.fail(format_args!("{what}: got the error: {got}; expected: {want}"))),
        }
    }

    fn another(&self, notation: &str) -> Result<Parameters, Failure> {
        let network: Network = notation.parse().map_err(|error: crate::NotationError| self.fail(error))?;
        Ok(Parameters::zeros(&network))
    }
}

/// Parameters of other networks: some more, and as many in other shapes.
fn strangers(case: &Case) -> Result<[(Parameters, EngineError); 2], Failure> {
    let n = case.spec.network.n_params();
    let more = case.another("2x13x10-4C3-MP2-6C2-MP2-10N-3N")?;
    let length = EngineError::Length { what: "parameters", got: more.values().len(), want: n };
    // 325 parameters as the network has, but as 5·64 weights and 5 biases.
    let as_many = case.another("64x1x1-5N")?;
    let layout = EngineError::Layout { what: "parameters", got: String::new(), want: String::new() };
    Ok([(more, length), (as_many, layout)])
}

fn making<E: Engine>(case: &Case) -> Result<(), Failure> {
    let columns = [Parameters::zeros(&case.spec.network), Parameters::zeros(&case.spec.network)];
    case.run(E::new(&case.spec, &columns))?;
    case.check_refused("no columns", E::new(&case.spec, &[]), &EngineError::NoColumns)?;
    let no_batch = EngineSpec { max_batch: 0, ..case.spec.clone() };
    case.check_refused("largest batch 0", E::new(&no_batch, &columns), &EngineError::NoBatch)?;
    for skip_below in [-0.1, 0.6, f32::NAN] {
        let wrong = EngineSpec { skip_below, ..case.spec.clone() };
        let want = EngineError::SkipBelow { got: skip_below };
        case.check_refused(&format!("skip_below {skip_below}"), E::new(&wrong, &columns), &want)?;
    }
    let sgd = |momentum| Optimizer::Sgd { momentum, nesterov: false };
    let adam_w = |beta2, epsilon| Optimizer::AdamW { beta1: 0.9, beta2, epsilon, weight_decay: 0.0 };
    for optimizer in [sgd(1.0), sgd(-0.5), sgd(f32::NAN), adam_w(1.0, 0.1), adam_w(0.9, 0.0)] {
        let wrong = EngineSpec { optimizer, ..case.spec.clone() };
        let want = EngineError::Optimizer(OptimizerError { name: "", got: 0.0, want: "" });
        case.check_refused(&format!("{optimizer:?}"), E::new(&wrong, &columns), &want)?;
    }
    for (stranger, want) in strangers(case)? {
        let columns = [columns[0].clone(), stranger];
        case.check_refused("columns of another network", E::new(&case.spec, &columns), &want)?;
    }
    Ok(())
}

/// Of two moments the first fits.
fn half_a_state<E: Engine>(mut case: Case) -> Result<(), Failure> {
    let (fits, fresh) =
        (case.draw_parameters(), OptimizerState::new(&case.spec.optimizer, &case.spec.network));
    let mut engine = case.run(E::new(&case.spec, std::slice::from_ref(&fits)))?;
    for (stranger, want) in strangers(&case)? {
        let state = OptimizerState { n_steps: 7, moments: vec![fits.clone(), stranger] };
        case.check_refused("half a state", engine.set_optimizer_state(0, &state), &want)?;
        case.check_state("after half a state:", &case.run(engine.optimizer_state(0))?, &fresh)?;
    }
    Ok(())
}

fn calling<E: Engine>(mut case: Case) -> Result<(), Failure> {
    const SENTINEL: f32 = 0.25;
    let columns: Vec<_> = (0..2).map(|_| case.draw_parameters()).collect();
    let mut engine = case.run(E::new(&case.spec, &columns))?;
    let untouched = [Step { loss: 0.5, update_ratio: 0.25, skipped: 7 }; 3];
    let batch = case.draw_batch(12);
    let image_len = case.spec.network.input().len();
    let mut steps = untouched;
    case.run(engine.train_step(&batch.images[..4 * image_len], &batch.labels[..4], 0.1, &mut steps[..2]))?;
    let mut before = Vec::new();
    for column in 0..2 {
        before.push((case.run(engine.parameters(column))?, case.run(engine.optimizer_state(column))?));
    }

    let length = EngineError::Length { what: "", got: 0, want: 0 };
    let no_batch = EngineError::Batch { got: 0, max: 4 };
    // Values of the images, labels, steps, and the error.
    let steps_refused = [
        ("an image short", 3 * image_len, 4, 2, &length),
        ("a value short", 4 * image_len - 1, 4, 2, &length),
        ("a value over", 4 * image_len + 1, 4, 2, &length),
        ("a label short", 4 * image_len, 3, 2, &length),
        ("a step short", 4 * image_len, 4, 1, &length),
        ("a step over", 4 * image_len, 4, 3, &length),
        ("batch of 0", 0, 0, 2, &no_batch),
        ("batch of 5", 10 * image_len, 10, 2, &no_batch),
    ];
    for (what, n_values, n_labels, n_steps, want) in steps_refused {
        let mut steps = untouched;
        let result = engine.train_step(
            &batch.images[..n_values],
            &batch.labels[..n_labels],
            0.1,
            &mut steps[..n_steps],
        );
        case.check_refused(what, result, want)?;
        if steps != untouched {
            return Err(case.fail(format_args!("{what}: steps written, {steps:?}")));
        }
    }
    for index in [0, 3] {
        let mut labels = batch.labels[..4].to_vec();
        labels[index] = 3;
        let mut steps = untouched;
        let result = engine.train_step(&batch.images[..4 * image_len], &labels, 0.1, &mut steps[..2]);
        case.check_refused(
            "label 3 of 3 classes",
            result,
            &EngineError::Label { index, got: 3, classes: 3 },
        )?;
        if steps != untouched {
            return Err(case.fail(format_args!("label 3 of 3 classes: steps written, {steps:?}")));
        }
    }
    let no_column = EngineError::Column { got: 2, n: 2 };
    let predictions_refused = [
        ("prediction by column 2 of 2", 2, image_len, 3, &no_column),
        ("prediction, a value short", 0, image_len - 1, 3, &length),
        ("prediction, a value over", 1, image_len + 1, 3, &length),
        ("prediction, a probability short", 1, image_len, 2, &length),
        ("prediction, a probability over", 1, image_len, 4, &length),
        ("prediction, a row over", 1, image_len, 6, &length),
        ("prediction of nothing, probabilities wanted", 1, 0, 3, &length),
    ];
    for (what, column, n_values, n_probabilities, want) in predictions_refused {
        let mut probabilities = [SENTINEL; 6];
        let result = engine.predict(column, &batch.images[..n_values], &mut probabilities[..n_probabilities]);
        case.check_refused(what, result, want)?;
        case.check_bits(what, &probabilities, &[SENTINEL; 6])?;
    }
    for (stranger, want) in strangers(&case)? {
        case.check_refused("parameters of another network", engine.set_parameters(1, &stranger), &want)?;
        let state = OptimizerState { n_steps: 1, moments: vec![stranger] };
        let refused = engine.set_optimizer_state(1, &state);
        case.check_refused("velocity of another network", refused, &want)?;
    }
    let [few, many] = [0, 2].map(|n| OptimizerState { n_steps: 1, moments: vec![columns[0].clone(); n] });
    case.check_refused("no moment for a velocity", engine.set_optimizer_state(1, &few), &length)?;
    case.check_refused("two moments for a velocity", engine.set_optimizer_state(1, &many), &length)?;
    case.check_refused("parameters of column 2 of 2", engine.set_parameters(2, &columns[0]), &no_column)?;
    let state = before[0].1.clone();
    case.check_refused("state of column 2 of 2", engine.set_optimizer_state(2, &state), &no_column)?;
    for (column, (parameters, state)) in before.iter().enumerate() {
        case.check_bits(
            "parameters after errors",
            case.run(engine.parameters(column))?.values(),
            parameters.values(),
        )?;
        case.check_state("after errors:", &case.run(engine.optimizer_state(column))?, state)?;
    }
    Ok(())
}
