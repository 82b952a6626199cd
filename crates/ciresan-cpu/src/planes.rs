//! How the maps of an image lie in memory: some maps of all pixels, then some more.
//!
//! Between two stages a plane has as many maps as a vector has lanes, so that a vector of maps never lies on two cache lines, and
//! one plane of an image and of its gradient stays in the first-level cache. Images that come from outside and features have one
//! plane of all their maps.

/// The maps of one image, `[planes][pixels][maps of the plane]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planes {
    maps: usize,
    pub(crate) pixels: usize,
    /// A plane has 2 to this power maps; the last one may have fewer. (A division for each vector of maps would be felt.)
    log_most: u32,
    /// Values of an image.
    pub(crate) len: usize,
}

/// One plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plane {
    pub(crate) first_map: usize,
    pub(crate) maps: usize,
    /// Where its first value stands in the image.
    pub(crate) start: usize,
}

impl Planes {
    /// All maps in one plane.
    pub(crate) fn one(maps: usize, pixels: usize) -> Self {
        Self { maps, pixels, log_most: maps.next_power_of_two().ilog2(), len: maps * pixels }
    }

    /// At most `lanes` maps, a power of two, in a plane; every image begins with a whole vector.
    pub(crate) fn of_lanes(lanes: usize, maps: usize, pixels: usize) -> Self {
        assert!(lanes.is_power_of_two(), "{lanes} lanes");
        Self { maps, pixels, log_most: lanes.ilog2(), len: (maps * pixels).next_multiple_of(lanes) }
    }

    /// The plane of a map.
    #[inline(always)]
    pub(crate) fn of(self, map: usize) -> Plane {
        let first_map = map >> self.log_most << self.log_most;
        let maps = (1 << self.log_most).min(self.maps - first_map);
        Plane { first_map, maps, start: first_map * self.pixels }
    }

    #[inline(always)]
    pub(crate) fn iter(self) -> impl Iterator<Item = Plane> {
        (0..self.maps).step_by(1 << self.log_most).map(move |map| self.of(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_value_has_one_place(maps in 1usize..70, pixels in 1usize..9, log_most in 0u32..6) {
            let most = 1 << log_most;
            let planes = Planes::of_lanes(most, maps, pixels);
            let mut next = 0;
            for plane in planes.iter() {
                prop_assert_eq!((plane.start, plane.first_map), (next, next / pixels));
                prop_assert!((1..=most).contains(&plane.maps));
                for map in plane.first_map..plane.first_map + plane.maps {
                    prop_assert_eq!(planes.of(map), plane);
                }
                next += pixels * plane.maps;
            }
            prop_assert_eq!(next, maps * pixels);
            prop_assert_eq!((planes.len % most, (planes.len - next) / most), (0, 0));
        }
    }
}
