//! The reference passes, and every kind of mistake is found by the subject that is there for it.

use super::*;
use crate::reference::{ReferenceEngine, Tie, step};
use crate::{
    Activation, EngineError, EngineSpec, Network, Optimizer, OptimizerState, Parameters, PlainBatch, Step,
};
use std::marker::PhantomData;

/// One mistake of an engine, as a type.
trait Mistake {
    const FAULT: Fault;
}

type Subject = fn() -> Result<(), Failure>;

/// All mistakes, and the subject that must find each.
macro_rules! faults {
    ($($fault:ident: $subject:ident,)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        enum Fault { $($fault),* }

        mod mistakes {
            $(pub(super) struct $fault;

            impl super::Mistake for $fault {
                const FAULT: super::Fault = super::Fault::$fault;
            })*
        }

        const FAULTS: &[(Fault, Subject)] = &[$((Fault::$fault, $subject::<Faulty<mistakes::$fault>>)),*];
    };
}

faults! {
    LastTieWins: ties,
    OtherActivation: forward,
    KernelsFlipped: forward,
    FirstDenseInputsReversed: forward,
    OutputBiasForgotten: forward,
    ColumnAlwaysFirst: forward,
    OnlyFirstBatchPredicted: forward,
    ParametersRounded: forward,
    GradientOfSum: gradients,
    GradientSlightlyOff: gradients,
    BatchTakenAsLargest: gradients,
    LossInBits: gradients,
    LossOfProbability: gradients,
    RatioOfNewParameters: gradients,
    RatioOfZeroTensors: gradients,
    MomentumOff: optimizer,
    NesterovIgnored: optimizer,
    StateDroppedBetweenCalls: optimizer,
    StepsUncounted: optimizer,
    StepsOfFirstColumn: optimizer,
    BiasLeft: optimizer,
    DecayForgotten: optimizer,
    DecayInGradient: optimizer,
    SkippingIgnored: skipping,
    SkippedLeaveTheMean: skipping,
    SkippedUncounted: skipping,
    StateResetWithParameters: state,
    StepsNotTakenOver: state,
    PredictionTrains: resumed,
    NanHidden: state,
    ColumnsShareImages: together_equals_apart,
    ColumnsShareState: together_equals_apart,
    LabelsOfFirstColumn: batches,
    EmptyBatchTaken: batches,
    ColumnsOfBatchUnchecked: batches,
    MomentumUnchecked: errors,
    SkipBelowUnchecked: errors,
    LabelsUnchecked: errors,
    LengthsUnchecked: errors,
    LayoutUnchecked: errors,
    StepsWrittenOnError: errors,
    StateHalfWritten: errors,
    NothingSupported: errors,
}

/// The reference with one fault.
struct Faulty<M> {
    engine: ReferenceEngine,
    spec: EngineSpec,
    mistake: PhantomData<M>,
}

impl<M: Mistake> Faulty<M> {
    fn has(fault: Fault) -> bool {
        M::FAULT == fault
    }

    /// Parameters as a faulty engine reads them; its own inverse.
    fn misread(network: &Network, parameters: &Parameters) -> Parameters {
        let mut misread = parameters.clone();
        for spec in parameters.layout() {
            let values = &mut misread.values_mut()[spec.range.clone()];
            if Self::has(Fault::KernelsFlipped) && spec.shape.len() == 4 {
                let kernel = spec.shape[2] * spec.shape[3];
                values.chunks_exact_mut(kernel).for_each(<[f32]>::reverse);
            }
            if Self::has(Fault::FirstDenseInputsReversed) && spec.name == "dense1.weight" {
                values.chunks_exact_mut(spec.shape[1]).for_each(<[f32]>::reverse);
            }
        }
        if Self::has(Fault::OutputBiasForgotten) {
            let n = misread.values().len();
            misread.values_mut()[n - network.classes()..].fill(0.0);
        }
        if Self::has(Fault::NanHidden) {
            misread.values_mut().iter_mut().filter(|value| value.is_nan()).for_each(|value| *value = 0.0);
        }
        if Self::has(Fault::ParametersRounded) {
            misread
                .values_mut()
                .iter_mut()
                .for_each(|value| *value = f32::from_bits(value.to_bits() & !0xffff));
        }
        misread
    }

