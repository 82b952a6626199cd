//! The reference as an [`Engine`]: slow, and right.

use super::{Reference, Tie};
use crate::{Engine, EngineError, EngineSpec, Parameters, Step};

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
    velocity: Parameters,
}

impl ReferenceEngine {
    /// With another rule for ties than that of [`Engine`], to see that a test notices.
    pub(crate) fn with_tie(spec: &EngineSpec, columns: &[Parameters], tie: Tie) -> Result<Self, EngineError> {
        spec.check(columns)?;
        let columns = columns
            .iter()
            .map(|parameters| Column {
                parameters: parameters.clone(),
                velocity: Parameters::zeros(&spec.network),
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
            let gradient = self.reference.backward(&parameters, images, &trace, labels).parameters;
            let update_ratio = update_ratio(&column.parameters, &gradient, f64::from(learning_rate));
            *step = Step { loss: trace.loss(labels), update_ratio };
            column.descend(&self.spec, &gradient, f64::from(learning_rate));
        }
        Ok(())
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

    fn velocity(&self, column: usize) -> Result<Parameters, EngineError> {
        Ok(self.column(column)?.velocity.clone())
    }

    fn set_velocity(&mut self, column: usize, velocity: &Parameters) -> Result<(), EngineError> {
        self.spec.check_parameters("velocity", velocity)?;
        self.column_mut(column)?.velocity = velocity.clone();
        Ok(())
    }
}

impl Column {
    fn descend(&mut self, spec: &EngineSpec, gradient: &[f64], learning_rate: f64) {
        let momentum = f64::from(spec.optimizer.momentum);
        let values = self.parameters.values_mut().iter_mut().zip(self.velocity.values_mut());
        for ((value, velocity), &g) in values.zip(gradient) {
            let v = momentum * f64::from(*velocity) + g;
            let direction = if spec.optimizer.nesterov { g + momentum * v } else { v };
            *velocity = v as f32;
            *value = (f64::from(*value) - learning_rate * direction) as f32;
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
