//! The libtorch that this process has loaded.

use std::fs;
use std::path::PathBuf;

use crate::installation::{self, InstallationError};

/// The version of the libtorch that the system loaded for this program, such as `2.11.0+cu130`.
///
/// The linker fixes no version: a program built with one libtorch starts with another that happens to be found, and
/// then computes something or crashes. So ask before the first tensor. `None` where the system does not tell what is
/// loaded: only Linux does.
///
/// # Errors
/// As [`Installation::open`](crate::installation::Installation::open), for the folder that was loaded.
pub fn loaded_version() -> Result<Option<String>, InstallationError> {
    // Asks for something of libtorch, so that a program that uses nothing else of it has it loaded.
    let _ = tch::get_num_threads();
    match library_folder() {
        Some(folder) => installation::version(folder.parent().unwrap_or(&folder)).map(Some),
        None => Ok(None),
    }
}

/// The folder of the loaded libtorch_cpu, if the system tells.
pub(super) fn library_folder() -> Option<PathBuf> {
    let maps = fs::read_to_string("/proc/self/maps").ok()?;
    folder_in(&maps)
}

/// The folder of libtorch_cpu.so among the mapped files: lines of `address rights offset device inode path`.
fn folder_in(maps: &str) -> Option<PathBuf> {
    let mut paths = maps.lines().filter_map(|line| line.find('/').map(|start| &line[start..]));
    let library = paths.find(|path| path.ends_with("/libtorch_cpu.so"))?;
    PathBuf::from(library).parent().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loaded_version_fits() {
        let version = loaded_version().unwrap();
        assert!(version.as_ref().is_none_or(|version| version.starts_with(installation::LIBTORCH_VERSION)));
        assert_eq!(version.is_some(), cfg!(target_os = "linux"));
    }

    #[test]
    fn mapped_files_tell_the_folder() {
        let maps = "\
7f0000000000-7f0000001000 r--p 00000000 fe:00 12                         /lib/libc.so.6
7f0000001000-7f0000002000 rw-p 00000000 00:00 0
7f0000002000-7f0000003000 r-xp 00000000 fe:00 13                         /a folder/lib/libtorch_cpu.so
";
        assert_eq!(folder_in(maps), Some(PathBuf::from("/a folder/lib")));
        assert_eq!(folder_in(""), None);
    }
}
