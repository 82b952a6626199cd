//! The maximum of a pooling window and the position where it stands.
#![expect(unsafe_code, reason = "vectors over raw pointers; the callers prove the bounds")]

use crate::geometry::Geometry;
use crate::planes::{Plane, Planes};
use crate::simd::Simd;

/// The largest of a window's values so far, for a vector of maps, and its position.
#[derive(Clone, Copy)]
pub(crate) struct Best<S: Simd> {
    value: S::V,
    /// Bits of the position as a u32.
    position: S::V,
}

impl<S: Simd> Best<S> {
    /// # Safety
    /// Needs the instruction set of `S`.
    #[inline(always)]
    pub(crate) unsafe fn new(value: S::V, position: usize) -> Self {
        // SAFETY: the caller's.
        Self { value, position: unsafe { S::splat(f32::from_bits(position as u32)) } }
    }

    /// Goes on to a later position of the window: of equal values the earlier one stays.
    ///
    /// # Safety
    /// Needs the instruction set of `S`.
    #[inline(always)]
    pub(crate) unsafe fn challenge(&mut self, value: S::V, position: usize) {
        // SAFETY: the caller's.
        unsafe {
            let tag = S::splat(f32::from_bits(position as u32));
            (self.value, self.position) = S::keep_greater(self.value, self.position, value, tag);
        }
    }

    /// The same with `bias` added to the value.
    ///
    /// # Safety
    /// Needs the instruction set of `S`.
    #[inline(always)]
    pub(crate) unsafe fn plus(self, bias: S::V) -> Self {
        // SAFETY: the caller's.
        Self { value: unsafe { S::add(self.value, bias) }, ..self }
    }

    /// Stores the values of maps from `map` on at window `window`, and their positions. Those of the last maps reach beyond the
    /// window: into the next ones, which are written later, or into the slack behind the last one.
    ///
    /// # Safety
    /// Needs the instruction set of `S`, an image of the output's planes and slack for a vector at `values`, and
    /// `[windows][maps_padded]` at `winners`.
    #[inline(always)]
    pub(crate) unsafe fn store(self, g: &Geometry, at: Pooled, window: usize, map: usize) {
        // SAFETY: the caller's.
        unsafe {
            let Plane { first_map, maps, start } = at.planes.of(map);
            S::store(at.values.add(start + window * maps + map - first_map), self.value);
            S::store(at.winners.add(window * g.maps_padded + map).cast::<f32>(), self.position);
        }
    }
}

/// Where one image's pooled values and their positions go.
#[derive(Clone, Copy)]
pub(crate) struct Pooled {
    /// One image, in these planes.
    pub(crate) values: *mut f32,
    pub(crate) planes: Planes,
    /// `[windows][maps_padded]`.
    pub(crate) winners: *mut u32,
}
