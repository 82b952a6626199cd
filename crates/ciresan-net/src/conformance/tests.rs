//! The reference passes, and every kind of mistake is found by the subject that is there for it.

use super::*;
use crate::reference::{ReferenceEngine, Tie};
use crate::{Activation, EngineError, EngineSpec, Network, Optimizer, Parameters, Step};
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
    VelocityDroppedBetweenCalls: optimizer,
    VelocityResetWithParameters: state,
    PredictionTrains: state,
    NanHidden: state,
    ColumnsShareImages: together_equals_apart,
    ColumnsShareVelocity: together_equals_apart,
    MomentumUnchecked: errors,
    LabelsUnchecked: errors,
    LengthsUnchecked: errors,
    LayoutUnchecked: errors,
    StepsWrittenOnError: errors,
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

    /// Changes every column's parameters and velocity, given those from before the step.
    fn after_step(
        &mut self,
        before: &[(Parameters, Parameters)],
        learning_rate: f32,
        batch: usize,
    ) -> Result<(), EngineError> {
        for (column, (parameters, velocity)) in before.iter().enumerate() {
            let Optimizer { momentum, nesterov } = self.spec.optimizer;
            let (mut new, mut new_velocity) =
                (self.engine.parameters(column)?, self.engine.velocity(column)?);
            let all = (new.values_mut().iter_mut().zip(new_velocity.values_mut()))
                .zip(parameters.values().iter().zip(velocity.values()));
            for ((value, v), (&old, &old_v)) in all {
                let mut g = *v - momentum * old_v;
                let mut momentum = momentum;
                let mut nesterov = nesterov;
                match M::FAULT {
                    Fault::MomentumOff => momentum *= 1.001,
                    Fault::NesterovIgnored => nesterov = false,
                    Fault::GradientOfSum => g *= batch as f32,
                    Fault::GradientSlightlyOff => g *= 1.001,
                    Fault::BatchTakenAsLargest => g *= batch as f32 / self.spec.max_batch as f32,
                    Fault::VelocityDroppedBetweenCalls => {
                        *v = 0.0;
                        continue;
                    }
                    _ => continue,
                }
                *v = momentum * old_v + g;
                *value = old - learning_rate * if nesterov { g + momentum * *v } else { *v };
            }
            self.engine.set_parameters(column, &new)?;
            self.engine.set_velocity(column, &new_velocity)?;
        }
        if Self::has(Fault::ColumnsShareVelocity) {
            let first = self.engine.velocity(0)?;
            for column in 1..self.engine.n_columns() {
                self.engine.set_velocity(column, &first)?;
            }
        }
        Ok(())
    }
}

impl<M: Mistake> Engine for Faulty<M> {
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
        if Self::has(Fault::MomentumUnchecked) && own.optimizer.momentum.is_nan() {
            own.optimizer.momentum = 0.0;
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
            .map(|column| Ok((self.engine.parameters(column)?, self.engine.velocity(column)?)))
            .collect::<Result<_, EngineError>>()?;
        self.engine.train_step(&images, &labels, learning_rate, steps)?;
        for (column, step) in steps.iter_mut().enumerate() {
            match M::FAULT {
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
        self.after_step(&before, learning_rate, self.n_images(&labels))
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
                let mut velocity = self.engine.velocity(column)?;
                velocity.values_mut()[0] += 1e-3;
                self.engine.set_velocity(column, &velocity)
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
        if Self::has(Fault::VelocityResetWithParameters) {
            self.engine.set_velocity(column, &Parameters::zeros(&self.spec.network))?;
        }
        Ok(())
    }

    fn velocity(&self, column: usize) -> Result<Parameters, EngineError> {
        Ok(Self::misread(&self.spec.network, &self.engine.velocity(column)?))
    }

    fn set_velocity(&mut self, column: usize, velocity: &Parameters) -> Result<(), EngineError> {
        self.engine.set_velocity(column, &Self::misread(&self.spec.network, velocity))
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
    assert!(together_within_rounding::<Faulty<mistakes::ColumnsShareVelocity>>().is_err());
    assert!(together_within_rounding::<Faulty<mistakes::GradientSlightlyOff>>().is_err());
}

#[test]
fn a_failure_names_subject_case_and_values() {
    let failure = ties::<Faulty<mistakes::LastTieWins>>().unwrap_err().to_string();
    let start = "ties: 1x9x9-3C2-MP2-4C2-MP3-5N-3N, relu, Optimizer { momentum: 0.0, nesterov: false }, \
                 largest batch 2, seed 1: gradient of conv1.weight, index ";
    assert!(failure.starts_with(start), "{failure}");
}
