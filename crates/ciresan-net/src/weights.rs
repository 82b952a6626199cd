//! Parameters as a safetensors file.

use crate::{Activation, Network, ParameterSpec, Parameters};
use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, TensorView, serialize};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// The only key of the file's metadata: safetensors writes several in random order.
const KEY: &str = "ciresan";

/// What a file of weights says about them.
///
/// In the file it is JSON under the one metadata key `ciresan`:
/// `{"network":"1x29x29-…-10N","activation":"relu","extra":{"width":"14"}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// The network they belong to.
    pub network: Network,
    /// The activation they were trained with.
    pub activation: Activation,
    /// Anything else: the width, the study, the epoch.
    pub extra: BTreeMap<String, String>,
}

/// Why bytes are no weights, or weights cannot be stored. Whoever read the bytes adds where from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The bytes are no safetensors file, or not a whole one.
    #[error("not a whole safetensors file: {0}")]
    Format(String),
    /// The file does not say which network it is for.
    #[error("metadata: keys {got:?}, expected \"{KEY}\" alone")]
    NoMetadata {
        /// The keys that are there.
        got: Vec<String>,
    },
    /// What the file says about itself cannot be read.
    #[error("metadata \"{KEY}\": {0}")]
    Metadata(#[source] serde_json::Error),
    /// A tensor of the network is not in the file.
    #[error("tensor {name}: missing, expected it for network {network}")]
    Missing {
        /// Name of the tensor.
        name: String,
        /// The network of the metadata.
        network: Network,
    },
    /// A tensor is in the file that the network does not have.
    #[error("tensor {name}: not one of network {network}")]
    Unexpected {
        /// Name of the tensor.
        name: String,
        /// The network of the metadata.
        network: Network,
    },
    /// A tensor's values are of another type.
    #[error("tensor {name}: values of type {got}, expected F32")]
    Type {
        /// Name of the tensor.
        name: String,
        /// Their type in the file.
        got: String,
    },
    /// A tensor has another shape.
    #[error("tensor {name}: shape {got:?}, expected {want:?}")]
    Shape {
        /// Name of the tensor.
        name: String,
        /// Its shape in the file.
        got: Vec<usize>,
        /// Its shape in the network.
        want: Vec<usize>,
    },
    /// A value is infinite or not a number.
    #[error("tensor {name}: value {got} at index {index}, expected a finite one")]
    NotFinite {
        /// Name of the tensor.
        name: String,
        /// Index within the tensor.
        index: usize,
        /// The value.
        got: f32,
    },
    /// The parameters to be stored are not those of the metadata's network.
    #[error("parameters of another network than {network}")]
    Network {
        /// The network of the metadata.
        network: Network,
    },
}

impl Parameters {
    /// A safetensors file: one f32 tensor for each of [`layout`](Self::layout), little-endian, and
    /// `metadata`.
    ///
    /// Equal input gives equal bytes. The file holds every bit of the parameters.
    ///
    /// # Errors
    /// [`WeightsError::Network`] when the metadata's network has other parameters,
    /// [`WeightsError::NotFinite`] when a value is infinite or not a number: what is stored can be loaded.
    pub fn to_safetensors(&self, metadata: &Metadata) -> Result<Vec<u8>, WeightsError> {
        if !self.fits(&metadata.network) {
            return Err(WeightsError::Network { network: metadata.network.clone() });
        }
        self.check_finite()?;
        let bytes: Vec<u8> = self.values().iter().flat_map(|value| value.to_le_bytes()).collect();
        let tensors = self
            .layout()
            .iter()
            .map(|spec| {
                let bytes = &bytes[size_of::<f32>() * spec.range.start..size_of::<f32>() * spec.range.end];
                Ok((spec.name.as_str(), TensorView::new(Dtype::F32, spec.shape.clone(), bytes)?))
            })
            .collect::<Result<Vec<_>, SafeTensorError>>()
            .map_err(format)?;
        let json = serde_json::to_string(metadata).map_err(WeightsError::Metadata)?;
        serialize(tensors, Some(HashMap::from([(KEY.to_owned(), json)]))).map_err(format)
    }

    /// Reads what [`to_safetensors`](Self::to_safetensors) wrote, down to the last bit.
    ///
    /// # Errors
    /// [`WeightsError`] for anything but a whole file with exactly the network's tensors, all f32 and finite.
    pub fn from_safetensors(bytes: &[u8]) -> Result<(Self, Metadata), WeightsError> {
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(format)?;
        let metadata = read_metadata(header.metadata().as_ref())?;
        let file = SafeTensors::deserialize(bytes).map_err(format)?;
        let layout = Self::layout_of(&metadata.network);
        for spec in layout.iter() {
            check_tensor(&file, spec, &metadata.network)?;
        }
        if let Some(name) =
            file.names().into_iter().filter(|&name| !layout.iter().any(|spec| spec.name == name)).min()
        {
            return Err(WeightsError::Unexpected { name: name.to_owned(), network: metadata.network });
        }
        // The file holds every tensor of the network, so this takes no more than the file itself.
        let mut parameters = Self::zeros(&metadata.network);
        for spec in layout.iter() {
            let tensor = file.tensor(&spec.name).map_err(format)?;
            let (stored, _) = tensor.data().as_chunks();
            for (value, &bytes) in parameters.values_mut()[spec.range.clone()].iter_mut().zip(stored) {
                *value = f32::from_le_bytes(bytes);
            }
        }
        parameters.check_finite()?;
        Ok((parameters, metadata))
    }

