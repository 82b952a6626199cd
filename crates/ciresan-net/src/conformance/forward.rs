//! Predictions against the reference.

use super::case::{ACTIVATIONS, Case, Failure, PAPER, PLAIN, SMALL, THEANO, UNUSUAL, widened};
use super::rounding::Rounding;
use crate::{Engine, EngineError, Parameters};

/// Predictions of every network by either of two columns, for no image, one, a whole batch and several
/// batches.
///
/// # Errors
/// The first prediction that is off.
pub fn forward<E: Engine>() -> Result<(), Failure> {
    for activation in ACTIVATIONS {
        for (seed, notation) in (1..).zip(SMALL) {
            let case = Case::new("forward", notation, activation, PLAIN, 3, seed)?;
            check_predictions::<E>(case, &[0, 1, 3, 7], 1.0, Support::Demanded)?;
            // Logits of hundreds: a softmax that does not subtract its row's maximum overflows.
            let case = Case::new("forward, large logits", notation, activation, PLAIN, 2, seed)?;
            check_predictions::<E>(case, &[3], 300.0, Support::Demanded)?;
        }
        for notation in [PAPER, THEANO] {
            let case = Case::new("forward", notation, activation, PLAIN, 2, 1)?;
            check_predictions::<E>(case, &[3], 1.0, Support::Demanded)?;
        }
        for notation in UNUSUAL {
            let case = Case::new("forward", notation, activation, PLAIN, 2, 1)?;
            check_predictions::<E>(case, &[3], 1.0, Support::Optional)?;
        }
    }
    Ok(())
}

/// Whether an engine may refuse a network as not supported.
enum Support {
    Demanded,
    Optional,
}

fn check_predictions<E: Engine>(
    mut case: Case,
    numbers: &[usize],
    output_scale: f32,
    support: Support,
) -> Result<(), Failure> {
    let columns: Vec<Parameters> = (0..2)
        .map(|_| {
            let mut parameters = case.draw_parameters();
            let n_last = parameters.layout().iter().rev().take(2).map(|spec| spec.range.len()).sum::<usize>();
            parameters.values_mut().iter_mut().rev().take(n_last).for_each(|value| *value *= output_scale);
            parameters
        })
        .collect();
    let mut engine = match E::new(&case.spec, &columns) {
        Err(EngineError::NotSupported { .. }) if matches!(support, Support::Optional) => return Ok(()),
        result => case.run(result)?,
    };
    if engine.n_columns() != 2 {
        return Err(case.fail(format_args!("n_columns: got {}, want 2", engine.n_columns())));
    }
    for (&n, column) in numbers.iter().flat_map(|n| [(n, 1), (n, 0)]) {
        let images = case.draw_images(n);
        let mut got = vec![f32::NAN; n * case.spec.network.classes()];
        case.run(engine.predict(column, &images, &mut got))?;
        let (parameters, images) = (widened(columns[column].values()), widened(&images));
        let trace = case.reference.forward(&parameters, &images);
        let tolerances =
            Rounding::forward(&case.reference, &parameters, &images, &trace).probability_tolerances();
        let what = format!("probabilities of {n} images by column {column}");
        case.check_close(&what, widened(&got), trace.probabilities, tolerances)?;
    }
    Ok(())
}
