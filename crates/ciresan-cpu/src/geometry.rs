//! How one stage (a convolution, its max-pooling and the activation) lies in memory.
//!
//! Images and activations are [planes](crate::planes) of height × width × maps, so that a row of a `k × k × maps` patch is one run of
//! contiguous values in each plane.
//! Conv outputs and kernels for the forward pass pad their maps to whole vectors; runs of the backward pass are padded to
//! [`RUN_BLOCK`]. What stands in the padding of a kernel is zero, so padding lanes compute something that nobody reads.

use crate::planes::{Plane, Planes};
use ciresan_net::{Shape, Stage};
use std::ops::Range;

/// Runs of a patch are padded to this many, the lanes of the widest vectors. Buffers of images and activations have as much slack
/// behind their last value, because the last vector of maps or of a run may reach beyond it.
pub(crate) const RUN_BLOCK: usize = 16;

/// Sizes of one stage.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Geometry {
    pub(crate) input: Shape,
    pub(crate) maps: usize,
    pub(crate) kernel: usize,
    pub(crate) pool: usize,
    pub(crate) output: Shape,
    /// Lanes of a vector.
    pub(crate) lanes: usize,
    pub(crate) maps_padded: usize,
    pub(crate) input_planes: Planes,
    /// Of the pooled output.
    pub(crate) output_planes: Planes,
}

impl Geometry {
    /// Of a stage whose input and output have one plane, for vectors of so many `lanes`.
    pub(crate) fn new(stage: &Stage, lanes: usize) -> Self {
        let Stage { input, maps, kernel, pool, output } = *stage;
        Self {
            input,
            maps,
            kernel,
            pool,
            output,
            lanes,
            maps_padded: maps.next_multiple_of(lanes),
            input_planes: Planes::one(input.maps, input.height * input.width),
            output_planes: Planes::one(maps, output.height * output.width),
        }
    }

    /// Values of one image.
    pub(crate) fn input_len(&self) -> usize {
        self.input_planes.len
    }

    /// Pooling windows of one image.
    pub(crate) fn windows(&self) -> usize {
        self.output.height * self.output.width
    }

    pub(crate) fn output_len(&self) -> usize {
        self.output_planes.len
    }

    /// Columns of the convolution that pooling windows cover.
    pub(crate) fn conv_width(&self) -> usize {
        self.output.width * self.pool
    }

    /// Values of one row of a patch, in all planes.
    pub(crate) fn run(&self) -> usize {
        self.kernel * self.input.maps
    }

    /// Values of a patch, the weights of one map.
    pub(crate) fn taps(&self) -> usize {
        self.kernel * self.run()
    }

    pub(crate) fn n_weights(&self) -> usize {
        self.maps * self.taps()
    }

    /// Values from a row of the input to the next, where it has one plane.
    pub(crate) fn row_stride(&self) -> usize {
        self.input.width * self.input.maps
    }

    /// The kernels by the planes of the input, with runs of one row of a patch.
    pub(crate) fn kernel_planes(self) -> impl Iterator<Item = KernelPlane> {
        let mut next = 0;
        self.input_planes.iter().map(move |input| {
            let plane = KernelPlane { input, start: next, rows: self.kernel, run: self.kernel * input.maps };
            next += self.maps * plane.map_len();
            plane
        })
    }

    /// The kernels for an input of one plane, with runs of a whole patch.
    pub(crate) fn kernel_patches(&self) -> KernelPlane {
        KernelPlane { input: self.input_planes.of(0), start: 0, rows: 1, run: self.taps() }
    }

    /// Length of the winners' positions of one image, `[windows][maps_padded]`.
    pub(crate) fn winners_len(&self) -> usize {
        self.windows() * self.maps_padded
    }

    /// The position (row · input width + column) of a window's first convolution.
    pub(crate) fn window_position(&self, row: usize, column: usize) -> usize {
        (row * self.input.width + column) * self.pool
    }

    /// The last position where a patch may start.
    pub(crate) fn last_position(&self) -> usize {
        (self.output.height * self.pool - 1) * self.input.width + self.conv_width() - 1
    }
}

/// The weights of all kernels for one plane of the input, or their gradients: `[maps][rows][run_padded]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KernelPlane {
    pub(crate) input: Plane,
    /// Where its first value stands among those of all planes.
    pub(crate) start: usize,
    pub(crate) rows: usize,
    pub(crate) run: usize,
}

impl KernelPlane {
    pub(crate) fn run_padded(&self) -> usize {
        self.run.next_multiple_of(RUN_BLOCK)
    }

    /// Values of one map.
    pub(crate) fn map_len(&self) -> usize {
        self.rows * self.run_padded()
    }

    /// Length of several planes, for so many maps.
    pub(crate) fn total_len(planes: impl Iterator<Item = Self>, maps: usize) -> usize {
        planes.map(|plane| maps * plane.map_len()).sum()
    }

    /// The values that follow one another both here and among weights `[maps][rows][pixels][input_maps]`: where they stand here and
    /// there.
    pub(crate) fn pieces(self, maps: usize, input_maps: usize) -> impl Iterator<Item = [Range<usize>; 2]> {
        let pixels = self.run / self.input.maps;
        let in_row = pixels * input_maps;
        // A plane of all maps has them by whole runs.
        let (pixels, values) = if self.run == in_row { (1, in_row) } else { (pixels, self.input.maps) };
        (0..maps * self.rows).flat_map(move |row| {
            let here = self.start + row * self.run_padded();
            let there = row * in_row + self.input.first_map;
            (0..pixels).map(move |pixel| {
                [here + pixel * values, there + pixel * input_maps].map(|first| first..first + values)
            })
        })
    }
}
