//! Engines that [`Engine::new`] alone cannot make: of an instruction set, of a device.

use crate::{Engine, EngineError, EngineSpec, OptimizerState, Parameters, Step};

/// How engines are made, as a type, since the conformance tests make engines themselves.
pub trait Make {
    /// What is made.
    type Engine: Engine;

    /// An engine with a column for each of `columns`.
    ///
    /// # Errors
    /// As for [`Engine::new`].
    fn make(spec: &EngineSpec, columns: &[Parameters]) -> Result<Self::Engine, EngineError>;
}

/// The engine that `M` makes.
#[derive(Debug)]
pub struct Made<M: Make>(M::Engine);

impl<M: Make> Engine for Made<M> {
    type Batch = <M::Engine as Engine>::Batch;

    fn new(spec: &EngineSpec, columns: &[Parameters]) -> Result<Self, EngineError> {
        M::make(spec, columns).map(Self)
    }

    fn n_columns(&self) -> usize {
        self.0.n_columns()
    }

    fn train_step(
        &mut self,
        images: &[f32],
        labels: &[u8],
        learning_rate: f32,
        steps: &mut [Step],
    ) -> Result<(), EngineError> {
        self.0.train_step(images, labels, learning_rate, steps)
    }

    fn batch(&self) -> Self::Batch {
        self.0.batch()
    }

    fn train_on(
        &mut self,
        batch: &Self::Batch,
        learning_rate: f32,
        steps: &mut [Step],
    ) -> Result<(), EngineError> {
        self.0.train_on(batch, learning_rate, steps)
    }

    fn predict(&mut self, column: usize, images: &[f32], out: &mut [f32]) -> Result<(), EngineError> {
        self.0.predict(column, images, out)
    }

    fn parameters(&self, column: usize) -> Result<Parameters, EngineError> {
        self.0.parameters(column)
    }

    fn set_parameters(&mut self, column: usize, to: &Parameters) -> Result<(), EngineError> {
        self.0.set_parameters(column, to)
    }

    fn optimizer_state(&self, column: usize) -> Result<OptimizerState, EngineError> {
        self.0.optimizer_state(column)
    }

    fn set_optimizer_state(&mut self, column: usize, to: &OptimizerState) -> Result<(), EngineError> {
        self.0.set_optimizer_state(column, to)
    }
}
