//! A column's weights, and whether they are this study's.

use std::fs;

use ciresan_net::{Metadata, Parameters};

use crate::{ColumnFolder, ColumnId, Manifest, StudyError};

impl ColumnFolder {
    /// Reads `weights.safetensors` and compares what it says about itself with the study: the network, the activation, the
    /// column and the config's hash. A file that was copied here from elsewhere is found so.
    ///
    /// # Errors
    /// [`StudyError::ForeignColumn`] when one of these differs, [`StudyError::Weights`] when the file is damaged,
    /// [`StudyError::Io`] when it cannot be read.
    pub fn read_weights(&self, manifest: &Manifest, id: &ColumnId) -> Result<Parameters, StudyError> {
        let path = self.weights();
        let bytes = fs::read(&path).map_err(StudyError::io(&path, "read the weights"))?;
        let (parameters, metadata) = Parameters::from_safetensors(&bytes)
            .map_err(|error| StudyError::Weights { path: path.clone(), reason: error.to_string() })?;
        let Metadata { network, activation, extra } = metadata;
        let said = |key: &str| extra.get(key).map_or_else(|| "none".to_owned(), Clone::clone);
        let config = &manifest.config;
        let pairs = [
            ("network", network.to_string(), config.network.to_string()),
            ("activation", activation.to_string(), config.activation.to_string()),
            ("name", said("column"), id.to_string()),
            ("config hash", said("config_hash"), manifest.config_hash.clone()),
        ];
        match pairs.into_iter().find(|(_, got, want)| got != want) {
            Some((what, got, want)) => Err(StudyError::ForeignColumn { path, what, got, want }),
            None => Ok(parameters),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::{MANIFEST_SCHEMA, ResultsFolder, Study};

    use super::*;

    fn manifest() -> Manifest {
        let config = Study::from_json(
            r#"{ "schema": 1, "name": "tiny", "data": "sample", "seed": 7,
            "network": "1x29x29-4C4-MP2-6C5-MP3-12N-10N", "activation": "relu", "precision": "fp32", "initialization": "fan-in",
            "widths": [14], "columns_per_width": 2, "epochs": 2, "batch": 32, "validation": 0,
            "learning_rate": { "schedule": "one-cycle", "peak": 0.05, "warm_up": 0.1 },
            "optimizer": { "rule": "sgd", "momentum": 0.9, "nesterov": true }, "distortion": null }"#,
        );
        let config = config.unwrap();
        Manifest {
            schema: MANIFEST_SCHEMA,
            config_hash: config.hash(),
            config,
            version: String::new(),
            commit: String::new(),
            engine: String::new(),
            device: String::new(),
            data: Vec::new(),
            columns: Vec::new(),
            wall_s: 0.0,
        }
    }

    /// What reading says of weights of this network, column and config hash, below the file's path.
    fn read(network: &str, column: &str, hash: &str) -> Result<(), String> {
        let (folder, manifest) = (tempfile::tempdir().unwrap(), manifest());
        let id: ColumnId = "w14-1".parse().unwrap();
        let files = ResultsFolder::open(folder.path()).column(&id);
        files.create().unwrap();
        let network = network.parse().unwrap();
        let parameters = Parameters::zeros(&network);
        let extra = BTreeMap::from([
            ("column".to_owned(), column.to_owned()),
            ("config_hash".to_owned(), hash.to_owned()),
        ]);
        let metadata = Metadata { network, activation: manifest.config.activation, extra };
        fs::write(files.weights(), parameters.to_safetensors(&metadata).unwrap()).unwrap();
        files.read_weights(&manifest, &id).map(drop).map_err(|error| {
            let message = error.to_string();
            message.strip_prefix(&format!("{}: ", files.weights().display())).unwrap_or("no path").to_owned()
        })
    }

    #[test]
    fn weights_of_another_network_column_or_config_are_refused() {
        let (network, hash) = ("1x29x29-4C4-MP2-6C5-MP3-12N-10N", manifest().config_hash);
        assert_eq!(read(network, "w14-1", &hash), Ok(()));
        let other = "1x29x29-4C4-MP2-6C5-MP3-11N-10N";
        let want = format!("not a column of this study: its network is {other}, expected {network}");
        assert_eq!(read(other, "w14-1", &hash), Err(want));
        let want = "not a column of this study: its name is w14-2, expected w14-1";
        assert_eq!(read(network, "w14-2", &hash), Err(want.to_owned()));
        let want = format!("not a column of this study: its config hash is 00ff, expected {hash}");
        assert_eq!(read(network, "w14-1", "00ff"), Err(want));
    }

    #[test]
    fn damaged_and_missing_weights_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let id: ColumnId = "w14-1".parse().unwrap();
        let files = ResultsFolder::open(folder.path()).column(&id);
        files.create().unwrap();
        let message = || files.read_weights(&manifest(), &id).unwrap_err().to_string();
        assert!(message().contains("weights.safetensors: cannot read the weights: "), "{}", message());
        fs::write(files.weights(), "half of i").unwrap();
        assert!(message().contains("weights.safetensors: not a whole safetensors file: "), "{}", message());
    }
}
