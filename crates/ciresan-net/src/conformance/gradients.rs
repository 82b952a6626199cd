//! One step of plain descent against the reference: loss, gradient and update ratio.

use super::case::{ACTIVATIONS, Case, Failure, PAPER, PLAIN, SMALL, THEANO, widened};
use super::rounding::UNIT;
use crate::reference::update_ratio;
use crate::{Engine, Parameters, Step};

/// Loss, gradient and update ratio of every network: a single image, a batch smaller than the largest, a
/// whole one.
///
/// # Errors
/// The first value that is off.
pub fn gradients<E: Engine>() -> Result<(), Failure> {
    for activation in ACTIVATIONS {
        for (seed, notation) in (1..).zip(SMALL) {
            for (batch, max_batch) in [(1, 1), (2, 5), (4, 4)] {
                let case = Case::new("gradients", notation, activation, PLAIN, max_batch, seed)?;
                check_gradient::<E>(case, batch)?;
            }
        }
        check_gradient::<E>(Case::new("gradients", PAPER, activation, PLAIN, 3, 1)?, 3)?;
        check_gradient::<E>(Case::new("gradients", THEANO, activation, PLAIN, 4, 1)?, 1)?;
    }
    zero_tensors::<E>()?;
    large_losses::<E>()
}

fn check_gradient<E: Engine>(mut case: Case, batch: usize) -> Result<(), Failure> {
    let before = case.draw_parameters();
    check_gradient_at::<E>(case, &before, batch)
}

fn check_gradient_at<E: Engine>(mut case: Case, before: &Parameters, batch: usize) -> Result<(), Failure> {
    let (batch, expected) = case.draw_separated(before, batch)?;
    let mut engine = case.run(E::new(&case.spec, std::slice::from_ref(before)))?;
    // With a learning rate of 1 the parameters move by the gradient.
    let mut steps = [Step { loss: f64::NAN, update_ratio: f64::NAN, skipped: 1 }];
    case.run(engine.train_step(&batch.images, &batch.labels, 1.0, &mut steps))?;

    let loss_tolerance = expected.rounding.loss_tolerance(&expected.trace, &batch.labels);
    case.check_close("loss", [steps[0].loss], [expected.trace.loss(&batch.labels)], [loss_tolerance])?;
    case.check_skipped(steps[0], 0)?;

    let want = &expected.gradients.parameters;
    let tolerances = expected.rounding.gradient_tolerances();
    let velocity = widened(case.run(engine.optimizer_state(0))?.moments[0].values());
    case.check_tensors("velocity after one step without momentum", &velocity, want, &tolerances)?;

    let after = widened(case.run(engine.parameters(0))?.values());
    let moved: Vec<f64> =
        widened(before.values()).iter().zip(&after).map(|(before, after)| before - after).collect();
    // The difference of f32 is taken in f64, so the one rounding is that of the new value.
    let moved_tolerances: Vec<f64> = tolerances
        .iter()
        .zip(&after)
        .map(|(tolerance, after)| tolerance + UNIT * after.abs() * 2.0)
        .collect();
    case.check_tensors("gradient", &moved, want, &moved_tolerances)?;
    case.check_finite_differences(before, &batch, &expected, &velocity, &tolerances)?;

    let ratio_tolerance = ratio_tolerance(before, &tolerances, steps[0].update_ratio);
    case.check_close(
        "update ratio",
        [steps[0].update_ratio],
        [update_ratio(before, want, 1.0)],
        [ratio_tolerance],
    )
}

/// A norm is off by no more than the sum of what its values are off by; that the norms themselves may be
/// added up in f32 lanes costs some more roundings.
fn ratio_tolerance(parameters: &Parameters, gradient_tolerances: &[f64], ratio: f64) -> f64 {
    const NORM_ROUNDINGS: f64 = 64.0;
    update_ratio(parameters, gradient_tolerances, 1.0) + NORM_ROUNDINGS * UNIT * ratio.abs()
}

/// Tensors that are all zero, as biases are at first, have no share in the update ratio; with no other it is 0.
fn zero_tensors<E: Engine>() -> Result<(), Failure> {
    for activation in ACTIVATIONS {
        let mut case = Case::new("gradients, zero biases", SMALL[1], activation, PLAIN, 2, 1)?;
        let mut parameters = case.draw_parameters();
        for spec in parameters.layout().to_vec().iter().filter(|spec| spec.is_bias()) {
            parameters.values_mut()[spec.range.clone()].fill(0.0);
        }
        check_gradient_at::<E>(case, &parameters, 2)?;

        let mut case = Case::new("gradients, all zero", SMALL[1], activation, PLAIN, 2, 1)?;
        let batch = case.draw_batch(2);
        let mut engine = case.run(E::new(&case.spec, &[Parameters::zeros(&case.spec.network)]))?;
        let mut steps = [Step { loss: f64::NAN, update_ratio: f64::NAN, skipped: 1 }];
        case.run(engine.train_step(&batch.images, &batch.labels, 1.0, &mut steps))?;
        case.check_close("update ratio", [steps[0].update_ratio], [0.0], [0.0])?;
    }
    Ok(())
}

/// A wrong class that is sure of itself costs hundreds of nats: ln of a probability that has become zero is
/// infinite instead.
fn large_losses<E: Engine>() -> Result<(), Failure> {
    for activation in ACTIVATIONS {
        let mut case = Case::new("gradients, large loss", SMALL[1], activation, PLAIN, 2, 1)?;
        let mut parameters = case.draw_parameters();
        let classes = case.spec.network.classes();
        let n = parameters.values().len();
        for (class, bias) in parameters.values_mut()[n - classes..].iter_mut().enumerate() {
            *bias = 300.0 * class as f32;
        }
        let (mut batch, _) = case.draw_separated(&parameters, 2)?;
        batch.labels.fill(0);
        let expected = case.expect(&parameters, &batch);
        let mut engine = case.run(E::new(&case.spec, &[parameters]))?;
        let mut steps = [Step::default()];
        case.run(engine.train_step(&batch.images, &batch.labels, 0.5, &mut steps))?;
        let tolerance = expected.rounding.loss_tolerance(&expected.trace, &batch.labels);
        case.check_close("loss", [steps[0].loss], [expected.trace.loss(&batch.labels)], [tolerance])?;
    }
    Ok(())
}
