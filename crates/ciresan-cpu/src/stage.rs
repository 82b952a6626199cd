//! A stage, planned: a convolution, its activation and its pooling.

use crate::backward::window_order;
use crate::forward::Plan;
use crate::geometry::Geometry;
use crate::instruction_set::InstructionSet;
use crate::simd;

/// One stage, planned.
pub(crate) struct Stage {
    pub(crate) geometry: Geometry,
    pub(crate) forward: Plan,
    /// [`window_order`].
    pub(crate) order: Vec<u32>,
}

impl Stage {
    pub(crate) fn new(stage: &ciresan_net::Stage, isa: InstructionSet) -> Self {
        let geometry = Geometry::new(stage);
        let forward = Plan::new(&geometry, simd::accumulators(isa));
        Self { forward, order: window_order(&geometry), geometry }
    }
}
