//! What trains columns: the [`Engine`] trait.

use crate::{
    Activation, Batch, Network, Optimizer, OptimizerError, OptimizerState, ParameterSpec, Parameters,
    Precision,
};

/// What all columns of an engine have in common.
#[derive(Clone, Debug, PartialEq)]
pub struct EngineSpec {
    /// The columns' network.
    pub network: Network,
    /// After convolutions and hidden layers.
    pub activation: Activation,
    /// The update rule.
    pub optimizer: Optimizer,
    /// The coarsest rounding of operands.
    pub precision: Precision,
    /// Most images of one column in one step; at least 1.
    pub max_batch: usize,
    /// ε of selective backpropagation, from 0, which skips no image, to [`MAX_SKIP_BELOW`](Self::MAX_SKIP_BELOW): the loss's
    /// gradient at the logits is zero for an image whose probability of its label is above 1 − ε; the loss reported is that
    /// of all images (the mean over the whole batch, so gradients are still divided by the batch's size).
    ///
    /// The probability is the softmax of the logits, rounded to f32; 1 − ε is subtracted in f32; a NaN is not above it. So a
    /// skipped image has its label as its most probable class. Engines that round differently may disagree about an image
    /// right at the bound.
    ///
    /// # Source
    /// Jiang et al., *Accelerating Deep Learning by Focusing on the Biggest Losers*, 2019, arXiv 1910.00762. Differs: the bound
    /// is fixed, theirs is drawn from the latest losses.
    pub skip_below: f32,
}

impl EngineSpec {
    /// Largest [`skip_below`](Self::skip_below).
    pub const MAX_SKIP_BELOW: f32 = 0.5;

    /// An image is skipped when the probability of its label is above this; `None` when no image is ever skipped.
    #[must_use]
    pub fn skip_bound(&self) -> Option<f32> {
        (self.skip_below > 0.0).then_some(1.0 - self.skip_below)
    }

    /// What every engine checks when it is made.
    ///
    /// # Errors
    /// [`EngineError::NoColumns`], [`EngineError::NoBatch`], [`EngineError::SkipBelow`], [`EngineError::Optimizer`], or
    /// parameters that do not fit, as [`check_parameters`](Self::check_parameters) has it.
    pub fn check(&self, columns: &[Parameters]) -> Result<(), EngineError> {
        if columns.is_empty() {
            return Err(EngineError::NoColumns);
        }
        if self.max_batch == 0 {
            return Err(EngineError::NoBatch);
        }
        if !(0.0..=Self::MAX_SKIP_BELOW).contains(&self.skip_below) {
            return Err(EngineError::SkipBelow { got: self.skip_below });
        }
        self.optimizer.check()?;
        columns.iter().try_for_each(|parameters| self.check_parameters("columns", parameters))
    }

    /// Checks parameters, or values beside them, for this network; `what` names the argument.
    ///
    /// # Errors
    /// [`EngineError::Length`] when their number is wrong, [`EngineError::Layout`] when their names or shapes
    /// are.
    pub fn check_parameters(&self, what: &'static str, parameters: &Parameters) -> Result<(), EngineError> {
        check_length(what, parameters.values().len(), self.network.n_params())?;
        if parameters.fits(&self.network) {
            return Ok(());
        }
        let want = Parameters::layout_of(&self.network);
        Err(EngineError::Layout { what, got: tensor_names(parameters.layout()), want: tensor_names(&want) })
    }

    /// Checks a state for this optimizer and network.
    ///
    /// # Errors
    /// [`EngineError::Length`] when the number of moments is wrong, or as
    /// [`check_parameters`](Self::check_parameters) has it.
    pub fn check_optimizer_state(&self, state: &OptimizerState) -> Result<(), EngineError> {
        let names = self.optimizer.moments();
        check_length("moments", state.moments.len(), names.len())?;
        names.iter().zip(&state.moments).try_for_each(|(name, moment)| self.check_parameters(name, moment))
    }

    /// Checks the arguments of [`Engine::train_step`] and returns the batch: images of one column.
    ///
    /// # Errors
    /// [`EngineError::Length`], [`EngineError::Batch`] or [`EngineError::Label`].
    pub fn check_train_step(
        &self,
        n_columns: usize,
        images: &[f32],
        labels: &[u8],
        steps: &[Step],
    ) -> Result<usize, EngineError> {
        let batch = self.check_labels(n_columns, labels, steps)?;
        check_length("images", images.len(), labels.len() * self.network.input().len())?;
        Ok(batch)
    }

