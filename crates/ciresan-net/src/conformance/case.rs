//! What the subjects have in common: networks, draws, comparisons and how a failure is told.

use super::rounding::Rounding;
pub(super) use crate::reference::widened;
use crate::reference::{Gradients, Reference, Trace};
use crate::{
    Activation, EngineError, EngineSpec, Initialization, Network, Optimizer, OptimizerState, Parameters,
    Precision,
};
use chacha20::ChaCha8Rng;
use rand::{Rng, SeedableRng};

/// An engine does not do what [`Engine`](crate::Engine) says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{subject}: {case}: {message}")]
pub struct Failure {
    /// Which function of [`conformance`](crate::conformance) found it.
    pub subject: &'static str,
    /// Network, activation, seed and the like.
    pub case: String,
    /// What was got and what was wanted.
    pub message: String,
}

/// The paper's network.
pub(super) const PAPER: &str = "1x29x29-20C4-MP2-40C5-MP3-150N-10N";

/// The network of the Theano project's best run.
pub(super) const THEANO: &str = "1x29x29-32C4-MP2-48C5-MP3-150N-10N";

/// Small networks that between them have all that the paper's form allows.
pub(super) const SMALL: [&str; 14] = [
    // Not square, pooling that floors, pooling by 1, no hidden dense layer.
    "1x12x11-5C3-MP3-7C2-MP1-10N",
    // Two maps of input, both poolings floor.
    "2x13x10-4C3-MP2-6C2-MP2-9N-3N",
    // Three maps of input, a convolution without pooling, two hidden dense layers.
    "3x10x14-6C2-MP2-8C3-11N-7N-4N",
    // Three stages.
    "1x19x18-3C2-MP2-5C2-MP2-4C2-MP2-6N-5N",
    // Single maps, two classes.
    "1x8x8-1C3-MP2-1C2-2N",
    // A kernel of one pixel.
    "1x5x4-1C1-2N",
    "3x5x4-4C1-MP2-5C1-3N",
    // A kernel as large as its input, one as wide.
    "1x4x4-2C4-3N",
    "2x6x4-3C4-MP1-3N",
    // A window as large as its input, where most values can never win.
    "1x7x8-3C3-MP5-4N",
    // The Theano project's maps.
    "1x9x9-32C2-MP2-48C3-MP2-12N-10N",
    // One map more than common vectors have lanes.
    "1x9x10-17C2-MP2-33C2-MP3-9N-5N",
    "2x8x8-9C3-MP2-5C2-MP2-17N-3N",
    // As many classes as labels can tell apart.
    "1x4x5-2C2-MP2-256N",
];

/// Networks outside the paper's form: an engine either takes them, and then rightly, or refuses them as not
/// supported.
pub(super) const UNUSUAL: [&str; 4] =
    ["1x8x8-MP2-3C2-3N", "1x9x9-3C2-MP2-MP2-3N", "1x6x6-MP2-3N", "2x3x4-5N-3N"];

pub(super) const ACTIVATIONS: [Activation; 2] = [Activation::ScaledTanh, Activation::Relu];

pub(super) const PLAIN: Optimizer = Optimizer::Sgd { momentum: 0.0, nesterov: false };

pub(super) const NESTEROV: Optimizer = Optimizer::Sgd { momentum: 0.9, nesterov: true };

pub(super) const ADAM_W: Optimizer =
    Optimizer::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.01 };

/// Draws of images that are tried until no rounding can change a winner or a rectifier's side.
const MAX_DRAWS: u32 = 100;

/// One network with one seed, and the subject that it is for.
pub(super) struct Case {
    subject: &'static str,
    pub(super) spec: EngineSpec,
    pub(super) reference: Reference,
    rng: ChaCha8Rng,
    name: String,
}

/// Images in f32 and f64, and labels, of one column's batch.
pub(super) struct Batch {
    pub(super) images: Vec<f32>,
    pub(super) wide_images: Vec<f64>,
    pub(super) labels: Vec<u8>,
}

