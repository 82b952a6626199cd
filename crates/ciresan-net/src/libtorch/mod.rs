//! The engine on libtorch, for the CPU and for CUDA: N columns with a leading axis N on every tensor.
//!
//! The path of the data, top-down: this file (the engine) → `batch.rs` (images on their way to the device) → `lockstep.rs`
//! (a step of N columns: images in, gradients, one update) → `forward.rs` (from images to logits) by `convolution.rs`; `model.rs` (what is computed), `state.rs` (parameters and moments, flat),
//! `device.rs` (where, and what its failures become). Which libtorch this program has loaded, and which GPUs it can use, say
//! `loaded.rs` and `gpus.rs`. Linking and starting a program with this feature is described in docs/LIBTORCH.md.

mod batch;
mod convolution;
mod cuda_library;
mod device;
mod forward;
mod gpus;
mod loaded;
mod lockstep;
mod model;
mod state;
mod torch;

pub use batch::LibtorchBatch;
pub use convolution::Convolution;
pub use device::{Device, DeviceError};
pub use gpus::{GpuError, n_gpus};
pub use loaded::loaded_version;

use crate::{Batch, Engine, EngineError, EngineSpec, OptimizerState, Parameters, Step};
use device::compute_on_this_thread_alone;
use lockstep::Lockstep;
use model::Model;

/// Images of one column that are predicted at once. No batch size of the spec, so that it cannot change a bit.
const PREDICTED_AT_ONCE: usize = 512;

/// Trains N columns of one network on libtorch.
///
/// On a GPU all columns train in lockstep: one kernel of each operation for all of them, and one copy of losses and
/// update ratios back to the host a step. On the CPU, where there is no launch to save, the columns of an engine are
/// computed one after the other on the calling thread: with one engine a thread every core works on its own column.
///
/// # Precision
/// [`Precision::Bf16`](crate::Precision::Bf16) gives bf16 to convolutions and hidden layers, forward and backward; the
/// output layer, the loss and the update are f32. [`Precision::Tf32`](crate::Precision::Tf32) lets cuDNN round the
/// operands of grouped convolutions; everything else, and everything on the CPU, stays f32, because tch has no way to
/// tell cuBLAS. [`Precision::Fp32`](crate::Precision::Fp32) on a GPU therefore excludes [`Convolution::Grouped`],
/// whose cuDNN cannot be told to leave operands alone, and takes [`Convolution::Unfolded`].
///
/// # Equal bits
/// On the CPU the same call from the same state gives the same bits, together or apart: every column is computed by
/// itself, on one thread. On a GPU neither is promised: its sums have no fixed order, and libraries choose kernels by
/// shape. Within the rounding of f32 the results are the same; the tests say how close.
///
/// # Threads
/// libtorch's number of threads belongs to the calling thread. An engine sets it to 1 in every call, and so does a
/// [`LibtorchBatch`] on the threads that fill it.
///
/// Takes every network with a [`paper_form`](crate::Network::paper_form).
#[derive(Debug)]
pub struct LibtorchEngine {
    model: Model,
    /// All columns, in order: one for all on a GPU, one a column on the CPU.
    locksteps: Vec<Lockstep>,
    n_columns: usize,
}

impl LibtorchEngine {
    /// An engine on `device`, with the convolutions that suit it.
    ///
    /// # Errors
    /// As for [`Engine::new`]; [`EngineError::Device`] when the device cannot be used.
    pub fn on(spec: &EngineSpec, columns: &[Parameters], device: Device) -> Result<Self, EngineError> {
        Self::with_convolution(spec, columns, device, Convolution::suited_to(device, spec.precision))
    }

    /// An engine that computes convolutions as told, for comparing their speed.
    ///
    /// # Errors
    /// As for [`on`](Self::on); [`EngineError::NotSupported`] for grouped convolutions in fp32 on a GPU.
    pub fn with_convolution(
        spec: &EngineSpec,
        columns: &[Parameters],
        device: Device,
        convolution: Convolution,
    ) -> Result<Self, EngineError> {
        let n_together = match device {
            Device::Cpu => 1,
            Device::Cuda(_) => columns.len(),
        };
        Self::with(spec, columns, device, convolution, n_together)
    }

    /// An engine that trains `n_together` columns in one lockstep, whatever the device.
    fn with(
        spec: &EngineSpec,
        columns: &[Parameters],
        device: Device,
        convolution: Convolution,
        n_together: usize,
    ) -> Result<Self, EngineError> {
        spec.check(columns)?;
        let model = Model::new(spec, device, convolution)?;
        device.check()?;
        compute_on_this_thread_alone();
        let locksteps = columns.chunks(n_together.max(1)).map(|columns| Lockstep::new(&model, columns));
        let locksteps = locksteps.collect::<Result<_, _>>().map_err(|error| device.failure(error))?;
        Ok(Self { model, locksteps, n_columns: columns.len() })
    }

    /// Where it computes.
    #[must_use]
    pub fn device(&self) -> Device {
        self.model.device
    }

    /// How it computes convolutions.
    #[must_use]
    pub fn convolution(&self) -> Convolution {
        self.model.convolution
    }