    /// The same where the images are known to be as many as the labels.
    ///
    /// # Errors
    /// As for [`check_train_step`](Self::check_train_step).
    pub fn check_labels(
        &self,
        n_columns: usize,
        labels: &[u8],
        steps: &[Step],
    ) -> Result<usize, EngineError> {
        check_length("steps", steps.len(), n_columns)?;
        let batch = labels.len() / n_columns.max(1);
        check_length("labels", labels.len(), n_columns * batch)?;
        if batch == 0 || batch > self.max_batch {
            return Err(EngineError::Batch { got: batch, max: self.max_batch });
        }
        let classes = self.network.classes();
        match labels.iter().position(|&label| usize::from(label) >= classes) {
            Some(index) => Err(EngineError::Label { index, got: labels[index], classes }),
            None => Ok(batch),
        }
    }

    /// Checks the arguments of [`Engine::predict`] and returns the number of images.
    ///
    /// # Errors
    /// [`EngineError::Column`] or [`EngineError::Length`].
    pub fn check_predict(
        &self,
        n_columns: usize,
        column: usize,
        images: &[f32],
        probabilities: &[f32],
    ) -> Result<usize, EngineError> {
        check_column(n_columns, column)?;
        let image_len = self.network.input().len();
        let n = images.len() / image_len;
        check_length("images", images.len(), n * image_len)?;
        check_length("probabilities", probabilities.len(), n * self.network.classes())?;
        Ok(n)
    }
}

fn check_length(what: &'static str, got: usize, want: usize) -> Result<(), EngineError> {
    if got == want { Ok(()) } else { Err(EngineError::Length { what, got, want }) }
}

fn check_column(n: usize, got: usize) -> Result<(), EngineError> {
    if got < n { Ok(()) } else { Err(EngineError::Column { got, n }) }
}

fn tensor_names(layout: &[ParameterSpec]) -> String {
    let tensors: Vec<_> = layout.iter().map(|spec| format!("{} {:?}", spec.name, spec.shape)).collect();
    tensors.join(", ")
}

/// The result of one training step of one column.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Step {
    /// Mean cross-entropy of the batch in nats, before the update. Not finite when training has diverged.
    pub loss: f64,
    /// Mean over the parameter tensors of ‖η·g‖₁ / ‖θ‖₁, g the batch's gradient and θ before the update, whatever the
    /// optimizer makes of g; tensors that are all zero are left out, and with none left it is 0.
    ///
    /// # Source
    /// The Theano project's rule: a learning rate fits when this is about 0.001.
    pub update_ratio: f64,
    /// Images of the batch that were skipped: see [`EngineSpec::skip_below`].
    pub skipped: u32,
}

/// Trains and applies N columns of one network, each with its own parameters, optimizer state and images.
///
/// Columns share nothing but the arguments of a call. An engine may work through them one after the other or
/// all in lockstep, with a leading axis N on every tensor; what it computes for a column does not depend on
/// which other columns it has. On a CPU that holds bit for bit, and so does the same call repeated from the
/// same state; an engine on a device whose sums have no fixed order says how close it comes instead.
///
/// # What is computed
/// Convolutions and dense layers as [`Layer`](crate::Layer) has them, the spec's [`Activation`] after
/// convolutions and hidden layers, softmax at the output, mean cross-entropy over a column's batch as the
/// loss, its exact gradient by backpropagation, but for the images that [`EngineSpec::skip_below`] skips, and one step of
/// the spec's [`Optimizer`] with it, all with operands no coarser than the spec's [`Precision`]. Of values in
/// a pooling window that are equal as computed the first in row-major order takes the whole gradient. A NaN among the
/// parameters comes out as a loss or a probability that is not finite: no maximum or rectifier hides it.
///
/// # State
/// Parameters and the [`OptimizerState`], f32, are all of it: an engine that is given both, taken from another one between
/// two calls, continues with the same bits. [`predict`](Self::predict) changes nothing.
///
/// # Errors
/// An engine checks lengths, labels and indices as [`EngineSpec::check`] and its companions do, before
/// anything else. After an error nothing has changed, `steps` and `probabilities` included. Every call of an
/// engine on a device can also fail with [`EngineError::OutOfMemory`], after which nothing has changed either,
/// or with [`EngineError::Device`], after which the engine is of no more use.
///
/// The feature `conformance` has the tests that every engine passes.
pub trait Engine: Sized {
    /// Where its batches are made.
    type Batch: Batch;

    /// An engine with a column for each of `columns`, which are their first parameters; no
    /// column has made a step.
    ///
    /// # Errors
    /// See [`EngineSpec::check`], and [`EngineError::NotSupported`] for a network that the engine does not
    /// take. Every engine takes every network with a [`paper_form`](Network::paper_form) of at least one
    /// stage.
    fn new(spec: &EngineSpec, columns: &[Parameters]) -> Result<Self, EngineError>;

    /// Columns of this engine, at least 1.
    fn n_columns(&self) -> usize;

