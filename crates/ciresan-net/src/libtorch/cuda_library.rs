//! libtorch's libraries for NVIDIA GPUs, loaded by name.
//!
//! Nothing in a program refers to a symbol of libtorch_cuda: it registers its kernels with libtorch_cpu when it is loaded.
//! So the linker, which is told to link only what is needed, drops it, and `tch::Cuda::is_available()` is false on a
//! machine with a GPU. Forcing the linker would make programs that start with this one library only. Loaded here instead,
//! one program serves both kinds of libtorch.

use std::path::Path;

use libloading::Library;

/// Loads the library and keeps it for the rest of the process.
///
/// # Errors
/// What the system's loader said, usually which library it needs and does not find.
#[expect(unsafe_code, reason = "loading a library runs its initializers, and nothing safe can load one")]
pub(super) fn load(path: &Path) -> Result<Library, libloading::Error> {
    // SAFETY: the initializers are libtorch's own, of the version that the caller checked, and those of NVIDIA's libraries
    // that it needs: they register kernels with libtorch_cpu, under its locks, and may run at any time and on any thread.
    // By name alone it loads the driver's library, which is made to be opened so. No symbol is taken from any of them.
    unsafe { Library::new(path) }
}
