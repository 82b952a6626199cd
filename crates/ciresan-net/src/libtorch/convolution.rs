//! Convolutions of N columns at once, each with its own kernels, in two ways.

use super::device::Device;
use super::torch::Torch;
use crate::Precision;
use tch::Tensor;

/// How the convolutions of N columns are computed at once. Both give the same sums but for their order.
///
/// No GPU has compared them yet; whoever has one can, with the example `libtorch_speed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Convolution {
    /// One convolution with a group for each column.
    Grouped,
    /// Patches laid out as rows of a matrix, and one batched matrix product.
    Unfolded,
}

impl Convolution {
    /// Grouped, the faster on a CPU, but where cuDNN would round operands that should stay as they are.
    pub(super) fn suited_to(device: Device, precision: Precision) -> Self {
        match (device, precision) {
            (Device::Cuda(_), Precision::Fp32) => Self::Unfolded,
            _ => Self::Grouped,
        }
    }

    /// Activations between stages in the layout that this way takes: [`grouped`] or [`unfolded`] says which.
    ///
    /// `images`: `[n, batch, maps, height, width]`.
    pub(super) fn arrange(self, images: &Tensor) -> Torch<Tensor> {
        let [n, batch, maps, height, width] = five(images);
        match self {
            // In memory [batch, height, width, n, maps]. The permute at the end is what makes it channels-last: a
            // tensor of one channel would count as both layouts, and take the slow path.
            Self::Grouped => images
                .f_permute([1, 3, 4, 0, 2])?
                .f_contiguous()?
                .f_view([batch, height, width, n * maps])?
                .f_permute([0, 3, 1, 2]),
            Self::Unfolded => images
                .f_permute([0, 1, 3, 4, 2])?
                .f_contiguous()?
                .f_view([n * batch, height, width, maps])?
                .f_permute([0, 3, 1, 2]),
        }
    }

    /// A convolution. `weight`: `[n, outputs, maps, kernel, kernel]`, `bias`: `[n, outputs]`.
    pub(super) fn apply(self, x: &Tensor, weight: &Tensor, bias: &Tensor) -> Torch<Tensor> {
        match self {
            Self::Grouped => grouped(x, weight, bias),
            Self::Unfolded => unfolded(x, weight, bias),
        }
    }

    /// What dense layers take, `[n, batch, maps · height · width]` in that order, from what the last stage gave.
    pub(super) fn flatten(self, x: &Tensor, n: i64) -> Torch<Tensor> {
        let [first, channels, height, width] = four(x);
        match self {
            Self::Grouped => {
                let maps = channels / n;
                let by_pixel = x.f_permute([0, 2, 3, 1])?.f_reshape([first, height, width, n, maps])?;
                by_pixel.f_permute([3, 0, 4, 1, 2])?.f_reshape([n, first, maps * height * width])
            }
            Self::Unfolded => x.f_reshape([n, first / n, channels * height * width]),
        }
    }
}

/// `x`: `[batch, n · maps, height, width]`, channels-last in memory. Returns the same with `outputs` for `maps`.
fn grouped(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Torch<Tensor> {
    let [n, outputs, maps, kernel, _] = five(weight);
    let kernels = weight.f_permute([0, 1, 3, 4, 2])?.f_reshape([n * outputs, kernel, kernel, maps])?;
    let bias = bias.f_reshape([n * outputs])?;
    x.f_conv2d(&kernels.f_permute([0, 3, 1, 2])?, Some(bias), [1, 1], [0, 0], [1, 1], n)
}

/// `x`: `[n · batch, maps, height, width]`, channels-last in memory. Returns the same with `outputs` for `maps`.
fn unfolded(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Torch<Tensor> {
    let [n, outputs, maps, kernel, _] = five(weight);
    let [images, _, height, width] = four(x);
    let (height, width) = (height - kernel + 1, width - kernel + 1);
    // A row of the matrix is a patch, in the order kernel row, kernel column, map: its innermost runs are contiguous.
    let patches = x.f_unfold(2, kernel, 1)?.f_unfold(3, kernel, 1)?.f_permute([0, 2, 3, 4, 5, 1])?;
    let patches = patches.f_reshape([n, images / n * height * width, kernel * kernel * maps])?;
    let kernels = weight.f_permute([0, 3, 4, 2, 1])?.f_reshape([n, kernel * kernel * maps, outputs])?;
    let sums = bias.f_unsqueeze(1)?.f_baddbmm(&patches, &kernels, 1.0, 1.0)?;
    sums.f_view([images, height, width, outputs])?.f_permute([0, 3, 1, 2])
}

/// The sizes of a tensor that has five axes by construction.
fn five(tensor: &Tensor) -> [i64; 5] {
    tensor.size().try_into().expect("five axes")
}

/// The sizes of a tensor that has four axes by construction.
fn four(tensor: &Tensor) -> [i64; 4] {
    tensor.size().try_into().expect("four axes")
}