    fn n_images(&self, labels: &[u8]) -> usize {
        labels.len() / self.engine.n_columns()
    }

    /// Makes every column's step anew with the mistake, given parameters and state from before it.
    fn after_step(
        &mut self,
        before: &[(Parameters, OptimizerState)],
        learning_rate: f32,
        batch: usize,
        steps: &[Step],
    ) -> Result<(), EngineError> {
        for (column, (old, old_state)) in before.iter().enumerate() {
            let (mut new, mut state) =
                (self.engine.parameters(column)?, self.engine.optimizer_state(column)?);
            let (mut optimizer, mut t) = (self.spec.optimizer, state.n_steps);
            let mut of_gradient = 1.0;
            match (M::FAULT, &mut optimizer) {
                (Fault::MomentumOff, Optimizer::Sgd { momentum, .. }) => *momentum *= 1.001,
                (Fault::NesterovIgnored, Optimizer::Sgd { nesterov, .. }) => *nesterov = false,
                (Fault::DecayForgotten | Fault::DecayInGradient, Optimizer::AdamW { weight_decay, .. }) => {
                    *weight_decay = 0.0;
                }
                (Fault::BiasLeft, Optimizer::AdamW { .. }) => t = u64::MAX,
                (Fault::StepsOfFirstColumn, _) => t = before[0].1.n_steps + 1,
                (Fault::GradientOfSum, _) => of_gradient = batch as f64,
                (Fault::GradientSlightlyOff, _) => of_gradient = 1.001,
                (Fault::SkippedLeaveTheMean, _) => {
                    let n_left = batch - steps[column].skipped as usize;
                    of_gradient = batch as f64 / n_left.max(1) as f64;
                }
                (Fault::BatchTakenAsLargest, _) => of_gradient = batch as f64 / self.spec.max_batch as f64,
                (Fault::StateDroppedBetweenCalls | Fault::StepsUncounted, _) => {}
                _ => continue,
            }
            for (i, value) in new.values_mut().iter_mut().enumerate() {
                let moments: Vec<f64> =
                    old_state.moments.iter().map(|moment| f64::from(moment.values()[i])).collect();
                let of_step = f64::from(state.moments[0].values()[i]);
                let (mut g, decay) = match self.spec.optimizer {
                    Optimizer::Sgd { momentum, .. } => (of_step - f64::from(momentum) * moments[0], 0.0),
                    Optimizer::AdamW { beta1, weight_decay, .. } => {
                        let beta1 = f64::from(beta1);
                        ((of_step - beta1 * moments[0]) / (1.0 - beta1), f64::from(weight_decay))
                    }
                };
                g *= of_gradient;
                if Self::has(Fault::DecayInGradient) {
                    g += decay * f64::from(old.values()[i]);
                }
                let (after, moved) =
                    step(optimizer, t, f64::from(old.values()[i]), &moments, g, f64::from(learning_rate));
                for (moment, after) in state.moments.iter_mut().zip(after) {
                    moment.values_mut()[i] = after as f32;
                }
                *value = moved as f32;
            }
            match M::FAULT {
                Fault::StateDroppedBetweenCalls => {
                    state = OptimizerState::new(&self.spec.optimizer, &self.spec.network);
                }
                Fault::StepsUncounted => state.n_steps = old_state.n_steps,
                _ => {}
            }
            self.engine.set_parameters(column, &new)?;
            self.engine.set_optimizer_state(column, &state)?;
        }
        if Self::has(Fault::ColumnsShareState) {
            let first = self.engine.optimizer_state(0)?;
            for column in 1..self.engine.n_columns() {
                self.engine.set_optimizer_state(column, &first)?;
            }
        }
        Ok(())
    }
}

impl<M: Mistake> Engine for Faulty<M> {
    type Batch = PlainBatch;

