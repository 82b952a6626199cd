//! How one stage (a convolution, its max-pooling and the activation) lies in memory.
//!
//! Images and activations are height × width × maps, so that a `k × k × maps` patch is `k` runs of `k · maps`
//! contiguous values. Conv outputs and kernels for the forward pass pad their maps to [`MAP_BLOCK`]; runs of the
//! backward pass are padded to [`RUN_BLOCK`]. What stands in the padding of a kernel is zero, so padding lanes
//! compute something that nobody reads.

use ciresan_net::{Shape, Stage};

/// Output maps are padded to this many, the lanes of the narrow vectors.
pub(crate) const MAP_BLOCK: usize = 8;

/// Runs of a patch are padded to this many, the lanes of the widest vectors. Buffers that runs are read from have as
/// much slack behind their last value.
pub(crate) const RUN_BLOCK: usize = 16;

/// Sizes of one stage.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Geometry {
    pub(crate) input: Shape,
    pub(crate) maps: usize,
    pub(crate) kernel: usize,
    pub(crate) pool: usize,
    pub(crate) output: Shape,
    pub(crate) maps_padded: usize,
}

impl Geometry {
    pub(crate) fn new(stage: &Stage) -> Self {
        let Stage { input, maps, kernel, pool, output } = *stage;
        Self { input, maps, kernel, pool, output, maps_padded: maps.next_multiple_of(MAP_BLOCK) }
    }

    pub(crate) fn input_len(&self) -> usize {
        self.input.maps * self.input.height * self.input.width
    }

    /// Pooling windows of one image.
    pub(crate) fn windows(&self) -> usize {
        self.output.height * self.output.width
    }

    pub(crate) fn output_len(&self) -> usize {
        self.windows() * self.maps
    }

    /// Columns of the convolution that pooling windows cover.
    pub(crate) fn conv_width(&self) -> usize {
        self.output.width * self.pool
    }

    /// Values of one row of a patch.
    pub(crate) fn run(&self) -> usize {
        self.kernel * self.input.maps
    }

    /// A row of a patch, padded.
    pub(crate) fn run_padded(&self) -> usize {
        self.run().next_multiple_of(RUN_BLOCK)
    }

    /// Values of a patch, the weights of one map.
    pub(crate) fn taps(&self) -> usize {
        self.kernel * self.run()
    }

    pub(crate) fn n_weights(&self) -> usize {
        self.maps * self.taps()
    }

    /// Values from a row of the input to the next.
    pub(crate) fn row_stride(&self) -> usize {
        self.input.width * self.input.maps
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
