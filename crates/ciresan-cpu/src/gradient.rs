//! The gradient of a stage's kernels and biases, summed over images.

use crate::geometry::{Geometry, KernelPlane};
use aligned_vec::{AVec, avec};

/// Sums of one part of a batch.
pub(crate) struct KernelGradient {
    /// Plane by plane; the padding holds sums that nobody reads.
    pub(crate) weights: AVec<f32>,
    pub(crate) bias: Vec<f32>,
    planes: Vec<KernelPlane>,
}

impl KernelGradient {
    pub(crate) fn zeros(g: &Geometry, planes: Vec<KernelPlane>) -> Self {
        let weights = avec![0.0; KernelPlane::total_len(planes.iter().copied(), g.maps)];
        Self { weights, bias: vec![0.0; g.maps], planes }
    }

    pub(crate) fn clear(&mut self) {
        self.weights.fill(0.0);
        self.bias.fill(0.0);
    }

    /// Adds the sums to `weights` `[maps][kernel rows][kernel columns][input maps]` and `bias` `[maps]`.
    pub(crate) fn add_to(&self, g: &Geometry, weights: &mut [f32], bias: &mut [f32]) {
        let pieces = self.planes.iter().flat_map(|plane| plane.pieces(g.maps, g.input.maps));
        for [here, there] in pieces {
            add(&mut weights[there], &self.weights[here]);
        }
        add(bias, &self.bias);
    }
}

fn add(to: &mut [f32], values: &[f32]) {
    for (to, value) in to.iter_mut().zip(values) {
        *to += value;
    }
}