    /// The lockstep that has this column, and its place there.
    fn place(&self, column: usize) -> Result<(usize, usize), EngineError> {
        if column >= self.n_columns {
            return Err(EngineError::Column { got: column, n: self.n_columns });
        }
        let n_together = self.locksteps[0].n_columns();
        Ok((column / n_together, column % n_together))
    }
}

impl Engine for LibtorchEngine {
    type Batch = LibtorchBatch;

    /// On the CPU; see [`LibtorchEngine::on`] for others.
    fn new(spec: &EngineSpec, columns: &[Parameters]) -> Result<Self, EngineError> {
        Self::on(spec, columns, Device::Cpu)
    }

    fn n_columns(&self) -> usize {
        self.n_columns
    }

    fn train_step(
        &mut self,
        images: &[f32],
        labels: &[u8],
        learning_rate: f32,
        steps: &mut [Step],
    ) -> Result<(), EngineError> {
        let batch = self.model.spec.check_train_step(self.n_columns, images, labels, steps)?;
        let image_len = images.len() / labels.len();
        let mut sent = self.batch();
        sent.fill(batch, |column, of_images, of_labels| {
            let range = column * batch..(column + 1) * batch;
            of_images.copy_from_slice(&images[range.start * image_len..range.end * image_len]);
            of_labels.copy_from_slice(&labels[range]);
            Ok::<_, EngineError>(())
        })?;
        self.train_on(&sent, learning_rate, steps)
    }

    fn batch(&self) -> LibtorchBatch {
        let Model { spec, device, .. } = &self.model;
        LibtorchBatch::new(self.n_columns, spec.network.input(), self.model.image_kind(), *device)
    }

    fn train_on(
        &mut self,
        batch: &LibtorchBatch,
        learning_rate: f32,
        steps: &mut [Step],
    ) -> Result<(), EngineError> {
        let labels = batch.labels(self.n_columns, self.model.spec.network.input())?;
        let n_images = self.model.spec.check_labels(self.n_columns, &labels, steps)?;
        let Self { model, locksteps, .. } = self;
        compute_on_this_thread_alone();
        // All gradients before the first update: a column that finds no memory leaves none changed.
        let (mut told, mut gradients) = (Vec::with_capacity(steps.len()), Vec::new());
        for lockstep in &*locksteps {
            let (first, n) = (told.len(), lockstep.n_columns());
            let labels = &labels[first * n_images..(first + n) * n_images];
            let computed = batch
                .images(first, n)
                .and_then(|images| lockstep.gradient(model, &images, labels, learning_rate))
                .map_err(|error| model.device.failure(error))?;
            told.extend(computed.steps);
            gradients.push(computed.gradient);
        }
        for (lockstep, gradient) in locksteps.iter_mut().zip(gradients) {
            lockstep.descend(model, gradient, learning_rate).map_err(|error| model.device.failure(error))?;
        }
        steps.copy_from_slice(&told);
        Ok(())
    }

    fn predict(
        &mut self,
        column: usize,
        images: &[f32],
        probabilities: &mut [f32],
    ) -> Result<(), EngineError> {
        let Self { model, locksteps, .. } = &*self;
        model.spec.check_predict(self.n_columns, column, images, probabilities)?;
        let (lockstep, place) = self.place(column)?;
        compute_on_this_thread_alone();
        let classes = model.spec.network.classes();
        let mut all = Vec::with_capacity(probabilities.len());
        for images in images.chunks(PREDICTED_AT_ONCE * model.spec.network.input().len()) {
            let chunk = locksteps[lockstep].predict(model, place, images);
            all.extend(chunk.map_err(|error| model.device.failure(error))?);
        }
        debug_assert_eq!(all.len() % classes, 0);
        probabilities.copy_from_slice(&all);
        Ok(())
    }

    fn parameters(&self, column: usize) -> Result<Parameters, EngineError> {
        let (lockstep, place) = self.place(column)?;
        let state = &self.locksteps[lockstep].state;
        state.parameters(&self.model.spec.network, place).map_err(|error| self.model.device.failure(error))
    }

    fn set_parameters(&mut self, column: usize, parameters: &Parameters) -> Result<(), EngineError> {
        self.model.spec.check_parameters("parameters", parameters)?;
        let (lockstep, place) = self.place(column)?;
        let state = &mut self.locksteps[lockstep].state;
        state.set_parameters(place, parameters).map_err(|error| self.model.device.failure(error))
    }

    fn optimizer_state(&self, column: usize) -> Result<OptimizerState, EngineError> {
        let (lockstep, place) = self.place(column)?;
        let state = &self.locksteps[lockstep].state;
        let read = state.optimizer_state(&self.model.spec.network, place);
        read.map_err(|error| self.model.device.failure(error))
    }

    fn set_optimizer_state(&mut self, column: usize, to: &OptimizerState) -> Result<(), EngineError> {
        self.model.spec.check_optimizer_state(to)?;
        let (lockstep, place) = self.place(column)?;
        let state = &mut self.locksteps[lockstep].state;
        state.set_optimizer_state(place, to).map_err(|error| self.model.device.failure(error))
    }
}

#[cfg(test)]
mod tests;
