//! The recipes of `tune`: every combination of the values given for some keys of a config.

use anyhow::Result;
use study::Study;

use crate::failure::usage_error;

/// A key of a config, and the values to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Variation {
    pub(super) key: String,
    pub(super) values: Vec<String>,
}

impl Variation {
    /// From `learning_rate.peak=0.02,0.05`. Commas inside brackets, braces and quotes do not separate values: `widths=[14],[16,18]`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let usage = || "expected KEY=A,B,…, such as epochs=10,20".to_owned();
        let (key, list) = text.split_once('=').ok_or_else(usage)?;
        let values = split(list);
        if key.is_empty() || values.iter().any(String::is_empty) {
            return Err(usage());
        }
        Ok(Self { key: key.to_owned(), values })
    }
}

fn split(list: &str) -> Vec<String> {
    let (mut values, mut depth, mut in_quotes, mut is_escaped) = (vec![String::new()], 0_i32, false, false);
    for c in list.chars() {
        let is_quote = c == '"' && !is_escaped;
        is_escaped = in_quotes && c == '\\' && !is_escaped;
        if is_quote {
            in_quotes = !in_quotes;
        } else if !in_quotes {
            depth += i32::from(matches!(c, '[' | '{')) - i32::from(matches!(c, ']' | '}'));
        }
        match values.last_mut() {
            Some(value) if c != ',' || in_quotes || depth > 0 => value.push(c),
            _ => values.push(String::new()),
        }
    }
    values
}

/// One combination.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Recipe {
    /// The value of each key, in the order of the keys.
    pub(super) values: Vec<String>,
    pub(super) study: Study,
}

impl Recipe {
    /// Every combination, the last key changing fastest, as studies that hold out the digits of `base`. Combinations that give the same
    /// config are one recipe.
    ///
    /// # Errors
    /// A usage error for a config that is not valid, or that is about other digits.
    pub(super) fn all(base: &Study, variations: &[Variation]) -> Result<Vec<Self>> {
        let mut combinations: Vec<Vec<(&str, &str)>> = vec![Vec::new()];
        for Variation { key, values } in variations {
            let mut longer = Vec::new();
            for known in &combinations {
                for value in values {
                    longer.push([&known[..], &[(key.as_str(), value.as_str())]].concat());
                }
            }
            combinations = longer;
        }
        let mut recipes: Vec<Self> = Vec::new();
        for changes in combinations {
            let given: Vec<String> =
                changes.iter().map(|(key, value)| format!("--vary {key}={value}")).collect();
            let refused = |why: String| usage_error(format_args!("{}: {why}", given.join(" ")));
            let mut study = base.with_changes(&changes).map_err(|problem| refused(problem.to_string()))?;
            if (study.data, study.validation) != (base.data, base.validation) || study.name != base.name {
                return Err(refused(
                    "recipes are compared on the same digits: data, validation and name cannot vary"
                        .to_owned(),
                ));
            }
            study.name = name(&changes, &study);
            if recipes.iter().all(|known| known.study.hash() != study.hash()) {
                let values = changes.iter().map(|(_, value)| (*value).to_owned()).collect();
                recipes.push(Self { values, study });
            }
        }
        Ok(recipes)
    }
}

/// A name for a recipe's folder that tells it from others, now and in later runs: `peak-0.02_sigma-6_1f0c93ab`.
fn name(changes: &[(&str, &str)], study: &Study) -> String {
    let room = Study::MAX_NAME_CHARS - 9;
    let parts = changes.iter().map(|(key, value)| format!("{}-{value}", last_step(key)));
    let mut text = String::new();
    for c in parts.collect::<Vec<_>>().join("_").chars().skip_while(|c| !c.is_ascii_alphanumeric()) {
        let c = if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') { c } else { '-' };
        if text.len() < room && !(c == '-' && text.ends_with('-')) {
            text.push(c);
        }
    }
    format!("{text}_{}", &study.hash()[..8])
}

/// `peak` of `learning_rate.peak`.
pub(super) fn last_step(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held_out() -> Study {
        Study::from_json(include_str!("../../../configs/held-out.json")).unwrap()
    }

    fn vary(texts: &[&str]) -> Vec<Variation> {
        texts.iter().map(|text| Variation::parse(text).unwrap()).collect()
    }

    #[test]
    fn values_are_parted_by_commas_outside_brackets_and_quotes() {
        let values = |text| Variation::parse(text).unwrap().values;
        assert_eq!(values("epochs=10,20"), ["10", "20"]);
        assert_eq!(values("widths=[14],[16,18]"), ["[14]", "[16,18]"]);
        assert_eq!(values(r#"notes=["a,\"b]"],["c"]"#), [r#"["a,\"b]"]"#, r#"["c"]"#]);
        assert_eq!(values("distortion=null"), ["null"]);
        for wrong in ["epochs", "=3", "epochs=", "epochs=1,,2", "epochs=1,"] {
            assert!(Variation::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_combination_is_a_study_of_its_own_name() {
        let recipes =
            Recipe::all(&held_out(), &vary(&["epochs=2,3", "distortion.sigma=6,8", "batch=64"])).unwrap();
        let values: Vec<String> = recipes.iter().map(|recipe| recipe.values.join(" ")).collect();
        assert_eq!(values, ["2 6 64", "2 8 64", "3 6 64", "3 8 64"]);
        assert_eq!((recipes[2].study.epochs, recipes[2].study.batch), (3, 64));
        let mut names: Vec<&str> = recipes.iter().map(|recipe| recipe.study.name.as_str()).collect();
        assert!(names[2].starts_with("epochs-3_sigma-6_batch-64_"), "{names:?}");
        // A name that a config may have, however odd the value.
        for recipe in &recipes {
            assert_eq!(Study::from_json(&recipe.study.to_json()).unwrap(), recipe.study);
        }
        names.dedup();
        assert_eq!(names.len(), 4);
        let long = Recipe::all(
            &held_out(),
            &vary(&[r#"widths=["original",10,12,14,16,18,20]"#, "seed=12345678901234567"]),
        );
        let name = &long.unwrap()[0].study.name;
        assert!(name.len() <= 64 && name.starts_with("widths-original-10-12-"), "{name}");
    }

    #[test]
    fn equal_configs_are_one_recipe() {
        let recipes = Recipe::all(&held_out(), &vary(&["learning_rate.peak=0.05,5e-2,0.04"])).unwrap();
        assert_eq!(
            recipes.iter().map(|recipe| recipe.values[0].as_str()).collect::<Vec<_>>(),
            ["0.05", "0.04"]
        );
    }

    #[test]
    fn what_cannot_be_compared_or_is_not_valid_is_refused() {
        let refused = |text: &str| Recipe::all(&held_out(), &vary(&[text])).unwrap_err().to_string();
        assert!(refused("validation=5000").contains("the same digits"));
        assert!(refused("data=fashion-mnist").contains("the same digits"));
        assert_eq!(
            refused("epochs=3,0"),
            "--vary epochs=0: epochs is 0, expected a whole number from 1 to 100000"
        );
    }
}