    fn new(spec: &EngineSpec, columns: &[Parameters]) -> Result<Self, EngineError> {
        if Self::has(Fault::NothingSupported) {
            let reason = "not today".to_owned();
            return Err(EngineError::NotSupported { notation: spec.network.to_string(), reason });
        }
        let misread: Vec<_> = columns.iter().map(|column| Self::misread(&spec.network, column)).collect();
        let mut own = spec.clone();
        if Self::has(Fault::OtherActivation) {
            own.activation = match spec.activation {
                Activation::Relu => Activation::ScaledTanh,
                Activation::ScaledTanh => Activation::Relu,
            };
        }
        if let Optimizer::Sgd { momentum, .. } = &mut own.optimizer
            && Self::has(Fault::MomentumUnchecked)
            && momentum.is_nan()
        {
            *momentum = 0.0;
        }
        if Self::has(Fault::SkippingIgnored) {
            own.skip_below = 0.0;
        }
        if Self::has(Fault::SkipBelowUnchecked) {
            own.skip_below = own.skip_below.clamp(0.0, 0.5).max(0.0);
        }
        let tie = if Self::has(Fault::LastTieWins) { Tie::LastWins } else { Tie::FirstWins };
        Ok(Self {
            engine: ReferenceEngine::with_tie(&own, &misread, tie)?,
            spec: spec.clone(),
            mistake: PhantomData,
        })
    }

    fn n_columns(&self) -> usize {
        self.engine.n_columns()
    }

    fn train_step(
        &mut self,
        images: &[f32],
        labels: &[u8],
        learning_rate: f32,
        steps: &mut [Step],
    ) -> Result<(), EngineError> {
        let mut images = images.to_vec();
        let mut labels = labels.to_vec();
        let image_len = self.spec.network.input().len();
        match M::FAULT {
            Fault::ColumnsShareImages => {
                let first = images[..images.len() / self.engine.n_columns()].to_vec();
                images
                    .chunks_mut(first.len().max(1))
                    .for_each(|chunk| chunk.copy_from_slice(&first[..chunk.len()]));
            }
            Fault::LabelsUnchecked => {
                labels.iter_mut().for_each(|label| *label %= self.spec.network.classes() as u8);
            }
            Fault::LengthsUnchecked => images.resize(labels.len() * image_len, 0.0),
            Fault::StepsWrittenOnError => steps.fill(Step::default()),
            _ => {}
        }
        let before: Vec<_> = (0..self.engine.n_columns())
            .map(|column| Ok((self.engine.parameters(column)?, self.engine.optimizer_state(column)?)))
            .collect::<Result<_, EngineError>>()?;
        self.engine.train_step(&images, &labels, learning_rate, steps)?;
        for (column, step) in steps.iter_mut().enumerate() {
            match M::FAULT {
                Fault::SkippedUncounted => step.skipped = 0,
                Fault::LossInBits => step.loss /= std::f64::consts::LN_2,
                // What an f32 probability that underflows makes of a large loss.
                Fault::LossOfProbability => step.loss = -f64::from((-step.loss).exp() as f32).ln(),
                // Zero tensors counted in the mean's divisor.
                Fault::RatioOfZeroTensors => {
                    let parameters = &before[column].0;
                    let tensors =
                        parameters.layout().iter().map(|spec| &parameters.values()[spec.range.clone()]);
                    let zero = tensors.filter(|values| values.iter().all(|value| value.abs() <= 0.0)).count();
                    step.update_ratio *= 1.0 - zero as f64 / parameters.layout().len() as f64;
                }
                Fault::RatioOfNewParameters => {
                    let norm = |p: &Parameters| p.values().iter().map(|v| f64::from(v.abs())).sum::<f64>();
                    step.update_ratio *= norm(&before[column].0) / norm(&self.engine.parameters(column)?);
                }
                _ => {}
            }
        }
        self.after_step(&before, learning_rate, self.n_images(&labels), steps)
    }

    fn batch(&self) -> PlainBatch {
        PlainBatch::new(self.n_columns(), self.spec.network.input())
    }

    fn train_on(
        &mut self,
        batch: &PlainBatch,
        learning_rate: f32,
        steps: &mut [Step],
    ) -> Result<(), EngineError> {
        let n_columns = if Self::has(Fault::ColumnsOfBatchUnchecked) { 2 } else { self.n_columns() };
        let (images, labels) = batch.of_columns(n_columns)?;
        if Self::has(Fault::EmptyBatchTaken) && labels.is_empty() {
            return Ok(());
        }
        let mut labels = labels.to_vec();
        if Self::has(Fault::LabelsOfFirstColumn) {
            let n = labels.len() / n_columns;
            labels.copy_within(..n, n);
        }
        self.train_step(images, &labels, learning_rate, steps)
    }

