//! The config that `--config` names: a file, or one that is built into the program.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use study::Study;

use crate::app::has_separator;
use crate::failure::usage_error;

/// The configs of the folder `configs`, by name.
const BUILT_IN: [(&str, &str); 6] = [
    ("best", include_str!("../configs/best.json")),
    ("held-out", include_str!("../configs/held-out.json")),
    ("paper", include_str!("../configs/paper.json")),
    ("quick", include_str!("../configs/quick.json")),
    ("theano", include_str!("../configs/theano.json")),
    ("theano-patience", include_str!("../configs/theano-patience.json")),
];

/// The one that is taken when none is named.
const DEFAULT: &str = "paper";

/// The flags that say which study.
#[derive(Debug, clap::Args)]
pub(crate) struct ConfigArgs {
    /// The study's config: a file, or the name of a built-in config: best, held-out, paper, quick, theano or theano-patience
    /// [default: paper]
    #[arg(long, value_name = "CONFIG")]
    config: Option<PathBuf>,
    /// Change a key of the config, such as `epochs=20` or `distortion.sigma=6`; can be repeated. The value is JSON; anything
    /// else is read as text. A changed config needs its own results folder: `name=short`
    #[arg(long, value_name = "KEY=VALUE", value_parser = change)]
    set: Vec<(String, String)>,
}

fn change(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE, such as epochs=20".to_owned()),
    }
}

/// A study, and where its config comes from, in words.
pub(crate) struct Config {
    pub(crate) study: Study,
    pub(crate) source: String,
}

impl Config {
    /// Reads the config that was asked for, with its changes.
    ///
    /// # Errors
    /// As [`read`](Self::read), and for a change that makes the config invalid.
    pub(crate) fn chosen(args: &ConfigArgs) -> Result<Self> {
        let Self { study, source } = Self::read(args.config.as_deref())?;
        if args.set.is_empty() {
            return Ok(Self { study, source });
        }
        let changes: Vec<(&str, &str)> = args.set.iter().map(|(key, value)| (&**key, &**value)).collect();
        let study = study.with_changes(&changes).map_err(|problem| {
            let given: Vec<String> =
                args.set.iter().map(|(key, value)| format!("--set {key}={value}")).collect();
            usage_error(format_args!("{}: {problem}", given.join(" ")))
        })?;
        Ok(Self { study, source: format!("{source}, changed") })
    }

    /// Reads the config at a path, if there is a file or the argument holds a separator; else the built-in one of this
    /// name; without a name the paper's.
    ///
    /// # Errors
    /// When there is no such config, or it is not valid.
    fn read(given: Option<&Path>) -> Result<Self> {
        let given = given.unwrap_or(Path::new(DEFAULT));
        if given.is_file() || has_separator(given) {
            return Ok(Self { study: Study::read(given)?, source: given.display().to_string() });
        }
        let name = given.to_string_lossy();
        let Some((name, json)) = BUILT_IN.iter().find(|(built_in, _)| *built_in == name) else {
            let known = BUILT_IN.map(|(name, _)| name).join(", ");
            return Err(usage_error(format_args!(
                "{name}: no such file and no built-in config of this name; the built-in configs are {known}"
            )));
        };
        let study = Study::from_json(json).with_context(|| format!("the built-in config {name}"))?;
        Ok(Self { study, source: "built-in config".to_owned() })
    }

    /// The smallest of the built-in studies of MNIST.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(crate) fn quick() -> Result<Self> {
        Self::read(Some(Path::new("quick")))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn every_config_of_the_folder_is_built_in_under_its_name() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs");
        let files =
            fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> =
            files.filter(|file| file != "study.schema.json").map(|file| file.replace(".json", "")).collect();
        names.sort();
        assert_eq!(names, BUILT_IN.map(|(name, _)| name));
        for name in names {
            let built_in = Config::read(Some(Path::new(&name))).unwrap();
            let file = Config::read(Some(&folder.join(format!("{name}.json")))).unwrap();
            assert_eq!((&built_in.study, &built_in.study.name), (&file.study, &name));
        }
        assert_eq!(Config::read(None).unwrap().study.name, "paper");
    }

    #[test]
    fn an_unknown_name_is_reported_with_the_known_ones() {
        let error = Config::read(Some(Path::new("papr"))).err().unwrap().to_string();
        assert!(
            error.starts_with("papr: no such file")
                && error.ends_with("best, held-out, paper, quick, theano, theano-patience"),
            "{error}"
        );
    }
}