    /// One step of the optimizer for every column, each on its own batch.
    ///
    /// # Shapes
    /// `images`: `[columns, batch, maps, height, width]`, row-major; `labels`: `[columns, batch]`, classes
    /// counted from 0; `steps`: `[columns]`, overwritten. The batch is the same for all columns, at least 1
    /// and at most the spec's `max_batch`.
    /// # Units
    /// Images in `-1.0..=1.0`, background −1; `learning_rate` is that of all columns.
    /// # Errors
    /// See [`EngineSpec::check_train_step`].
    fn train_step(
        &mut self,
        images: &[f32],
        labels: &[u8],
        learning_rate: f32,
        steps: &mut [Step],
    ) -> Result<(), EngineError>;

    /// An empty batch for this engine's columns.
    fn batch(&self) -> Self::Batch;

    /// [`train_step`](Self::train_step) on a batch that was filled before.
    ///
    /// # Errors
    /// As for [`train_step`](Self::train_step): [`EngineError::Batch`] when the batch is empty; and
    /// [`EngineError::Length`] when it was made by an engine with another number of columns or another input.
    fn train_on(
        &mut self,
        batch: &Self::Batch,
        learning_rate: f32,
        steps: &mut [Step],
    ) -> Result<(), EngineError>;

    /// Softmax probabilities of any number of images by one column, none included.
    ///
    /// # Shapes
    /// `images`: `[n, maps, height, width]`; `probabilities`: `[n, classes]`, overwritten; n may exceed
    /// `max_batch`.
    /// # Units
    /// Images as for [`train_step`](Self::train_step); probabilities in `0.0..=1.0`, a row sums to 1 within
    /// rounding.
    /// # Errors
    /// See [`EngineSpec::check_predict`].
    fn predict(
        &mut self,
        column: usize,
        images: &[f32],
        probabilities: &mut [f32],
    ) -> Result<(), EngineError>;

    /// Parameters of a column.
    ///
    /// # Errors
    /// [`EngineError::Column`].
    fn parameters(&self, column: usize) -> Result<Parameters, EngineError>;

    /// Replaces the parameters of a column; its optimizer's state stays. Values that are not finite are taken as
    /// they are.
    ///
    /// # Errors
    /// [`EngineError::Column`], or see [`EngineSpec::check_parameters`].
    fn set_parameters(&mut self, column: usize, parameters: &Parameters) -> Result<(), EngineError>;

    /// What the optimizer carries from step to step for a column.
    ///
    /// # Errors
    /// [`EngineError::Column`].
    fn optimizer_state(&self, column: usize) -> Result<OptimizerState, EngineError>;

    /// Replaces the optimizer's state of a column; its parameters stay.
    ///
    /// # Errors
    /// [`EngineError::Column`], or see [`EngineSpec::check_optimizer_state`].
    fn set_optimizer_state(&mut self, column: usize, state: &OptimizerState) -> Result<(), EngineError>;
}