    fn predict(
        &mut self,
        column: usize,
        images: &[f32],
        probabilities: &mut [f32],
    ) -> Result<(), EngineError> {
        match M::FAULT {
            Fault::ColumnAlwaysFirst if column < self.n_columns() => {
                self.engine.predict(0, images, probabilities)
            }
            Fault::OnlyFirstBatchPredicted => {
                let (image_len, classes) = (self.spec.network.input().len(), self.spec.network.classes());
                self.engine.predict(column, images, probabilities)?;
                let n = self.spec.max_batch.min(images.len() / image_len);
                probabilities[n * classes..].fill(0.0);
                Ok(())
            }
            Fault::PredictionTrains => {
                self.engine.predict(column, images, probabilities)?;
                let mut state = self.engine.optimizer_state(column)?;
                state.moments[0].values_mut()[0] += 1e-3;
                self.engine.set_optimizer_state(column, &state)
            }
            _ => self.engine.predict(column, images, probabilities),
        }
    }

    fn parameters(&self, column: usize) -> Result<Parameters, EngineError> {
        Ok(Self::misread(&self.spec.network, &self.engine.parameters(column)?))
    }

    fn set_parameters(&mut self, column: usize, parameters: &Parameters) -> Result<(), EngineError> {
        if Self::has(Fault::LayoutUnchecked) && parameters.values().len() == self.spec.network.n_params() {
            let mut own = self.engine.parameters(column)?;
            own.values_mut().copy_from_slice(parameters.values());
            return self.engine.set_parameters(column, &own);
        }
        self.engine.set_parameters(column, &Self::misread(&self.spec.network, parameters))?;
        if Self::has(Fault::StateResetWithParameters) {
            let state = OptimizerState::new(&self.spec.optimizer, &self.spec.network);
            self.engine.set_optimizer_state(column, &state)?;
        }
        Ok(())
    }

    fn optimizer_state(&self, column: usize) -> Result<OptimizerState, EngineError> {
        let OptimizerState { n_steps, moments } = self.engine.optimizer_state(column)?;
        let moments = moments.iter().map(|moment| Self::misread(&self.spec.network, moment)).collect();
        Ok(OptimizerState { n_steps, moments })
    }

    fn set_optimizer_state(&mut self, column: usize, state: &OptimizerState) -> Result<(), EngineError> {
        if let [first, _] = &state.moments[..]
            && Self::has(Fault::StateHalfWritten)
        {
            let mut half = self.engine.optimizer_state(column)?;
            half.moments[0] = first.clone();
            self.engine.set_optimizer_state(column, &half)?;
        }
        self.spec.check_optimizer_state(state)?;
        let moments = state.moments.iter().map(|moment| Self::misread(&self.spec.network, moment)).collect();
        let n_steps = if Self::has(Fault::StepsNotTakenOver) { 0 } else { state.n_steps };
        self.engine.set_optimizer_state(column, &OptimizerState { n_steps, moments })
    }
}

#[test]
fn the_reference_passes() {
    check_engine::<ReferenceEngine>();
}

#[test]
fn every_fault_is_found_by_its_subject() {
    for (fault, subject) in FAULTS {
        assert!(subject().is_err(), "{fault:?} was not found");
    }
}

#[test]
fn what_columns_share_is_found_within_rounding() {
    together_within_rounding::<ReferenceEngine>().unwrap();
    assert!(together_within_rounding::<Faulty<mistakes::ColumnsShareImages>>().is_err());
    assert!(together_within_rounding::<Faulty<mistakes::ColumnsShareState>>().is_err());
    assert!(together_within_rounding::<Faulty<mistakes::GradientSlightlyOff>>().is_err());
}

#[test]
fn a_failure_names_subject_case_and_values() {
    let failure = ties::<Faulty<mistakes::LastTieWins>>().unwrap_err().to_string();
    let start = "ties: 1x9x9-3C2-MP2-4C2-MP3-5N-3N, relu, Sgd { momentum: 0.0, nesterov: false }, \
                 largest batch 2, seed 1: gradient of conv1.weight, index ";
    assert!(failure.starts_with(start), "{failure}");
}