/// What the reference says of a batch, and how far f32 may be off.
pub(super) struct Expected {
    pub(super) trace: Trace,
    pub(super) gradients: Gradients,
    pub(super) rounding: Rounding,
}

impl Case {
    /// The case number `seed` of `subject`.
    pub(super) fn new(
        subject: &'static str,
        notation: &str,
        activation: Activation,
        optimizer: Optimizer,
        max_batch: usize,
        seed: u64,
    ) -> Result<Self, Failure> {
        let name = format!("{notation}, {activation}, {optimizer:?}, largest batch {max_batch}, seed {seed}");
        let network: Network = notation.parse().map_err(|error: crate::NotationError| Failure {
            subject,
            case: name.clone(),
            message: error.to_string(),
        })?;
        let reference = Reference::new(&network, activation);
        let precision = Precision::Fp32;
        let spec = EngineSpec { network, activation, optimizer, precision, max_batch, skip_below: 0.0 };
        Ok(Self { subject, spec, reference, rng: ChaCha8Rng::seed_from_u64(seed), name })
    }

    /// The same with images skipped.
    pub(super) fn skipping(mut self, skip_below: f32) -> Self {
        self.name = format!("{}, skip_below {skip_below}", self.name);
        self.spec.skip_below = skip_below;
        self
    }

    pub(super) fn fail(&self, message: impl std::fmt::Display) -> Failure {
        Failure { subject: self.subject, case: self.name.clone(), message: message.to_string() }
    }

    /// The result of a call that has nothing to refuse.
    pub(super) fn run<T>(&self, result: Result<T, EngineError>) -> Result<T, Failure> {
        result.map_err(|error| self.fail(format_args!("refused: {error}")))
    }

    /// Uniform in [−1, 1], f32 values.
    pub(super) fn uniform(&mut self) -> f32 {
        self.rng.next_u32() as f32 / (1_u64 << 31) as f32 - 1.0
    }

    /// An integer below `n`.
    pub(super) fn below(&mut self, n: usize) -> usize {
        self.rng.next_u32() as usize % n
    }

    /// Weights as training starts with, and biases that are not zero, so that a forgotten one shows.
    pub(super) fn draw_parameters(&mut self) -> Parameters {
        let (network, activation) = (&self.spec.network, self.spec.activation);
        let mut parameters = Parameters::init(network, activation, Initialization::FanIn, &mut self.rng);
        for spec in parameters.layout().to_vec().iter().filter(|spec| spec.is_bias()) {
            parameters.values_mut()[spec.range.clone()].fill_with(|| 0.2 * self.uniform());
        }
        parameters
    }

    /// The same, with logits so far apart that many images are sure of a class.
    pub(super) fn draw_sure_parameters(&mut self) -> Parameters {
        let mut parameters = self.draw_parameters();
        let output = parameters.layout().iter().rfind(|spec| !spec.is_bias()).map(|spec| spec.range.clone());
        parameters.values_mut()[output.unwrap_or_default()].iter_mut().for_each(|weight| *weight *= 4.0);
        parameters
    }

    pub(super) fn draw_images(&mut self, n: usize) -> Vec<f32> {
        (0..n * self.spec.network.input().len()).map(|_| self.uniform()).collect()
    }

    pub(super) fn draw_batch(&mut self, batch: usize) -> Batch {
        let images = self.draw_images(batch);
        let classes = self.spec.network.classes();
        let labels = (0..batch).map(|_| self.below(classes) as u8).collect();
        Batch { wide_images: widened(&images), images, labels }
    }

    /// A batch whose gradients no rounding of an f32 engine makes jump.
    pub(super) fn draw_separated(
        &mut self,
        parameters: &Parameters,
        batch: usize,
    ) -> Result<(Batch, Expected), Failure> {
        let wide = widened(parameters.values());
        for _ in 0..MAX_DRAWS {
            let batch = self.draw_batch(batch);
            let trace = self.reference.forward(&wide, &batch.wide_images);
            let rounding = Rounding::forward(&self.reference, &wide, &batch.wide_images, &trace);
            if rounding.is_separated(&self.reference, &batch.wide_images, &trace) {
                let expected = self.expect_from(&wide, &batch, trace, rounding);
                return Ok((batch, expected));
            }
        }
        Err(self.fail(format_args!("no separated images in {MAX_DRAWS} draws")))
    }

