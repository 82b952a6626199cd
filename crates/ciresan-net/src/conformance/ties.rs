//! Exact ties in pooling windows, and sums that are exactly zero.

use super::case::{Batch, Case, Failure, PLAIN, widened};
use crate::reference::{Reference, Tie};
use crate::{Activation, Engine, Parameters, Step};

/// Networks whose sums before every pooling are exact in f32 when all numbers are small multiples of a power
/// of two: the rectifier keeps them so, the scaled tanh does not and is pooled once only.
const NETWORKS: [(&str, Activation); 5] = [
    ("1x9x9-3C2-MP2-4C2-MP3-5N-3N", Activation::Relu),
    ("2x8x7-5C2-MP3-3N", Activation::Relu),
    ("1x19x18-3C2-MP2-5C2-MP2-4C2-MP2-6N-5N", Activation::Relu),
    ("1x9x9-3C2-MP2-5N-3N", Activation::ScaledTanh),
    ("2x8x7-17C3-MP3-3N", Activation::ScaledTanh),
];

/// Draws that are tried until ties make a difference.
const MAX_DRAWS: u32 = 100;

/// Gradients where windows have several equal largest values: the first in row-major order takes all. With
/// the rectifier there are also sums of exactly zero, which pass nothing on.
///
/// # Errors
/// The first value that is off.
pub fn ties<E: Engine>() -> Result<(), Failure> {
    for (notation, activation) in NETWORKS {
        for seed in 1..=3 {
            check_ties::<E>(Case::new("ties", notation, activation, PLAIN, 2, seed)?)?;
        }
    }
    Ok(())
}

fn check_ties<E: Engine>(mut case: Case) -> Result<(), Failure> {
    let last_wins = Reference::with_tie(&case.spec.network, case.spec.activation, Tie::LastWins);
    for _ in 0..MAX_DRAWS {
        let (parameters, batch) = draw_coarse(&mut case);
        let expected = case.expect(&parameters, &batch);
        let tolerances = expected.rounding.gradient_tolerances();
        let want = &expected.gradients.parameters;
        let wide = widened(parameters.values());
        let trace = last_wins.forward(&wide, &batch.wide_images);
        let wrong = last_wins.backward(&wide, &batch.wide_images, &trace, &batch.labels, None).parameters;
        let differs =
            |((want, wrong), tolerance): ((&f64, &f64), &f64)| (want - wrong).abs() > 2.0 * tolerance;
        if !want.iter().zip(&wrong).zip(&tolerances).any(differs) {
            continue;
        }
        let mut engine = case.run(E::new(&case.spec, &[parameters]))?;
        case.run(engine.train_step(&batch.images, &batch.labels, 0.1, &mut [Step::default()]))?;
        return case.check_tensors(
            "gradient",
            &widened(case.run(engine.optimizer_state(0))?.moments[0].values()),
            want,
            &tolerances,
        );
    }
    Err(case.fail(format_args!("no ties that matter in {MAX_DRAWS} draws")))
}

/// Images of halves; weights and biases of −½, 0 and ½, so that every sum of the networks above is exact in
/// f32.
fn draw_coarse(case: &mut Case) -> (Parameters, Batch) {
    let mut parameters = Parameters::zeros(&case.spec.network);
    parameters.values_mut().fill_with(|| case.below(3) as f32 / 2.0 - 0.5);
    let mut batch = case.draw_batch(2);
    batch.images.fill_with(|| case.below(5) as f32 / 2.0 - 1.0);
    batch.wide_images = widened(&batch.images);
    (parameters, batch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::Operation;

    #[test]
    fn sums_before_poolings_are_exact_in_f32() {
        for (notation, activation) in NETWORKS {
            let mut case = Case::new("ties", notation, activation, PLAIN, 2, 1).unwrap();
            let (parameters, batch) = draw_coarse(&mut case);
            let magnitudes: Vec<f64> = widened(parameters.values()).iter().map(|value| value.abs()).collect();
            let trace = case.reference.forward(&widened(parameters.values()), &batch.wide_images);
            // With all operands positive every partial sum, in whatever order, is below these.
            let bounds = case.reference.forward(&magnitudes, &vec![1.0; batch.images.len()]);
            let mut fraction_bits = 1;
            for (i, layer) in case.reference.plan().iter().enumerate() {
                if !case.reference.is_pooled_next(i) {
                    continue;
                }
                fraction_bits += 1;
                assert!(matches!(layer.operation, Operation::Linear { .. }));
                let scale = 2.0_f64.powi(fraction_bits);
                for sum in &trace.layers[i].sums {
                    assert_eq!((sum * scale).fract().to_bits() << 1, 0, "{notation}: {sum} has more bits");
                }
                let largest = bounds.layers[i].sums.iter().fold(0.0_f64, |max, &sum| max.max(sum));
                assert!(largest * scale < 2.0_f64.powi(24), "{notation}: {largest} is too large");
            }
        }
    }
}
