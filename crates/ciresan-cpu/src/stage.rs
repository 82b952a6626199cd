//! A stage, planned: a convolution, its activation and its pooling.

use crate::backward::window_order;
use crate::forward::Plan;
use crate::geometry::Geometry;
use crate::instruction_set::InstructionSet;
use crate::planes::Planes;
use crate::{simd, winograd};

/// One stage, planned.
pub(crate) struct Stage {
    pub(crate) geometry: Geometry,
    pub(crate) forward: Plan,
    /// [`window_order`].
    pub(crate) order: Vec<u32>,
}

impl Stage {
    /// A stage of `stage`, whose output the stage `next` takes.
    pub(crate) fn new(
        stage: &ciresan_net::Stage,
        next: Option<&ciresan_net::Stage>,
        isa: InstructionSet,
    ) -> Self {
        let lanes = simd::lanes(isa);
        let mut geometry = Geometry::new(stage, lanes);
        geometry.input_planes = input_planes(&geometry);
        if let Some(next) = next {
            geometry.output_planes = input_planes(&Geometry::new(next, lanes));
        }
        let forward = Plan::new(&geometry, simd::accumulators(isa));
        Self { forward, order: window_order(&geometry), geometry }
    }
}

/// How a stage's input lies in memory: in planes of a vector of 16 maps, where its forward pass can take them so.
///
/// Such a vector is as long as a cache line, so that it lies on two unless it is aligned. Vectors of 8 gain nothing, and the order of
/// their sums, so the bits of columns that were trained with AVX2, would change.
fn input_planes(g: &Geometry) -> Planes {
    if g.lanes == 16 && winograd::Plan::fits(g) {
        Planes::of_lanes(g.lanes, g.input.maps, g.input_planes.pixels)
    } else {
        g.input_planes
    }
}