    fn check_finite(&self) -> Result<(), WeightsError> {
        for spec in self.layout() {
            let values = &self.values()[spec.range.clone()];
            if let Some(index) = values.iter().position(|value| !value.is_finite()) {
                return Err(WeightsError::NotFinite { name: spec.name.clone(), index, got: values[index] });
            }
        }
        Ok(())
    }
}

fn format(error: SafeTensorError) -> WeightsError {
    WeightsError::Format(error.to_string())
}

fn read_metadata(all: Option<&HashMap<String, String>>) -> Result<Metadata, WeightsError> {
    let mut keys: Vec<String> = all.into_iter().flat_map(HashMap::keys).cloned().collect();
    keys.sort();
    match all.and_then(|all| all.get(KEY)) {
        Some(json) if keys.len() == 1 => serde_json::from_str(json).map_err(WeightsError::Metadata),
        _ => Err(WeightsError::NoMetadata { got: keys }),
    }
}

fn check_tensor(file: &SafeTensors<'_>, spec: &ParameterSpec, network: &Network) -> Result<(), WeightsError> {
    let name = || spec.name.clone();
    let tensor = file
        .tensor(&spec.name)
        .map_err(|_| WeightsError::Missing { name: name(), network: network.clone() })?;
    if tensor.dtype() != Dtype::F32 {
        return Err(WeightsError::Type { name: name(), got: format!("{:?}", tensor.dtype()) });
    }
    if tensor.shape() != spec.shape {
        return Err(WeightsError::Shape {
            name: name(),
            got: tensor.shape().to_vec(),
            want: spec.shape.clone(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Initialization;
    use chacha20::ChaCha8Rng;
    use proptest::prelude::*;
    use rand::SeedableRng;

    const NETWORK: &str = "1x9x8-3C2-MP2-4C3-5N-3N";

    fn example() -> (Parameters, Metadata) {
        let network: Network = NETWORK.parse().unwrap();
        let activation = Activation::ScaledTanh;
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let parameters = Parameters::init(&network, activation, Initialization::FanIn, &mut rng);
        let extra =
            BTreeMap::from([("width".to_owned(), "14".to_owned()), ("epoch".to_owned(), "800".to_owned())]);
        (parameters, Metadata { network, activation, extra })
    }

    /// A file with the tensors of `example`, each changed by `change`.
    fn file(
        metadata: &[(&str, &str)],
        change: impl Fn(&mut Vec<(String, Dtype, Vec<usize>, Vec<u8>)>),
    ) -> Vec<u8> {
        let (parameters, _) = example();
        let mut tensors = Vec::new();
        for spec in parameters.layout() {
            let bytes =
                parameters.values()[spec.range.clone()].iter().flat_map(|v| v.to_le_bytes()).collect();
            tensors.push((spec.name.clone(), Dtype::F32, spec.shape.clone(), bytes));
        }
        change(&mut tensors);
        let views = tensors.iter().map(|(name, dtype, shape, bytes)| {
            (name.as_str(), TensorView::new(*dtype, shape.clone(), bytes).unwrap())
        });
        let metadata = metadata.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
        serialize(views, Some(metadata)).unwrap()
    }

    const JSON: &str = r#"{"network":"1x9x8-3C2-MP2-4C3-5N-3N","activation":"relu","extra":{}}"#;

    #[track_caller]
    fn check_error(bytes: &[u8], message: &str) {
        let got = Parameters::from_safetensors(bytes).unwrap_err().to_string();
        assert!(got.starts_with(message), "got {got:?}, want {message:?}");
    }

    #[test]
    fn every_bit_comes_back() {
        let (mut parameters, metadata) = example();
        for (value, bits) in
            parameters.values_mut().iter_mut().zip([0x8000_0000, 1, 0x7f7f_ffff, 0x8000_0001])
        {
            *value = f32::from_bits(bits);
        }
        let bytes = parameters.to_safetensors(&metadata).unwrap();
        assert_eq!(bytes, parameters.to_safetensors(&metadata).unwrap());
        let (loaded, loaded_metadata) = Parameters::from_safetensors(&bytes).unwrap();
        assert_eq!(loaded_metadata, metadata);
        assert_eq!(loaded.layout(), parameters.layout());
        let bits =
            |parameters: &Parameters| parameters.values().iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&loaded), bits(&parameters));
    }

    #[test]
    fn metadata_is_one_key_of_json() {
        let (parameters, metadata) = example();
        let bytes = parameters.to_safetensors(&metadata).unwrap();
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let want = concat!(
            r#"{"network":"1x9x8-3C2-MP2-4C3-5N-3N","activation":"scaled-tanh","#,
            r#""extra":{"epoch":"800","width":"14"}}"#
        );
        assert_eq!(header.metadata().as_ref().unwrap(), &HashMap::from([(KEY.to_owned(), want.to_owned())]));
    }

    #[test]
    fn a_file_that_is_not_the_networks_is_refused() {
        assert!(Parameters::from_safetensors(&file(&[(KEY, JSON)], |_| ())).is_ok());
        check_error(&file(&[], |_| ()), "metadata: keys [], expected \"ciresan\" alone");
        check_error(
            &file(&[(KEY, JSON), ("format", "pt")], |_| ()),
            "metadata: keys [\"ciresan\", \"format\"]",
        );
        check_error(&file(&[(KEY, "{")], |_| ()), "metadata \"ciresan\": EOF");
        let unknown = JSON.replace("\"extra\"", "\"extras\"");
        check_error(&file(&[(KEY, &unknown)], |_| ()), "metadata \"ciresan\": unknown field `extras`");
        let wrong = JSON.replace("3C2", "3C9");
        check_error(
            &file(&[(KEY, &wrong)], |_| ()),
            "metadata \"ciresan\": network, character 7: \"3C9\" has a kernel",
        );
        // A network of 76,040 parameters in a small file: refused by the first shape.
        let other = JSON.replace(NETWORK, "1x29x29-20C4-MP2-40C5-MP3-150N-10N");
        let message = "tensor conv1.weight: shape [3, 1, 2, 2], expected [20, 1, 4, 4]";
        check_error(&file(&[(KEY, &other)], |_| ()), message);
    }

    #[test]
    fn wrong_tensors_are_refused_by_name() {
        check_error(
            &file(&[(KEY, JSON)], |tensors| drop(tensors.remove(2))),
            "tensor conv2.weight: missing, expected it for network 1x9x8-3C2-MP2-4C3-5N-3N",
        );
        check_error(
            &file(&[(KEY, JSON)], |tensors| {
                tensors.push(("dense3.bias".to_owned(), Dtype::F32, vec![0], vec![]))
            }),
            "tensor dense3.bias: not one of network 1x9x8-3C2-MP2-4C3-5N-3N",
        );
        check_error(
            &file(&[(KEY, JSON)], |tensors| tensors[1].1 = Dtype::I32),
            "tensor conv1.bias: values of type I32, expected F32",
        );
        check_error(
            &file(&[(KEY, JSON)], |tensors| tensors[1].2 = vec![1, 3]),
            "tensor conv1.bias: shape [1, 3], expected [3]",
        );
        check_error(
            &file(&[(KEY, JSON)], |tensors| tensors[3].3[4..8].copy_from_slice(&f32::NAN.to_le_bytes())),
            "tensor conv2.bias: value NaN at index 1, expected a finite one",
        );
    }

    #[test]
    fn what_could_not_be_loaded_is_not_stored() {
        let (mut parameters, mut metadata) = example();
        metadata.network = "1x9x8-3C2-MP2-4C3-6N-3N".parse().unwrap();
        let error = parameters.to_safetensors(&metadata).unwrap_err().to_string();
        assert_eq!(error, "parameters of another network than 1x9x8-3C2-MP2-4C3-6N-3N");
        metadata.network = NETWORK.parse().unwrap();
        parameters.values_mut()[0] = f32::INFINITY;
        let error = parameters.to_safetensors(&metadata).unwrap_err().to_string();
        assert_eq!(error, "tensor conv1.weight: value inf at index 0, expected a finite one");
    }

    proptest! {
        #[test]
        fn a_prefix_is_an_error(share in 0.0..1.0) {
            let (parameters, metadata) = example();
            let bytes = parameters.to_safetensors(&metadata).unwrap();
            let len = (share * bytes.len() as f64) as usize;
            prop_assert!(Parameters::from_safetensors(&bytes[..len]).is_err());
        }

        #[test]
        fn a_damaged_byte_never_panics(share in 0.0..1.0, byte: u8) {
            let (parameters, metadata) = example();
            let mut bytes = parameters.to_safetensors(&metadata).unwrap();
            // Mostly the header, where the structure is.
            let index = (share * share * bytes.len() as f64) as usize;
            bytes[index] = byte;
            if let Ok((loaded, _)) = Parameters::from_safetensors(&bytes) {
                prop_assert!(loaded.values().iter().all(|value| value.is_finite()));
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Parameters::from_safetensors(&bytes).is_err());
        }
    }

    #[test]
    fn trailing_bytes_are_an_error() {
        let (parameters, metadata) = example();
        let mut bytes = parameters.to_safetensors(&metadata).unwrap();
        bytes.push(0);
        check_error(&bytes, "not a whole safetensors file");
    }
}
