//! With the feature `libtorch`: tells this crate's own programs where libtorch is, and dependents' build scripts too.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Cargo hands this on from torch-sys, and to direct dependents alone. Not set without the feature.
    let Ok(folder) = env::var("DEP_TCH_LIBTORCH_LIB") else { return };
    // The folder's path goes into the program, so that it starts without LD_LIBRARY_PATH. Link arguments reach neither
    // dependents nor documentation tests: a dependent's build script repeats this with DEP_CIRESAN_NET_LIBTORCH_LIB.
    println!("cargo::rustc-link-arg=-Wl,-rpath,{folder}");
    println!("cargo::metadata=LIBTORCH_LIB={folder}");
}
