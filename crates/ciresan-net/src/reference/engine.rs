//! The reference as an [`Engine`]: slow, and right.

use super::{Reference, Tie};
use crate::{Engine, EngineError, EngineSpec, Optimizer, OptimizerState, Parameters, PlainBatch, Step};

/// An engine that computes with [`Reference`] in f64 and keeps its state in f32. It takes every network.
#[derive(Clone, Debug)]
pub struct ReferenceEngine {
    spec: EngineSpec,
    reference: Reference,
    columns: Vec<Column>,
}

#[derive(Clone, Debug)]
struct Column {
    parameters: Parameters,
    state: OptimizerState,
}

impl ReferenceEngine {
    /// With another rule for ties than that of [`Engine`], to see that a test notices.
    pub(crate) fn with_tie(spec: &EngineSpec, columns: &[Parameters], tie: Tie) -> Result<Self, EngineError> {
        spec.check(columns)?;
        let columns = columns
            .iter()
            .map(|parameters| Column {
                parameters: parameters.clone(),
                state: OptimizerState::new(&spec.optimizer, &spec.network),
            })
            .collect();
        let reference = Reference::with_tie(&spec.network, spec.activation, tie);
        Ok(Self { spec: spec.clone(), reference, columns })
    }

    fn column(&self, column: usize) -> Result<&Column, EngineError> {
        self.columns.get(column).ok_or(EngineError::Column { got: column, n: self.columns.len() })
    }

    fn column_mut(&mut self, column: usize) -> Result<&mut Column, EngineError> {
        let n = self.columns.len();
        self.columns.get_mut(column).ok_or(EngineError::Column { got: column, n })
    }
}

impl Engine for ReferenceEngine {
    type Batch = PlainBatch;

    fn new(spec: &EngineSpec, columns: &[Parameters]) -> Result<Self, EngineError> {
        Self::with_tie(spec, columns, Tie::FirstWins)
    }

    fn n_columns(&self) -> usize {
        self.columns.len()
    }

    fn train_step(
        &mut self,
        images: &[f32],
        labels: &[u8],
        learning_rate: f32,
        steps: &mut [Step],
    ) -> Result<(), EngineError> {
        let batch = self.spec.check_train_step(self.columns.len(), images, labels, steps)?;
        let images = widened(images);
        let images = images.chunks_exact(batch * self.spec.network.input().len());
        for (((column, step), images), labels) in
            self.columns.iter_mut().zip(steps).zip(images).zip(labels.chunks_exact(batch))
        {
            let parameters = widened(column.parameters.values());
            let trace = self.reference.forward(&parameters, images);
            let bound = self.spec.skip_bound();
            let gradient = self.reference.backward(&parameters, images, &trace, labels, bound).parameters;
            let update_ratio = update_ratio(&column.parameters, &gradient, f64::from(learning_rate));
            let skipped = trace.skipped(labels, bound).filter(|&skipped| skipped).count() as u32;
            *step = Step { loss: trace.loss(labels), update_ratio, skipped };
            column.descend(&self.spec, &gradient, f64::from(learning_rate));
        }
        Ok(())
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
        let (images, labels) = batch.of_columns(self.n_columns())?;
        self.train_step(images, labels, learning_rate, steps)
    }

    fn predict(
        &mut self,
        column: usize,
        images: &[f32],
        probabilities: &mut [f32],
    ) -> Result<(), EngineError> {
        self.spec.check_predict(self.columns.len(), column, images, probabilities)?;
        let parameters = widened(self.columns[column].parameters.values());
        let trace = self.reference.forward(&parameters, &widened(images));
        for (out, &probability) in probabilities.iter_mut().zip(&trace.probabilities) {
            *out = probability as f32;
        }
        Ok(())
    }

    fn parameters(&self, column: usize) -> Result<Parameters, EngineError> {
        Ok(self.column(column)?.parameters.clone())
    }

    fn set_parameters(&mut self, column: usize, parameters: &Parameters) -> Result<(), EngineError> {
        self.spec.check_parameters("parameters", parameters)?;
        self.column_mut(column)?.parameters = parameters.clone();
        Ok(())
    }

    fn optimizer_state(&self, column: usize) -> Result<OptimizerState, EngineError> {
        Ok(self.column(column)?.state.clone())
    }

    fn set_optimizer_state(&mut self, column: usize, state: &OptimizerState) -> Result<(), EngineError> {
        self.spec.check_optimizer_state(state)?;
        self.column_mut(column)?.state = state.clone();
        Ok(())
    }
}

impl Column {
    fn descend(&mut self, spec: &EngineSpec, gradient: &[f64], learning_rate: f64) {
        let Self { parameters, state: OptimizerState { n_steps, moments } } = self;
        *n_steps = n_steps.saturating_add(1);
        let mut moments: Vec<&mut [f32]> = moments.iter_mut().map(Parameters::values_mut).collect();
        for (i, (value, &g)) in parameters.values_mut().iter_mut().zip(gradient).enumerate() {
            let before: Vec<f64> = moments.iter().map(|moment| f64::from(moment[i])).collect();
            let (after, moved) = step(spec.optimizer, *n_steps, f64::from(*value), &before, g, learning_rate);
            *value = moved as f32;
            moments.iter_mut().zip(after).for_each(|(moment, after)| moment[i] = after as f32);
        }
    }
}

/// One value's moments and the value itself after step number `t`, as [`Optimizer`] has it.
pub(crate) fn step(
    optimizer: Optimizer,
    t: u64,
    value: f64,
    moments: &[f64],
    g: f64,
    learning_rate: f64,
) -> (Vec<f64>, f64) {
    match optimizer {
        Optimizer::Sgd { momentum, nesterov } => {
            let momentum = f64::from(momentum);
            let v = momentum * moments[0] + g;
            let direction = if nesterov { g + momentum * v } else { v };
            (vec![v], value - learning_rate * direction)
        }
        Optimizer::AdamW { beta1, beta2, epsilon, weight_decay } => {
            let [m, s] = [(beta1, moments[0], g), (beta2, moments[1], g * g)].map(|(beta, moment, new)| {
                let beta = f64::from(beta);
                beta * moment + (1.0 - beta) * new
            });
            let [of_m, of_s] = optimizer.bias_corrections(t);
            let direction = (m / of_m) / ((s / of_s).sqrt() + f64::from(epsilon));
            let decay = learning_rate * f64::from(weight_decay) * value;
            (vec![m, s], value - decay - learning_rate * direction)
        }
    }
}

/// See [`Step::update_ratio`].
pub(crate) fn update_ratio(parameters: &Parameters, gradient: &[f64], learning_rate: f64) -> f64 {
    let (mut sum, mut n) = (0.0, 0);
    for spec in parameters.layout() {
        let size: f64 =
            parameters.values()[spec.range.clone()].iter().map(|&value| f64::from(value).abs()).sum();
        if size > 0.0 || size.is_nan() {
            sum += gradient[spec.range.clone()].iter().map(|g| (learning_rate * g).abs()).sum::<f64>() / size;
            n += 1;
        }
    }
    if n == 0 { 0.0 } else { sum / f64::from(n) }
}

pub(crate) fn widened(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}
