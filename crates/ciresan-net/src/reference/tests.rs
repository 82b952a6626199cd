//! The reference against values worked out by hand and against finite differences.

use super::*;
use crate::Initialization;
use chacha20::ChaCha8Rng;
use rand::{Rng, SeedableRng};

struct Drawn {
    reference: Reference,
    parameters: Vec<f64>,
    images: Vec<f64>,
    labels: Vec<u8>,
}

fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    f64::from(rng.next_u32()) / 2.0_f64.powi(31) - 1.0
}

fn draw(notation: &str, activation: Activation, batch: usize, seed: u64) -> Drawn {
    let network: Network = notation.parse().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let parameters = Parameters::init(&network, activation, Initialization::FanIn, &mut rng);
    // Biases too, so that a forgotten one shows.
    let parameters =
        parameters.values().iter().map(|&value| f64::from(value) + 0.1 * uniform(&mut rng)).collect();
    let images = (0..batch * network.input().len()).map(|_| uniform(&mut rng)).collect();
    let labels = (0..batch).map(|_| (rng.next_u32() as usize % network.classes()) as u8).collect();
    Drawn { reference: Reference::new(&network, activation), parameters, images, labels }
}

impl Drawn {
    fn trace(&self, parameters: &[f64]) -> Trace {
        self.reference.forward(parameters, &self.images)
    }

    fn loss(&self, parameters: &[f64]) -> f64 {
        self.trace(parameters).loss(&self.labels)
    }

    fn gradients(&self) -> Gradients {
        let trace = self.trace(&self.parameters);
        self.reference.backward(&self.parameters, &self.images, &trace, &self.labels, None)
    }

    /// The signs and winners that the loss is smooth within.
    fn pattern(&self, parameters: &[f64]) -> (Vec<Vec<usize>>, Vec<bool>) {
        let trace = self.trace(parameters);
        let winners = trace.layers.iter().map(|layer| layer.winners.clone()).collect();
        (winners, trace.layers.iter().flat_map(|layer| &layer.sums).map(|&sum| sum > 0.0).collect())
    }
}

#[test]
fn a_convolution_slides_and_does_not_flip() {
    let network: Network = "1x2x3-1C2-2N".parse().unwrap();
    let reference = Reference::new(&network, Activation::Relu);
    // Kernel [1 2; 3 4], bias 0.5; both neurons get the plain values.
    let parameters = [1.0, 2.0, 3.0, 4.0, 0.5, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0];
    let trace = reference.forward(&parameters, &[1.0, 10.0, 100.0, 1000.0, 10_000.0, 100_000.0]);
    assert_eq!(trace.layers[0].outputs, [43_021.5, 430_210.5]);
    assert_eq!(trace.layers[1].outputs, [43_021.5, 430_210.5]);
}

#[test]
fn input_maps_are_summed_and_dense_inputs_are_maps_rows_columns() {
    let network: Network = "2x1x2-2C1-2N".parse().unwrap();
    let reference = Reference::new(&network, Activation::Relu);
    // Output map 0 = x₀ + 10·x₁, output map 1 = 100·x₀ + 1000·x₁; neurons pick the values 1 and 2 of the
    // four.
    let parameters = [1.0, 10.0, 100.0, 1000.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0];
    let trace = reference.forward(&parameters, &[1.0, 2.0, 3.0, 4.0]);
    assert_eq!(trace.layers[0].outputs, [31.0, 42.0, 3100.0, 4200.0]);
    assert_eq!(trace.layers[1].outputs, [42.0, 3100.0]);
}

#[test]
fn pooling_floors_and_the_first_of_equals_wins() {
    let input = Shape { maps: 1, height: 3, width: 5 };
    #[rustfmt::skip]
    let x = [
        1.0, 7.0, 2.0, 2.0, 9.0,
        7.0, 7.0, 2.0, 2.0, 9.0,
        9.0, 9.0, 9.0, 9.0, 9.0,
    ];
    assert_eq!(pooling::winners(input, 2, Tie::FirstWins, &x), [1, 2]);
    assert_eq!(pooling::winners(input, 2, Tie::LastWins, &x), [6, 8]);
}