    /// What the reference says of `batch`.
    pub(super) fn expect(&self, parameters: &Parameters, batch: &Batch) -> Expected {
        let wide = widened(parameters.values());
        let trace = self.reference.forward(&wide, &batch.wide_images);
        let rounding = Rounding::forward(&self.reference, &wide, &batch.wide_images, &trace);
        self.expect_from(&wide, batch, trace, rounding)
    }

    fn expect_from(
        &self,
        parameters: &[f64],
        batch: &Batch,
        trace: Trace,
        mut rounding: Rounding,
    ) -> Expected {
        let Batch { wide_images, labels, .. } = batch;
        let bound = self.spec.skip_bound();
        let gradients = self.reference.backward(parameters, wide_images, &trace, labels, bound);
        rounding.backward(&self.reference, parameters, batch, &trace, &gradients);
        Expected { trace, gradients, rounding }
    }

    /// Compares values with what they should be, each within its own tolerance.
    pub(super) fn check_close(
        &self,
        what: &str,
        got: impl IntoIterator<Item = f64>,
        want: impl IntoIterator<Item = f64>,
        tolerances: impl IntoIterator<Item = f64>,
    ) -> Result<(), Failure> {
        for (i, ((got, want), tolerance)) in got.into_iter().zip(want).zip(tolerances).enumerate() {
            // Written so that a NaN fails.
            let close = (got - want).abs() <= tolerance;
            if !close {
                let message = format!("{what}, index {i}: got {got:e}, want {want:e} ± {tolerance:e}");
                return Err(self.fail(message));
            }
        }
        Ok(())
    }

    /// As [`check_close`](Self::check_close) for values in the order of the parameters, naming the tensor.
    pub(super) fn check_tensors(
        &self,
        what: &str,
        got: &[f64],
        want: &[f64],
        tolerances: &[f64],
    ) -> Result<(), Failure> {
        for spec in Parameters::layout_of(&self.spec.network).iter() {
            let part = |values: &[f64]| values[spec.range.clone()].to_vec();
            self.check_close(&format!("{what} of {}", spec.name), part(got), part(want), part(tolerances))?;
        }
        Ok(())
    }

    /// Compares bit by bit.
    pub(super) fn check_bits(&self, what: &str, got: &[f32], want: &[f32]) -> Result<(), Failure> {
        if got.len() != want.len() {
            return Err(self.fail(format_args!("{what}: got {} values, want {}", got.len(), want.len())));
        }
        match got.iter().zip(want).position(|(got, want)| got.to_bits() != want.to_bits()) {
            Some(i) => {
                let (got, want) = (got[i], want[i]);
                Err(self.fail(format_args!("{what}, index {i}: got {got:e}, want exactly {want:e}")))
            }
            None => Ok(()),
        }
    }

    /// Compares two states of the optimizer bit by bit.
    pub(super) fn check_state(
        &self,
        what: &str,
        got: &OptimizerState,
        want: &OptimizerState,
    ) -> Result<(), Failure> {
        if (got.n_steps, got.moments.len()) != (want.n_steps, want.moments.len()) {
            let of = |state: &OptimizerState| (state.n_steps, state.moments.len());
            let (got, want) = (of(got), of(want));
            return Err(self.fail(format_args!("{what} steps and moments: got {got:?}, want {want:?}")));
        }
        let moments = got.moments.iter().zip(&want.moments);
        for (name, (got, want)) in self.spec.optimizer.moments().iter().zip(moments) {
            self.check_bits(&format!("{what} {name}"), got.values(), want.values())?;
        }
        Ok(())
    }
}