/// Why an engine refused; nothing has changed in it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The engine cannot compute this network.
    #[error("network {notation}: {reason}")]
    NotSupported {
        /// The network.
        notation: String,
        /// One sentence.
        reason: String,
    },
    /// A slice has the wrong length.
    #[error("{what}: got {got} values, expected {want}")]
    Length {
        /// Which argument.
        what: &'static str,
        /// Its length.
        got: usize,
        /// The length it should have.
        want: usize,
    },
    /// A batch is empty or larger than the engine was made for.
    #[error("batch of {got} images, expected 1 to {max}")]
    Batch {
        /// Images of one column.
        got: usize,
        /// Most that are possible.
        max: usize,
    },
    /// A label is no class of the network.
    #[error("label {got} at index {index}, expected less than {classes}")]
    Label {
        /// Index among the labels given.
        index: usize,
        /// The label.
        got: u8,
        /// Classes of the network.
        classes: usize,
    },
    /// There is no such column.
    #[error("column {got}, expected less than {n}")]
    Column {
        /// Index asked for.
        got: usize,
        /// Columns of the engine.
        n: usize,
    },
    /// Parameters of another network, though of equal number.
    #[error("{what}: tensors {got}, expected {want}")]
    Layout {
        /// Which argument.
        what: &'static str,
        /// Names and shapes as given.
        got: String,
        /// Names and shapes of the engine's network.
        want: String,
    },
    /// [`EngineSpec::skip_below`] is not in its range.
    #[error("skip_below {got}, expected from 0 to {}", EngineSpec::MAX_SKIP_BELOW)]
    SkipBelow {
        /// The value.
        got: f32,
    },
    /// A value of the optimizer is not in its range.
    #[error(transparent)]
    Optimizer(#[from] OptimizerError),
    /// A device has too little memory left.
    #[error("{device}: out of memory: {reason}")]
    OutOfMemory {
        /// The device.
        device: String,
        /// What its library says.
        reason: String,
    },
    /// A device is not there, or has failed.
    #[error("{device}: {reason}")]
    Device {
        /// The device.
        device: String,
        /// What its library says, or what is missing and what to do.
        reason: String,
    },
    /// No column was given.
    #[error("no columns: an engine needs 1 or more")]
    NoColumns,
    /// The largest batch is zero.
    #[error("largest batch 0, expected 1 or more")]
    NoBatch,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> EngineSpec {
        EngineSpec {
            network: "2x3x3-2C2-4N-3N".parse().unwrap(),
            activation: Activation::Relu,
            optimizer: Optimizer::Sgd { momentum: 0.9, nesterov: true },
            precision: Precision::Fp32,
            max_batch: 4,
            skip_below: 0.0,
        }
    }

    fn parameters(notation: &str) -> Parameters {
        Parameters::zeros(&notation.parse().unwrap())
    }

    #[test]
    fn a_spec_is_checked_against_its_columns() {
        let columns = [parameters("2x3x3-2C2-4N-3N")];
        assert_eq!(spec().check(&columns), Ok(()));
        assert_eq!(spec().check(&[]), Err(EngineError::NoColumns));
        assert_eq!(EngineSpec { max_batch: 0, ..spec() }.check(&columns), Err(EngineError::NoBatch));
        let optimizer = Optimizer::Sgd { momentum: 1.0, nesterov: false };
        let error = EngineSpec { optimizer, ..spec() }.check(&columns).unwrap_err();
        assert_eq!(error.to_string(), "momentum 1, expected from 0 to below 1");
    }

    #[test]
    fn what_is_skipped_is_bounded() {
        let columns = [parameters("2x3x3-2C2-4N-3N")];
        for (skip_below, bound) in [(0.0, None), (0.25, Some(0.75)), (0.5, Some(0.5))] {
            let spec = EngineSpec { skip_below, ..spec() };
            assert_eq!((spec.check(&columns), spec.skip_bound()), (Ok(()), bound));
        }
        for skip_below in [-0.1, 0.6, f32::NAN] {
            let error = EngineSpec { skip_below, ..spec() }.check(&columns).unwrap_err();
            assert_eq!(error.to_string(), format!("skip_below {skip_below}, expected from 0 to 0.5"));
        }
    }

    #[test]
    fn parameters_of_another_network_are_refused() {
        let error = spec().check(&[parameters("2x3x3-2C2-5N-3N")]).unwrap_err();
        assert_eq!(error.to_string(), "columns: got 81 values, expected 69");
        // 69 parameters as well, but one layer: [3, 22] and [3].
        let state = |moments| OptimizerState { n_steps: 1, moments };
        let stranger = state(vec![parameters("22x1x1-3N")]);
        let error = spec().check_optimizer_state(&stranger).unwrap_err().to_string();
        assert!(
            error.starts_with("velocity: tensors dense1.weight [3, 22], dense1.bias [3], expected conv1"),
            "{error}"
        );
        let error = spec().check_optimizer_state(&state(vec![])).unwrap_err().to_string();
        assert_eq!(error, "moments: got 0 values, expected 1");
    }

    #[test]
    fn arguments_of_a_step_are_checked() {
        let check = |n_images: usize, labels: &[u8], n_steps: usize| {
            spec().check_train_step(2, &vec![0.0; n_images * 18], labels, &vec![Step::default(); n_steps])
        };
        let length = |what, got, want| Err(EngineError::Length { what, got, want });
        assert_eq!(check(4, &[0, 1, 2, 0], 2), Ok(2));
        assert_eq!(check(4, &[0, 1, 2, 0], 1), length("steps", 1, 2));
        assert_eq!(check(4, &[0, 1, 2], 2), length("labels", 3, 2));
        assert_eq!(check(3, &[0, 1, 2, 0], 2), length("images", 54, 72));
        assert_eq!(check(0, &[], 2), Err(EngineError::Batch { got: 0, max: 4 }));
        assert_eq!(check(10, &[0; 10], 2), Err(EngineError::Batch { got: 5, max: 4 }));
        assert_eq!(check(4, &[0, 1, 3, 0], 2), Err(EngineError::Label { index: 2, got: 3, classes: 3 }));
    }

    #[test]
    fn arguments_of_a_prediction_are_checked() {
        let check = |column, n_values: usize, n_probabilities: usize| {
            spec().check_predict(2, column, &vec![0.0; n_values], &vec![0.0; n_probabilities])
        };
        assert_eq!(check(1, 18 * 7, 21), Ok(7));
        assert_eq!(check(0, 0, 0), Ok(0));
        assert_eq!(check(2, 18, 3), Err(EngineError::Column { got: 2, n: 2 }));
        assert_eq!(check(0, 19, 3), Err(EngineError::Length { what: "images", got: 19, want: 18 }));
        assert_eq!(check(0, 18, 4), Err(EngineError::Length { what: "probabilities", got: 4, want: 3 }));
    }
}