#[test]
fn softmax_and_loss_survive_large_logits() {
    let layer = LayerTrace { sums: vec![], outputs: vec![1000.0, -1000.0], winners: vec![] };
    let trace = Trace { batch: 1, layers: vec![layer], probabilities: softmax(&[1000.0, -1000.0]).collect() };
    assert_eq!(trace.probabilities, [1.0, 0.0]);
    assert_eq!(trace.loss(&[0]).to_bits(), 0.0_f64.to_bits());
    assert!((trace.loss(&[1]) - 2000.0).abs() < 1e-9);
}

/// Central differences of a smooth function: error h²/6·|f'''| + rounding.
///
/// The step is halved once; three quarters of the truncation error go with that, so the difference of both
/// quotients is three times the error that is left. Rounding: the loss is computed to within `depth`
/// roundings, of which each quotient has two, divided by h.
fn check_differences(drawn: &Drawn, indices: impl Iterator<Item = usize>) {
    const H: f64 = 1e-4;
    let gradient = drawn.gradients().parameters;
    let loss = drawn.loss(&drawn.parameters);
    let largest = gradient.iter().fold(0.0_f64, |max, g| max.max(g.abs()));
    let rounding = 1000.0 * f64::EPSILON * (1.0 + loss.abs()) / (H / 2.0);
    let (mut n_checked, mut n_skipped) = (0, 0);
    for i in indices {
        let quotient = |h: f64| {
            let at = |value: f64| {
                let mut moved = drawn.parameters.clone();
                moved[i] = value;
                (drawn.loss(&moved), drawn.pattern(&moved))
            };
            let ((above, pattern_above), (below, pattern_below)) =
                (at(drawn.parameters[i] + h), at(drawn.parameters[i] - h));
            ((above - below) / (2.0 * h), pattern_above == pattern_below)
        };
        let ((coarse, smooth), (fine, _)) = (quotient(H), quotient(H / 2.0));
        if !smooth {
            n_skipped += 1;
            continue;
        }
        n_checked += 1;
        let tolerance = (coarse - fine).abs() + rounding;
        assert!(
            tolerance < 1e-5 * largest.max(1e-2),
            "parameter {i}: a tolerance of {tolerance:e} says nothing"
        );
        let (got, want) = (gradient[i], fine);
        assert!((got - want).abs() <= tolerance, "parameter {i}: got {got:e}, want {want:e} ± {tolerance:e}");
    }
    assert!(n_checked > 4 * n_skipped, "checked {n_checked}, skipped {n_skipped} at kinks");
}

#[test]
fn all_gradients_of_small_networks_are_finite_differences() {
    for (seed, notation) in (1..).zip([
        "1x6x7-3C2-MP2-4C2-5N-3N",
        "2x7x8-3C3-MP2-4N",
        "3x4x5-2C2-MP2-6N-5N-3N",
        "1x3x3-4N",
        "1x9x9-MP2-2C2-MP2-MP1-3N",
    ]) {
        for activation in [Activation::ScaledTanh, Activation::Relu] {
            let drawn = draw(notation, activation, 3, seed);
            check_differences(&drawn, 0..drawn.parameters.len());
        }
    }
}

#[test]
fn gradients_of_the_papers_network_are_finite_differences() {
    let drawn = draw("1x29x29-20C4-MP2-40C5-MP3-150N-10N", Activation::ScaledTanh, 1, 5);
    // Some of every tensor: 1999 shares no factor with the sizes.
    check_differences(&drawn, (7..drawn.parameters.len()).step_by(1999));
}

#[test]
fn layer_gradients_of_an_inner_sum_move_the_loss() {
    // The bias of one neuron moves its sum alone, so both have the same derivative.
    let drawn = draw("1x5x5-2C2-MP2-4N-3N", Activation::ScaledTanh, 1, 9);
    let gradients = drawn.gradients();
    let bias = drawn.parameters.len() - 3 - 12 - 4;
    assert_eq!(gradients.layers[2], &gradients.parameters[bias..bias + 4]);
}
