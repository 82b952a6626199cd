//! Which vector instructions the inner loops run on.

use std::fmt;

use fearless_simd::Level;

/// A set of vector instructions that the inner loops are compiled for, all from one source.
///
/// A [`Distorter`](crate::Distorter) takes the best one of the machine by itself;
/// [`Distorter::on`](crate::Distorter::on) takes another, for tests and measurements. Every set gives the same bits:
/// the loops use only operations that IEEE 754 rounds in one way (no fused multiply-add, no approximation), in
/// the same order for every pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InstructionSet {
    /// AVX-512 as of Ice Lake and Zen 4: 16 pixels at once.
    Avx512,
    /// AVX2 as of Haswell and Zen: 8 pixels at once.
    Avx2,
    /// What the program was compiled for, SSE2 on x86-64 and NEON on 64-bit ARM: 4 pixels at once.
    Baseline,
    /// Plain arithmetic on arrays, without one vector instruction asked for (the compiler may still find some).
    Scalar,
}

impl InstructionSet {
    /// Every set, the fastest first.
    pub const ALL: [Self; 4] = [Self::Avx512, Self::Avx2, Self::Baseline, Self::Scalar];

    /// The fastest set of this machine.
    #[must_use]
    pub fn best() -> Self {
        Self::ALL.into_iter().find(|set| set.is_available()).unwrap_or(Self::Scalar)
    }

    /// Whether this machine has it.
    #[must_use]
    pub fn is_available(self) -> bool {
        self.level().is_some()
    }

    /// What dispatches to the code for this set; `None` where the machine lacks it.
    pub(crate) fn level(self) -> Option<Level> {
        match self {
            Self::Scalar => Some(Level::fallback()),
            Self::Baseline => Some(Level::baseline()),
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Self::Avx2 => Level::new().as_avx2().map(Level::Avx2),
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Self::Avx512 => Level::new().as_avx512().map(Level::Avx512),
            #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
            Self::Avx2 | Self::Avx512 => None,
        }
    }
}

impl fmt::Display for InstructionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Baseline => "baseline",
            Self::Scalar => "scalar",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_is_there_and_so_are_the_two_that_need_nothing() {
        assert!(InstructionSet::best().is_available());
        assert!(InstructionSet::Baseline.is_available() && InstructionSet::Scalar.is_available());
    }
}
