//! Where things are: the workspace's folders and the cargo that started this program.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use mcdnn::Place;

/// The folder with the workspace's `Cargo.toml`, and what is found from it.
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// Finds the workspace: from the manifest's folder that cargo tells the programs it runs, else from the current
    /// folder upwards.
    ///
    /// # Errors
    /// When this program was started by hand outside of the workspace.
    pub(crate) fn find() -> Result<Self> {
        let current = env::current_dir().context("the current folder")?;
        let told = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let root =
            told.iter().chain([&current]).flat_map(|start| start.ancestors()).find(|folder| {
                folder.join("Cargo.toml").is_file() && folder.join("xtask/Cargo.toml").is_file()
            });
        match root {
            Some(root) => Ok(Self { root: root.to_owned() }),
            None => bail!(
                "{}: neither this folder nor one above it is the project's workspace; go there and run `cargo xtask`",
                current.display()
            ),
        }
    }

    /// The folder of the workspace.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder whose sub-folders are results folders of studies.
    pub(crate) fn results(&self) -> PathBuf {
        self.place().results
    }

    /// The folder with the studies' configs. The workspace's `configs` is a link to it, which not every system makes.
    pub(crate) fn configs(&self) -> PathBuf {
        self.root.join("crates/mcdnn/configs")
    }

    /// The cargo that runs this program, at work in the workspace.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
        command.current_dir(&self.root);
        command
    }

    /// Cargo, for builds with the feature `libtorch`: the bindings find what `mcdnn::libtorch::bring` has found.
    pub(crate) fn cargo_with_libtorch(&self) -> Command {
        let mut command = self.cargo();
        // The link leads there. With the variable the bindings would ask Python, which may name a folder of CUDA's instead.
        command.env_remove(mcdnn::libtorch::PYTORCH_VARIABLE);
        command
    }

    /// The workspace as a place of the product's commands.
    pub(crate) fn place(&self) -> Place {
        Place::workspace(&self.root)
    }
}

/// The command that was given, to be typed again: `cargo xtask bench --peers training`.
pub(crate) fn same_command_again() -> String {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    mcdnn::same_command_again("cargo xtask", &arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_holds_this_crate() {
        let workspace = Workspace::find().unwrap();
        assert!(workspace.root().join("xtask/src/workspace.rs").is_file());
        assert!(workspace.configs().join("quick.json").is_file());
    }
}
