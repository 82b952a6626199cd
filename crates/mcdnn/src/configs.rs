//! The config that `--config` names: a file, or one that the program brings along.

use std::path::Path;

use anyhow::{Context, Result};
use study::Study;

use crate::app::has_separator;
use crate::failure::usage_error;

/// The configs of the folder `configs`, by name.
const BUILT_IN: [(&str, &str); 5] = [
    ("best", include_str!("../configs/best.json")),
    ("held-out", include_str!("../configs/held-out.json")),
    ("paper", include_str!("../configs/paper.json")),
    ("quick", include_str!("../configs/quick.json")),
    ("theano", include_str!("../configs/theano.json")),
];

/// The one that is taken when none is named.
const DEFAULT: &str = "paper";

/// A study, and where its config comes from, in words.
pub(crate) struct Config {
    pub(crate) study: Study,
    pub(crate) source: String,
}

impl Config {
    /// Reads the config at a path, if there is a file or the argument holds a separator; else the built-in one of this
    /// name; without a name the paper's.
    ///
    /// # Errors
    /// When there is no such config, or it is not valid.
    pub(crate) fn read(given: Option<&Path>) -> Result<Self> {
        let given = given.unwrap_or(Path::new(DEFAULT));
        if given.is_file() || has_separator(given) {
            return Ok(Self { study: Study::read(given)?, source: given.display().to_string() });
        }
        let name = given.to_string_lossy();
        let Some((name, json)) = BUILT_IN.iter().find(|(built_in, _)| *built_in == name) else {
            let known = BUILT_IN.map(|(name, _)| name).join(", ");
            return Err(usage_error(format_args!(
                "{name}: no such file, and no built-in config has this name; there are {known}"
            )));
        };
        let study = Study::from_json(json).with_context(|| format!("the built-in config {name}"))?;
        Ok(Self { study, source: "built-in config".to_owned() })
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
    fn a_name_that_is_none_is_told_with_those_that_are() {
        let error = Config::read(Some(Path::new("papr"))).err().unwrap().to_string();
        assert!(
            error.starts_with("papr: no such file")
                && error.ends_with("best, held-out, paper, quick, theano"),
            "{error}"
        );
    }
}
