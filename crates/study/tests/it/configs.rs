//! The configs that `mcdnn` brings along.

use std::fs;
use std::path::PathBuf;

use study::Study;

pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../mcdnn/configs")
}

#[test]
fn every_config_is_a_study_named_as_its_file() {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let Some(name) = name.strip_suffix(".json").filter(|name| !name.ends_with(".schema")) else {
            continue;
        };
        let study = Study::read(&path).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(study.name, name);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("\"$schema\": \"./study.schema.json\""), "{name} does not name the schema");
        names.push(name.to_owned());
    }
    for name in ["paper", "quick", "theano"] {
        assert!(names.iter().any(|there| there == name), "{name} is missing");
    }
}
