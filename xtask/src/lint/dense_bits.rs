//! The rule that keeps the bits of dense layers: `matrixmultiply` is built without its kernel for AVX-512.
//!
//! Dense layers are matrix products of that crate, which picks its kernel by the CPU and not by the engine's instruction
//! set. Without its feature `avx512` it is the one for AVX2 on every CPU that has AVX2. With it, a study on AVX2 would keep its
//! bits on a CPU with AVX-512 only as long as both kernels round alike. Cargo unifies features: a single crate that asks for
//! it, or for the crate's default features, switches it on for all.

use std::process::Command;

use anyhow::{Context, Result, bail};

/// The crate of matrix products.
const CRATE: &str = "matrixmultiply";

/// Its feature that must stay off.
const FEATURE: &str = "avx512";

/// What is wrong with the features that `cargo`, at work in a workspace, builds the crate with; a sentence or none.
///
/// Asked of all members with their default features and their development dependencies, for this machine.
///
/// # Errors
/// When cargo fails.
pub(super) fn avx512_products(mut cargo: Command) -> Result<Option<String>> {
    cargo.args(["tree", "--workspace", "--prefix", "none", "--format", "{p}|{f}"]);
    let output = cargo.output().context("cannot start cargo tree")?;
    if !output.status.success() {
        bail!("cargo tree failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let is_on = String::from_utf8_lossy(&output.stdout).lines().any(switches_it_on);
    Ok(is_on.then(|| {
        format!(
            "{CRATE} is built with its feature {FEATURE}: the CPU would decide how dense layers round; \
             `cargo tree --workspace --edges features --invert {CRATE}` shows which crate asks for it"
        )
    }))
}

/// Whether a line like `matrixmultiply v0.3.11|cgemm,std (*)` has the feature.
fn switches_it_on(line: &str) -> bool {
    let Some((package, features)) = line.split_once('|') else { return false };
    let mut features = features.trim_end_matches("(*)").trim_end().split(',');
    package.split(' ').next() == Some(CRATE) && features.any(|feature| feature == FEATURE)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn the_feature_is_found_in_its_crate_alone() {
        assert!(switches_it_on("matrixmultiply v0.3.11|avx512,cgemm,std"));
        assert!(switches_it_on("matrixmultiply v0.3.11|std,avx512 (*)"));
        assert!(!switches_it_on("matrixmultiply v0.3.11|cgemm,std (*)"));
        assert!(!switches_it_on("matrixmultiply v0.3.11|"));
        assert!(!switches_it_on("other v1.0.0|avx512"));
        assert!(!switches_it_on(""));
    }

    fn write(folder: &Path, name: &str, manifest: &str) {
        let folder = folder.join(name);
        fs::create_dir_all(folder.join("src")).unwrap();
        let head = format!("[package]\nname = \"{name}\"\nedition = \"2024\"\n");
        fs::write(folder.join("Cargo.toml"), head + manifest).unwrap();
        fs::write(folder.join("src/lib.rs"), "").unwrap();
    }

    #[test]
    fn one_crate_that_asks_for_it_is_enough() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let found = || {
            let mut cargo = Command::new(env!("CARGO"));
            cargo.current_dir(root).env("CARGO_NET_OFFLINE", "true");
            avx512_products(cargo).unwrap()
        };
        let members = "[workspace]\nresolver = \"3\"\nmembers = [\"engine\", \"other\"]\nexclude = [\"matrixmultiply\"]\n";
        fs::write(root.join("Cargo.toml"), members).unwrap();
        write(root, "matrixmultiply", "[features]\ndefault = [\"avx512\"]\navx512 = []\n");
        let without = "matrixmultiply = { path = \"../matrixmultiply\", default-features = false }\n";
        write(root, "engine", &format!("[dependencies]\n{without}"));
        write(root, "other", "");
        assert_eq!(found(), None);

        // The default features, of a dependency that only tests have.
        write(root, "other", "[dev-dependencies]\nmatrixmultiply = { path = \"../matrixmultiply\" }\n");
        let problem = found().unwrap();
        assert!(problem.starts_with("matrixmultiply is built with its feature avx512: "), "{problem}");

        fs::write(root.join("Cargo.toml"), "no manifest").unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(root);
        let error = avx512_products(cargo).unwrap_err().to_string();
        assert!(error.starts_with("cargo tree failed: "), "{error}");
    }
}
