//! Images whose label is probable enough are skipped: [`EngineSpec::skip_below`](crate::EngineSpec::skip_below).

use super::case::{ACTIVATIONS, Batch, Case, Expected, Failure, PAPER, PLAIN, SMALL, widened};
use crate::{Engine, Parameters, Step};

const N_COLUMNS: usize = 2;

/// Draws that are tried until no image is near the bound.
const MAX_DRAWS: u32 = 100;

/// Loss, gradient and number of skipped images where some images of a batch are skipped, and where all are; many images
/// too. A skipped image counts in the loss and in what the gradient is divided by.
///
/// # Errors
/// The first value that is off.
pub fn skipping<E: Engine>() -> Result<(), Failure> {
    for activation in ACTIVATIONS {
        let case =
            |notation, max_batch, seed| Case::new("skipping", notation, activation, PLAIN, max_batch, seed);
        for (seed, notation) in (1..).zip([SMALL[1], SMALL[2], SMALL[4], SMALL[11]]) {
            check::<E>(case(notation, 6, seed)?, 5, Skipped::Some)?;
            check::<E>(case(notation, 3, seed)?, 2, Skipped::All)?;
        }
        check::<E>(case(SMALL[5], 70, 1)?, 70, Skipped::Some)?;
        check::<E>(case(PAPER, 3, 1)?, 3, Skipped::Some)?;
    }
    Ok(())
}

/// Which images of a batch are skipped.
#[derive(Clone, Copy)]
enum Skipped {
    /// Those whose label is more probable than the bound, which lies between two labels that are the most probable classes.
    Some,
    All,
}

impl Skipped {
    /// The bound for these probabilities of the labels, which are in rising order, if there is one.
    fn bound(self, rising: &[f64]) -> Option<f64> {
        match self {
            Self::All => (*rising.first()? > 0.5).then_some(0.5),
            Self::Some => {
                let gaps = rising.windows(2).filter(|pair| pair[0] > 0.5);
                let widest = gaps.max_by(|a, b| (a[1] - a[0]).total_cmp(&(b[1] - b[0])))?;
                Some(f64::midpoint(widest[0], widest[1]))
            }
        }
    }
}

fn check<E: Engine>(mut case: Case, batch: usize, which: Skipped) -> Result<(), Failure> {
    let columns: Vec<_> = (0..N_COLUMNS).map(|_| case.draw_sure_parameters()).collect();
    for _ in 0..MAX_DRAWS {
        let mut drawn = Vec::new();
        for parameters in &columns {
            drawn.push(draw(&mut case, parameters, batch, which)?);
        }
        let of_labels = |(batch, expected): &(Batch, Expected)| -> Vec<f64> {
            expected.trace.of_labels(&batch.labels).collect()
        };
        let mut rising: Vec<f64> = drawn.iter().flat_map(of_labels).collect();
        rising.sort_by(f64::total_cmp);
        let Some(bound) = which.bound(&rising) else { continue };
        case.spec.skip_below = (1.0 - bound) as f32;
        if drawn.iter().all(|(batch, expected)| is_clear_of(bound, batch, expected)) {
            let name = case.spec.skip_below;
            return check_step::<E>(&case.skipping(name), &columns, &drawn);
        }
    }
    Err(case.fail(format_args!("no images clear of a bound in {MAX_DRAWS} draws")))
}

/// A batch whose labels are the most probable classes; where only some are to be skipped, the first one is wrong.
fn draw(
    case: &mut Case,
    parameters: &Parameters,
    batch: usize,
    which: Skipped,
) -> Result<(Batch, Expected), Failure> {
    let (mut batch, expected) = case.draw_separated(parameters, batch)?;
    let classes = case.spec.network.classes();
    for (label, row) in batch.labels.iter_mut().zip(expected.trace.probabilities.chunks_exact(classes)) {
        let largest = (0..classes).max_by(|&a, &b| row[a].total_cmp(&row[b]));
        *label = largest.unwrap_or_default() as u8;
    }
    if let Skipped::Some = which {
        batch.labels[0] = (batch.labels[0] + 1) % classes as u8;
    }
    Ok((batch, expected))
}

/// Whether no rounding brings the probability of a label to the other side of the bound.
fn is_clear_of(bound: f64, batch: &Batch, expected: &Expected) -> bool {
    let tolerances = expected.rounding.probability_tolerances();
    let rows = tolerances.chunks_exact(tolerances.len() / batch.labels.len());
    let of_labels = expected.trace.of_labels(&batch.labels).zip(rows).zip(&batch.labels);
    // Beside the probability's own error the bound is rounded, twice.
    of_labels.into_iter().all(|((probability, row), &label)| {
        (probability - bound).abs() > row[usize::from(label)] + 2.0 * f64::from(f32::EPSILON)
    })
}

fn check_step<E: Engine>(
    case: &Case,
    columns: &[Parameters],
    drawn: &[(Batch, Expected)],
) -> Result<(), Failure> {
    let mut engine = case.run(E::new(&case.spec, columns))?;
    let images: Vec<f32> = drawn.iter().flat_map(|(batch, _)| batch.images.clone()).collect();
    let labels: Vec<u8> = drawn.iter().flat_map(|(batch, _)| batch.labels.clone()).collect();
    let mut steps = [Step::default(); N_COLUMNS];
    case.run(engine.train_step(&images, &labels, 1.0, &mut steps))?;
    for (i, ((batch, _), parameters)) in drawn.iter().zip(columns).enumerate() {
        let expected = case.expect(parameters, batch);
        let skipped = expected.trace.skipped(&batch.labels, case.spec.skip_bound());
        case.check_skipped(steps[i], skipped.filter(|&skipped| skipped).count())?;
        let loss = expected.trace.loss(&batch.labels);
        let tolerance = expected.rounding.loss_tolerance(&expected.trace, &batch.labels);
        case.check_close(&format!("loss of column {i}"), [steps[i].loss], [loss], [tolerance])?;
        let velocity = widened(case.run(engine.optimizer_state(i))?.moments[0].values());
        case.check_tensors(
            &format!("gradient of column {i}"),
            &velocity,
            &expected.gradients.parameters,
            &expected.rounding.gradient_tolerances(),
        )?;
    }
    Ok(())
}

impl Case {
    /// The number of skipped images is exact.
    pub(super) fn check_skipped(&self, step: Step, want: usize) -> Result<(), Failure> {
        if step.skipped as usize == want {
            return Ok(());
        }
        Err(self.fail(format_args!("skipped images: got {}, want {want}", step.skipped)))
    }
}
