//! A batch on its way to the device, while that computes.

use super::device::{Device, compute_on_this_thread_alone};
use super::torch::Torch;
use crate::{Batch, EngineError, Shape};
use rayon::prelude::*;
use tch::{Kind, Tensor};

/// Images and labels of all columns, of which the images are on the device already, or on their way.
///
/// Each column's images are rounded to what the first layer takes on the thread that has made them, while they are in its
/// cache, and go to a GPU from pinned memory: the thread does not wait for the copy, nor the copy for it. tch has one stream
/// a device, so a copy runs behind the kernels that are in it.
#[derive(Debug)]
pub struct LibtorchBatch {
    device: Device,
    kind: Kind,
    input: Shape,
    columns: Vec<Column>,
}

#[derive(Debug, Default)]
struct Column {
    pixels: Vec<f32>,
    labels: Vec<u8>,
    /// `[1, n, maps, height, width]` on the device; `None` while it is not whole.
    images: Option<Tensor>,
}

impl LibtorchBatch {
    pub(super) fn new(n_columns: usize, input: Shape, kind: Kind, device: Device) -> Self {
        Self { device, kind, input, columns: (0..n_columns).map(|_| Column::default()).collect() }
    }

    /// The labels of all columns, `[columns, n]`; none when the batch is empty.
    ///
    /// # Errors
    /// [`EngineError::Length`] when it was made for another number of columns, or for other images.
    pub(super) fn labels(&self, n_columns: usize, input: Shape) -> Result<Vec<u8>, EngineError> {
        let length = |what, got, want| Err(EngineError::Length { what, got, want });
        if self.columns.len() != n_columns {
            return length("columns of the batch", self.columns.len(), n_columns);
        }
        if self.input != input {
            return length("an image of the batch", self.input.len(), input.len());
        }
        if self.columns.iter().any(|column| column.images.is_none()) {
            return Ok(Vec::new());
        }
        Ok(self.columns.iter().flat_map(|column| &column.labels).copied().collect())
    }

    /// The images of `n` columns from number `first` on, `[n, batch, maps, height, width]`, of a batch that is not empty.
    pub(super) fn images(&self, first: usize, n: usize) -> Torch<Tensor> {
        let images: Vec<&Tensor> =
            self.columns[first..first + n].iter().filter_map(|column| column.images.as_ref()).collect();
        match images[..] {
            [one] => Ok(one.shallow_clone()),
            _ => Tensor::f_cat(&images, 0),
        }
    }
}

impl Batch for LibtorchBatch {
    fn fill<E>(
        &mut self,
        n_images: usize,
        column: impl Fn(usize, &mut [f32], &mut [u8]) -> Result<(), E> + Sync,
    ) -> Result<(), E>
    where
        E: From<EngineError> + Send,
    {
        let Self { device, kind, input, columns } = self;
        columns.par_iter_mut().enumerate().try_for_each(|(index, Column { pixels, labels, images })| {
            *images = None;
            pixels.resize(n_images * input.len(), 0.0);
            labels.resize(n_images, 0);
            column(index, pixels, labels)?;
            if n_images > 0 {
                compute_on_this_thread_alone();
                let sent = send_images(pixels, *input, *kind, *device);
                *images = Some(sent.map_err(|error| device.failure(error))?);
            }
            Ok(())
        })
    }
}

/// Images of one column as a tensor `[1, n, maps, height, width]` of this kind on the device.
pub(super) fn send_images(pixels: &[f32], input: Shape, kind: Kind, device: Device) -> Torch<Tensor> {
    let size = [1, pixels.len() / input.len(), input.maps, input.height, input.width];
    let images = Tensor::f_from_slice(pixels)?.f_view(&size.map(|size| size as i64)[..])?;
    send(&images.f_to_kind(kind)?, device)
}

/// A tensor of the CPU on the device; nobody waits until it is there.
pub(super) fn send(tensor: &Tensor, device: Device) -> Torch<Tensor> {
    match device {
        Device::Cpu => Ok(tensor.shallow_clone()),
        Device::Cuda(_) => {
            let device = device.into();
            // Not pin_memory: that warns, each time, that it should not be told the device, which tch always tells it.
            // The memory goes back to libtorch's pool at once, which hands it out again when the copy is done.
            let pinned = tensor.f_internal_pin_memory(device)?;
            pinned.f_to_device_(device, tensor.kind(), true, false)
        }
    }
}
