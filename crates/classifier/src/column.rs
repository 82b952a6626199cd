//! A column that is ready to answer, on any number of threads at once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ciresan_cpu::{CpuEngine, InstructionSet};
use ciresan_net::{EngineError, EngineSpec, Parameters};
use ndarray::ArrayView3;
use preprocess::ViewMaker;
use study::ColumnId;

use crate::predict::{Memory, PredictError, fill};

/// A column with the engines that nobody uses at the moment.
///
/// An engine answers one call at a time. So each call takes one out, or makes one where all are taken, and puts it back:
/// there are as many as there were calls at once, and no call waits for another. (A lock held while an engine works would
/// be a trap: the engine offers parts of its work to other threads of its rayon pool, and a thread that waits for them
/// may take up another call that wants the same lock.)
pub(crate) struct Column {
    pub(crate) id: ColumnId,
    weights: [Parameters; 1],
    /// What it is asked about, if not the digit alone.
    pub(crate) views: Option<ViewMaker>,
    idle: Mutex<Vec<Ready>>,
}

/// An engine with its memory.
struct Ready {
    engine: CpuEngine,
    memory: Memory,
}

impl Ready {
    fn new(weights: &[Parameters; 1], spec: &EngineSpec, isa: InstructionSet) -> Result<Self, EngineError> {
        Ok(Self { engine: CpuEngine::with_isa(spec, weights, isa)?, memory: Memory::default() })
    }
}

impl Column {
    /// With an engine for the first call.
    pub(crate) fn new(
        id: ColumnId,
        weights: Parameters,
        spec: &EngineSpec,
        isa: InstructionSet,
    ) -> Result<Self, EngineError> {
        let weights = [weights];
        let idle = Mutex::new(vec![Ready::new(&weights, spec, isa)?]);
        Ok(Self { id, weights, views: None, idle })
    }

    /// Writes the probabilities for digits of the column's width, `[n, height, width]`, to `out`, `[n, classes]`. `spec`
    /// and `isa` are those that the column was made with.
    pub(crate) fn fill(
        &self,
        canvases: ArrayView3<'_, u8>,
        spec: &EngineSpec,
        isa: InstructionSet,
        out: &mut [f32],
    ) -> Result<(), PredictError> {
        let idle = self.idle().pop();
        let mut ready = idle.map_or_else(|| Ready::new(&self.weights, spec, isa), Ok)?;
        let filled = fill(&mut ready.engine, 0, canvases, self.views.as_ref(), &mut ready.memory, out);
        self.idle().push(ready);
        filled
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Ready>> {
        // Nothing can panic between the halves of a pop or push.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
