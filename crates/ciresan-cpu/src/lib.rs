#![doc = include_str!("../README.md")]

mod activation;
mod backward;
mod bands;
mod column;
mod dense;
mod direct;
mod first_backward;
mod forward;
mod geometry;
mod gradient;
mod instruction_set;
#[cfg(feature = "kernels")]
#[doc(hidden)]
pub mod kernels;
mod layout;
mod loss;
mod model;
mod parallel;
mod part;
mod planes;
mod pooling;
mod simd;
mod stage;
mod stage_kernels;
mod tiles;
mod update;
mod windows;
mod winograd;
mod workspace;

pub use instruction_set::{InstructionSet, InstructionSetError};

use ciresan_net::{Engine, EngineError, EngineSpec, OptimizerState, Parameters, PlainBatch, Step};
use column::Column;
use model::Model;
use workspace::Workspace;

/// Trains columns of one network, one after the other.
///
/// For several cores make one engine a thread: columns are independent, and a core works on its own column's
/// weights from its own cache. Where there are fewer columns than cores, call the engine on a thread of a rayon pool: idle
/// threads of that pool then take parts of the batch. The result is the same to the bit; outside of a pool the calling thread
/// does everything.
///
/// Takes every network with a [`paper_form`](ciresan_net::Network::paper_form) of at least one stage.
pub struct CpuEngine {
    model: Model,
    columns: Vec<Column>,
    workspace: Workspace,
}

impl CpuEngine {
    /// An engine on the given instruction set; [`Engine::new`] takes the [best](InstructionSet::best).
    ///
    /// # Errors
    /// As for [`Engine::new`].
    pub fn with_isa(
        spec: &EngineSpec,
        columns: &[Parameters],
        isa: InstructionSet,
    ) -> Result<Self, EngineError> {
        spec.check(columns)?;
        let model = Model::new(spec, isa)?;
        let mut engine = Self {
            workspace: Workspace::new(&model),
            columns: columns.iter().map(|_| Column::new(&model)).collect(),
            model,
        };
        for (column, parameters) in columns.iter().enumerate() {
            engine.set_parameters(column, parameters)?;
        }
        Ok(engine)
    }

    /// The instruction set that this engine computes with.
    #[must_use]
    pub fn isa(&self) -> InstructionSet {
        self.model.isa
    }

    fn column(&self, column: usize) -> Result<&Column, EngineError> {
        self.columns.get(column).ok_or(EngineError::Column { got: column, n: self.columns.len() })
    }

    fn column_mut(&mut self, column: usize) -> Result<&mut Column, EngineError> {
        let n = self.columns.len();
        self.columns.get_mut(column).ok_or(EngineError::Column { got: column, n })
    }
}

impl Engine for CpuEngine {
    type Batch = PlainBatch;

    fn new(spec: &EngineSpec, columns: &[Parameters]) -> Result<Self, EngineError> {
        Self::with_isa(spec, columns, InstructionSet::best())
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
        let batch = self.model.spec.check_train_step(self.columns.len(), images, labels, steps)?;
        let batches = images.chunks_exact(images.len() / self.columns.len()).zip(labels.chunks_exact(batch));
        for ((column, step), (images, labels)) in self.columns.iter_mut().zip(steps).zip(batches) {
            *step = column.train_step(&self.model, &mut self.workspace, images, labels, learning_rate);
        }
        Ok(())
    }

    fn batch(&self) -> PlainBatch {
        PlainBatch::new(self.n_columns(), self.model.spec.network.input())
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
        let spec = &self.model.spec;
        spec.check_predict(self.columns.len(), column, images, probabilities)?;
        let batches = images.chunks(spec.max_batch * spec.network.input().len());
        for (images, out) in batches.zip(probabilities.chunks_mut(spec.max_batch * spec.network.classes())) {
            self.columns[column].predict(&self.model, &mut self.workspace, images, out);
        }
        Ok(())
    }

    fn parameters(&self, column: usize) -> Result<Parameters, EngineError> {
        Ok(self.model.hand_out(&self.column(column)?.values))
    }

    fn set_parameters(&mut self, column: usize, parameters: &Parameters) -> Result<(), EngineError> {
        self.model.spec.check_parameters("parameters", parameters)?;
        let values = self.model.take_over(parameters);
        self.column_mut(column)?.values = values;
        self.columns[column].pack(&self.model);
        Ok(())
    }

    fn optimizer_state(&self, column: usize) -> Result<OptimizerState, EngineError> {
        let Column { moments, n_steps, .. } = self.column(column)?;
        let n_moments = self.model.spec.optimizer.moments().len();
        let moments = moments[..n_moments].iter().map(|moment| self.model.hand_out(moment));
        Ok(OptimizerState { n_steps: *n_steps, moments: moments.collect() })
    }

    fn set_optimizer_state(&mut self, column: usize, state: &OptimizerState) -> Result<(), EngineError> {
        self.model.spec.check_optimizer_state(state)?;
        let moments: Vec<_> = state.moments.iter().map(|moment| self.model.take_over(moment)).collect();
        let column = self.column_mut(column)?;
        column.n_steps = state.n_steps;
        column.moments.iter_mut().zip(moments).for_each(|(moment, values)| *moment = values);
        Ok(())
    }
}
