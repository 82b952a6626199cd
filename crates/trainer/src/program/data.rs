//! The digits that a config asks for.

use std::path::Path;

use anyhow::Result;
use mnist_data::{Collection, Data, FileHash};
use study::{DataFile, DataSet};

use super::WrongUsage;

/// What `--data` may say in place of a folder.
const SAMPLE: &str = "sample";

/// Reads the digits of `data_set`, from `folder` where they are files, with what the manifest says of them.
pub(super) fn read(data_set: DataSet, folder: Option<&Path>) -> Result<(Data, Vec<DataFile>)> {
    let collection = match data_set {
        DataSet::Mnist => Collection::Mnist,
        DataSet::FashionMnist => Collection::FashionMnist,
        DataSet::Sample => return sample(folder),
    };
    let folder = match folder {
        Some(folder) if folder != Path::new(SAMPLE) => folder,
        given => {
            let given = if given.is_some() { "--data sample" } else { "no --data" };
            let message = format!(
                "{given}: the config's data is \"{data_set}\", so --data must name the folder with its four IDX files"
            );
            return Err(WrongUsage(message).into());
        }
    };
    let (data, hashes) = Data::read_verified(collection, folder)?;
    Ok((data, files(hashes)))
}

fn sample(folder: Option<&Path>) -> Result<(Data, Vec<DataFile>)> {
    if let Some(folder) = folder.filter(|folder| *folder != Path::new(SAMPLE)) {
        let message = format!(
            "--data {}: the config's data is the embedded \"sample\", which needs no folder",
            folder.display()
        );
        return Err(WrongUsage(message).into());
    }
    let data = Data::sample();
    let hashes = data.hashes();
    Ok((data, files(hashes)))
}

fn files(hashes: Vec<FileHash>) -> Vec<DataFile> {
    hashes.into_iter().map(|FileHash { name, sha256 }| DataFile { name, sha256 }).collect()
}
