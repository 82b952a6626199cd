//! Groups' names in JSON: a name that is a whole number is written as one, so that a study's width reads there as in its config.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Name {
    Number(u64),
    Text(String),
}

impl From<&String> for Name {
    fn from(name: &String) -> Self {
        match name.parse::<u64>() {
            // Not `014` or `+14`, which would come back as `14`.
            Ok(number) if number.to_string() == *name => Self::Number(number),
            _ => Self::Text(name.clone()),
        }
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        match name {
            Name::Number(number) => number.to_string(),
            Name::Text(text) => text,
        }
    }
}

/// Of one group.
pub(crate) mod one {
    use super::{Deserialize, Deserializer, Name, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(name: &String, serializer: S) -> Result<S::Ok, S::Error> {
        Name::from(name).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        Name::deserialize(deserializer).map(String::from)
    }
}

/// Of several groups.
pub(crate) mod several {
    use super::{Deserialize, Deserializer, Name, Serializer};

    pub(crate) fn serialize<S: Serializer>(names: &[String], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(names.iter().map(Name::from))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
        Ok(Vec::<Name>::deserialize(deserializer)?.into_iter().map(String::from).collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Overlap, Score, Subset};

    #[test]
    fn numbers_are_numbers_and_come_back() {
        let groups = ["original", "14", "014", ""].map(String::from).to_vec();
        let overlap = Overlap { groups: groups.clone(), images: vec![3] };
        let json = serde_json::to_string(&overlap).unwrap();
        assert_eq!(json, r#"{"groups":["original",14,"014",""],"images":[3]}"#);
        assert_eq!(serde_json::from_str::<Overlap>(&json).unwrap(), overlap);
        let subset = Subset { groups, n_members: 4, score: Score { errors: 1, n: 2 } };
        let json = serde_json::to_string(&subset).unwrap();
        assert_eq!(serde_json::from_str::<Subset>(&json).unwrap(), subset);
    }
}
