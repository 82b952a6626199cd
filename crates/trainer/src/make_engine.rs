//! What makes the engines of a run.

use ciresan_net::{Engine, EngineError, EngineSpec, Parameters};

/// Makes the engine that trains a group of columns.
///
/// Every function of (number of the worker, spec, first parameters) is one:
/// `|_, spec, columns| CpuEngine::new(spec, columns)`.
pub trait MakeEngine: Sync {
    /// What it makes.
    type Engine: Engine;

    /// An engine for the columns with these parameters, on the thread of the worker that will use it. Workers count
    /// from 0.
    ///
    /// # Errors
    /// Those of the engine; the group's columns fail with it.
    fn make(
        &self,
        worker: usize,
        spec: &EngineSpec,
        columns: &[Parameters],
    ) -> Result<Self::Engine, EngineError>;
}

impl<E, F> MakeEngine for F
where
    E: Engine,
    F: Fn(usize, &EngineSpec, &[Parameters]) -> Result<E, EngineError> + Sync,
{
    type Engine = E;

    fn make(&self, worker: usize, spec: &EngineSpec, columns: &[Parameters]) -> Result<E, EngineError> {
        self(worker, spec, columns)
    }
}
