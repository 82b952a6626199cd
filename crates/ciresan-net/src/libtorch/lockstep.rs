//! A training step of N columns at once.

use super::batch::{send, send_images};
use super::forward::logits;
use super::model::Model;
use super::state::State;
use super::torch::Torch;
use crate::{EngineSpec, Parameters, Step};
use tch::{Kind, Reduction, Tensor};

/// N columns whose tensors have a leading axis N.
#[derive(Debug)]
pub(super) struct Lockstep {
    pub(super) state: State,
}

/// What a step has found out, before it changes anything.
pub(super) struct Computed {
    /// One a column.
    pub(super) steps: Vec<Step>,
    /// `[N, n_params]`, f32.
    pub(super) gradient: Tensor,
}

impl Lockstep {
    pub(super) fn new(model: &Model, columns: &[Parameters]) -> Torch<Self> {
        let EngineSpec { network, optimizer, .. } = &model.spec;
        Ok(Self { state: State::new(network, *optimizer, model.device.into(), columns)? })
    }

    pub(super) fn n_columns(&self) -> usize {
        self.state.n_columns()
    }

    /// The gradient of every column's mean loss over its own images, and what the step tells.
    ///
    /// The host waits for the device once, for what all columns tell in one copy.
    ///
    /// # Shapes
    /// `images`: `[N, batch, maps, height, width]` on the device, of the model's kind; `labels`: `[N, batch]` flat.
    pub(super) fn gradient(
        &self,
        model: &Model,
        images: &Tensor,
        labels: &[u8],
        learning_rate: f32,
    ) -> Torch<Computed> {
        let n = self.n_columns();
        let labels = send(&Tensor::f_from_slice(labels)?, model.device)?.f_to_kind(Kind::Int64)?;
        let leaves: Vec<Tensor> = (self.state.tensors(model.spec.precision)?.iter())
            .map(|tensor| tensor.f_detach()?.f_set_requires_grad(true))
            .collect::<Torch<_>>()?;
        let logits = logits(model, &leaves, images)?.f_flatten(0, 1)?;
        let losses =
            logits.f_cross_entropy_loss::<Tensor>(&labels, None, Reduction::None, NO_LABEL_IGNORED, 0.0)?;
        let of_images = losses.f_view([n as i64, -1])?;
        let losses = of_images.f_mean_dim(1, false, Kind::Double)?;
        let (learned_from, skipped) = match model.spec.skip_bound() {
            Some(bound) => {
                let skipped = skipped(&logits, &labels, bound)?.f_view_as(&of_images)?;
                let left = of_images.f_masked_fill(&skipped, 0.0)?.f_mean_dim(1, false, Kind::Double)?;
                (left, skipped.f_sum_dim_intlist(1, false, Kind::Double)?)
            }
            None => (losses.shallow_clone(), losses.f_zeros_like()?),
        };
        // Columns share nothing, so the gradient of the sum is each column's own.
        let total = learned_from.f_sum(Kind::Double)?;
        let gradients = Tensor::f_run_backward(&[total], &leaves, false, false)?;
        let gradient = self.state.join(&gradients)?;
        let ratios = self.state.update_ratios(&gradient, learning_rate)?;
        let told = [losses.f_detach()?, ratios, skipped.f_detach()?];
        let told = Tensor::f_stack(&told, 1)?.f_to_device(tch::Device::Cpu)?;
        let mut values = vec![0.0_f64; 3 * n];
        told.f_copy_data(&mut values, 3 * n)?;
        let steps = values.as_chunks::<3>().0.iter().map(|&[loss, update_ratio, skipped]| Step {
            loss,
            update_ratio,
            skipped: skipped as u32,
        });
        Ok(Computed { steps: steps.collect(), gradient })
    }

    /// One step of the optimizer for every column.
    pub(super) fn descend(&mut self, model: &Model, gradient: Tensor, learning_rate: f32) -> Torch<()> {
        self.state.descend(gradient, learning_rate, model.device)
    }

    /// Softmax probabilities of one column, `[images, classes]` flat.
    pub(super) fn predict(&self, model: &Model, column: usize, images: &[f32]) -> Torch<Vec<f32>> {
        let tensors = self.state.tensors_of(column, model.spec.precision)?;
        let images = send_images(images, model.spec.network.input(), model.image_kind(), model.device)?;
        let logits = logits(model, &tensors, &images)?;
        let probabilities =
            logits.f_softmax(-1, Kind::Float)?.f_contiguous()?.f_to_device(tch::Device::Cpu)?;
        let mut values = vec![0.0; probabilities.numel()];
        let n = values.len();
        probabilities.f_copy_data(&mut values, n)?;
        Ok(values)
    }
}

/// Which images have a label that is more probable than `bound`; `logits` `[images, classes]`, `labels` `[images]`.
fn skipped(logits: &Tensor, labels: &Tensor, bound: f32) -> Torch<Tensor> {
    let probabilities = logits.f_detach()?.f_softmax(-1, Kind::Float)?;
    probabilities.f_gather(1, &labels.f_unsqueeze(1)?, false)?.f_gt(f64::from(bound))
}

/// libtorch leaves out the images of one label; this is none.
const NO_LABEL_IGNORED: i64 = -100;
