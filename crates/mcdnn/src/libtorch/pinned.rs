//! The wheels that hold libtorch 2.11.0, by their SHA-256, and what is kept of each.
//!
//! PyTorch's wheel is the one for Python 3.11 whatever Python is there: nothing that depends on Python is kept. Versions are
//! those that `torch==2.11.0` itself asks for.

/// A wheel of the Python package index, for x86-64 Linux.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wheel {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    /// 64 hexadecimal digits.
    pub(super) sha256: &'static str,
    /// Files, or folders when they end with a slash, that are unpacked.
    pub(super) kept: &'static [&'static str],
}

impl Wheel {
    const fn new(
        name: &'static str,
        version: &'static str,
        sha256: &'static str,
        kept: &'static [&'static str],
    ) -> Self {
        Self { name, version, sha256, kept }
    }

    /// What its file's name begins with.
    pub(super) fn file_prefix(&self) -> String {
        format!("{}-{}-", self.name.replace('-', "_"), self.version)
    }

    /// Whether a file of the wheel is unpacked.
    pub(super) fn keeps(&self, name: &str) -> bool {
        self.kept.iter().any(|kept| name == *kept || (kept.ends_with('/') && name.starts_with(kept)))
    }
}

/// What a copy of libtorch is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flavor {
    Cpu,
    Cuda,
}

impl Flavor {
    /// The name of its folder in the cache.
    pub(super) fn folder_name(self) -> &'static str {
        match self {
            Flavor::Cpu => "2.11.0-cpu",
            Flavor::Cuda => "2.11.0-cuda",
        }
    }

    pub(super) fn wheels(self) -> &'static [Wheel] {
        match self {
            Flavor::Cpu => CPU,
            Flavor::Cuda => CUDA,
        }
    }

    /// Bytes that must be free to download and unpack it: a tenth more than was measured. The folder of the cache, looked at
    /// with `du` twice a second while `cargo xtask setup --libtorch` filled it, held at most 1.06 GB and 6.40 GB: the wheels
    /// stay beside what is unpacked of them until all is there.
    pub(super) fn bytes_needed(self) -> u64 {
        match self {
            Flavor::Cpu => 1_170_000_000,
            Flavor::Cuda => 7_040_000_000,
        }
    }
}

const TORCH: &str = "7aa2f9bbc6d4595ba72138026b2074be1233186150e9292865e04b7a63b8c67a";
const CUDART: &str = "7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548";
const CUPTI: &str = "4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8";

/// `libtorch_cpu.so` of this build does not load without NVIDIA's runtime and profiling libraries, which need no driver.
const CPU: &[Wheel] = &[
    Wheel::new(
        "torch",
        "2.11.0",
        TORCH,
        &[
            "torch/include/",
            "torch/version.py",
            "torch/lib/libtorch.so",
            "torch/lib/libtorch_cpu.so",
            "torch/lib/libc10.so",
            "torch/lib/libgomp.so.1",
        ],
    ),
    Wheel::new("nvidia-cuda-runtime", "13.0.96", CUDART, &["nvidia/cu13/lib/libcudart.so.13"]),
    Wheel::new("nvidia-cuda-cupti", "13.0.85", CUPTI, &["nvidia/cu13/lib/libcupti.so.13"]),
];

const CU13: &[&str] = &["nvidia/cu13/lib/"];

const CUDA: &[Wheel] = &[
    Wheel::new("torch", "2.11.0", TORCH, &["torch/include/", "torch/version.py", "torch/lib/"]),
    Wheel::new("nvidia-cuda-runtime", "13.0.96", CUDART, CU13),
    Wheel::new("nvidia-cuda-cupti", "13.0.85", CUPTI, CU13),
    Wheel::new(
        "nvidia-cuda-nvrtc",
        "13.0.88",
        "ad9b6d2ead2435f11cbb6868809d2adeeee302e9bb94bcf0539c7a40d80e8575",
        CU13,
    ),
    Wheel::new(
        "nvidia-nvjitlink",
        "13.0.88",
        "13a74f429e23b921c1109976abefacc69835f2f433ebd323d3946e11d804e47b",
        CU13,
    ),
    Wheel::new(
        "nvidia-cublas",
        "13.1.0.3",
        "ee8722c1f0145ab246bccb9e452153b5e0515fd094c3678df50b2a0888b8b171",
        CU13,
    ),
    Wheel::new(
        "nvidia-cufft",
        "12.0.0.61",
        "6c44f692dce8fd5ffd3e3df134b6cdb9c2f72d99cf40b62c32dde45eea9ddad3",
        CU13,
    ),
    Wheel::new(
        "nvidia-cufile",
        "1.15.1.6",
        "08a3ecefae5a01c7f5117351c64f17c7c62efa5fffdbe24fc7d298da19cd0b44",
        CU13,
    ),
    Wheel::new(
        "nvidia-curand",
        "10.4.0.35",
        "1aee33a5da6e1db083fe2b90082def8915f30f3248d5896bcec36a579d941bfc",
        CU13,
    ),
    Wheel::new(
        "nvidia-cusolver",
        "12.0.4.66",
        "0a759da5dea5c0ea10fd307de75cdeb59e7ea4fcb8add0924859b944babf1112",
        CU13,
    ),
    Wheel::new(
        "nvidia-cusparse",
        "12.6.3.3",
        "2b3c89c88d01ee0e477cb7f82ef60a11a4bcd57b6b87c33f789350b59759360b",
        CU13,
    ),
    Wheel::new(
        "nvidia-cudnn-cu13",
        "9.19.0.56",
        "d20e1734305e9d68889a96e3f35094d733ff1f83932ebe462753973e53a572bf",
        &["nvidia/cudnn/lib/"],
    ),
    Wheel::new(
        "nvidia-cusparselt-cu13",
        "0.8.0",
        "25e30a8a7323935d4ad0340b95a0b69926eee755767e8e0b1cf8dd85b197d3fd",
        &["nvidia/cusparselt/lib/"],
    ),
    Wheel::new(
        "nvidia-nccl-cu13",
        "2.28.9",
        "e4553a30f34195f3fa1da02a6da3d6337d28f2003943aa0a3d247bbc25fefc42",
        &["nvidia/nccl/lib/"],
    ),
    Wheel::new(
        "nvidia-nvshmem-cu13",
        "3.4.5",
        "290f0a2ee94c9f3687a02502f3b9299a9f9fe826e6d0287ee18482e78d495b80",
        &["nvidia/nvshmem/lib/"],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wheel_has_a_hash_of_its_own_and_something_kept() {
        for flavor in [Flavor::Cpu, Flavor::Cuda] {
            let mut seen = std::collections::BTreeSet::new();
            for wheel in flavor.wheels() {
                assert!(
                    wheel.sha256.len() == 64 && wheel.sha256.bytes().all(|b| b.is_ascii_hexdigit()),
                    "{wheel:?}"
                );
                assert!(seen.insert(wheel.sha256) && !wheel.kept.is_empty(), "{wheel:?}");
            }
        }
        let torch = &CPU[0];
        assert!(torch.keeps("torch/lib/libc10.so") && torch.keeps("torch/include/ATen/ATen.h"));
        assert!(!torch.keeps("torch/lib/libc10.so.debug") && !torch.keeps("torch/nn/modules/linear.py"));
    }
}
