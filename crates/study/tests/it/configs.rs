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
    for name in ["best", "paper", "quick", "theano"] {
        assert!(names.iter().any(|there| there == name), "{name} is missing");
    }
}

/// The hashes of these configs, which no change of the code may change: finished columns are found by them. By
/// `sha256sum` of what `good::the_hash_is_pinned` describes.
#[test]
fn hashes_are_pinned() {
    for (name, want) in [
        ("best", "48e8cdeea25a8fdc08d536fb7bc0d901752678a216ad68499f77cabbf3c6ace6"),
        ("held-out", "6ef53fee0300f2efcb2e1da13a3e0fc6685b84fa8fdb271457cf40b388ad3810"),
        ("paper", "fc0572a8330f6c1606e192052628280a86d708108a47f82ff295253ebe1c89ff"),
        ("quick", "603dfb65a01e9a4075ba96191f563a3919247b2c77f733db695bfe939249af36"),
        ("theano", "49b707eb73962c99dc1b58756623608dd551ff6f7d348676cb4f484186e85afa"),
    ] {
        let study = Study::read(&folder().join(format!("{name}.json"))).unwrap();
        assert_eq!(study.hash(), want, "{name}");
    }
}
