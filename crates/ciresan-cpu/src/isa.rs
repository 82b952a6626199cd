//! Which instruction set the kernels run on: detected once, recorded with results.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

static CHOSEN: OnceLock<Isa> = OnceLock::new();

/// An instruction set that this CPU has and the kernels are compiled for.
///
/// Made only by detection ([`Isa::best`], [`Isa::available`], [`FromStr`]), so holding one proves that
/// the CPU can run it. Results are the same bits for the same `Isa` on the same CPU, not across different ones:
/// fused multiply-adds and vector widths round differently, and dense layers follow the CPU, not the `Isa`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Portable,
}

impl Isa {
    /// The fastest instruction set of this CPU.
    #[must_use]
    pub fn best() -> Self {
        Self::available()[0]
    }

    /// Every instruction set of this CPU that there are kernels for, fastest first; the portable one is always among them.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut kinds = Vec::with_capacity(3);
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            if avx2
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
            {
                kinds.push(Kind::Avx512);
            }
            if avx2 {
                kinds.push(Kind::Avx2);
            }
        }
        kinds.push(Kind::Portable);
        kinds.into_iter().map(Self).collect()
    }

    /// The instruction set of engines that are not told one: that of [`choose`](Self::choose), else the fastest.
    #[must_use]
    pub fn chosen() -> Self {
        CHOSEN.get().copied().unwrap_or_else(Self::best)
    }

    /// Makes this the instruction set of all engines of this process that are not told one. For a program's start: a second
    /// choice is not taken, and `false` says so.
    pub fn choose(self) -> bool {
        CHOSEN.set(self).is_ok()
    }

    /// `avx512`, `avx2` or `portable`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            Kind::Portable => "portable",
        }
    }

    pub(crate) fn kind(self) -> Kind {
        self.0
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An instruction set asked for by name that this CPU does not have.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("instruction set {asked:?} is not available on this CPU, which has {available}")]
pub struct IsaError {
    asked: String,
    available: String,
}

impl FromStr for Isa {
    type Err = IsaError;

    fn from_str(name: &str) -> Result<Self, IsaError> {
        let available = Self::available();
        available.iter().copied().find(|isa| isa.name() == name).ok_or_else(|| IsaError {
            asked: name.to_owned(),
            available: available.iter().map(|isa| isa.name()).collect::<Vec<_>>().join(", "),
        })
    }
}

/// Name of the instruction set that a new [`CpuEngine`](crate::CpuEngine) uses.
#[must_use]
pub fn instruction_set() -> &'static str {
    Isa::chosen().name()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_unknown_ones_are_refused() {
        for isa in Isa::available() {
            assert_eq!(isa.name().parse::<Isa>().unwrap(), isa);
        }
        let message = "neon512".parse::<Isa>().unwrap_err().to_string();
        assert!(message.contains("\"neon512\"") && message.contains("portable"), "{message}");
    }
}
