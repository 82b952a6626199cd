//! Which instruction set the kernels run on.

use std::fmt;
use std::str::FromStr;

/// An instruction set that this CPU has and the kernels are compiled for.
///
/// Made only by detection ([`InstructionSet::best`], [`InstructionSet::available`], [`FromStr`]), so holding one proves that
/// the CPU can run it.
///
/// # Bits
/// Different instruction sets round differently: they fuse multiply-adds or not, and sum in another order. With one of them:
///
/// - `avx2` and `avx512` each give the same bits on every CPU that has them, with the same C library and the same version of the
///   `matrixmultiply` crate without its feature `avx512`. Dense layers are matrix products of that crate, which picks its
///   kernel by the CPU: without the feature, the one for AVX2 with FMA wherever there are both, on a CPU with AVX-512 too. Softmax and
///   loss use `exp` and `ln` of the C library; glibc picks those by the CPU, too, and alike wherever there are AVX2 and FMA.
/// - `portable` gives the same bits on the same kind of CPU: dense layers, `exp` and `ln` follow the CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstructionSet(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Portable,
}

impl InstructionSet {
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

impl fmt::Display for InstructionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An instruction set asked for by name that this CPU does not have.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("instruction set {asked:?} is not available on this CPU, which has {available}")]
pub struct InstructionSetError {
    asked: String,
    available: String,
}

impl FromStr for InstructionSet {
    type Err = InstructionSetError;

    fn from_str(name: &str) -> Result<Self, InstructionSetError> {
        let available = Self::available();
        available.iter().copied().find(|isa| isa.name() == name).ok_or_else(|| InstructionSetError {
            asked: name.to_owned(),
            available: available.iter().map(|isa| isa.name()).collect::<Vec<_>>().join(", "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_unknown_ones_are_refused() {
        for isa in InstructionSet::available() {
            assert_eq!(isa.name().parse::<InstructionSet>().unwrap(), isa);
        }
        let message = "neon512".parse::<InstructionSet>().unwrap_err().to_string();
        assert!(message.contains("\"neon512\"") && message.contains("portable"), "{message}");
    }
}
