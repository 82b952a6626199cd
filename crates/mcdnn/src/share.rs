//! One process's share of a study: columns by a number that a scheduler gives.

use std::env::{self, VarError};
use std::num::NonZeroUsize;

use anyhow::Result;
use study::{ColumnId, Study};

use crate::failure::usage_error;

/// Where schedulers tell a process its number: Slurm's array jobs, Kubernetes' Indexed Jobs.
const VARIABLES: [&str; 2] = ["SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX"];

/// The flags that say which share.
#[derive(Debug, clap::Args)]
pub(crate) struct ShareArgs {
    /// Train only column N, counted from 0 in the order of `info`. Other processes, also on other hosts, may train other columns
    /// in the same folder [default without N: SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX]
    #[arg(long, value_name = "N", num_args = 0..=1, conflicts_with_all = ["columns", "json"])]
    column_index: Option<Option<String>>,
    /// Train K columns in lockstep: N then counts groups of K columns; the last group may be smaller [default: 1]
    #[arg(long, value_name = "K", requires = "column_index", value_parser = clap::value_parser!(u16).range(1..))]
    group: Option<u16>,
}

impl ShareArgs {
    /// Whether this process trains a share and not the whole.
    pub(crate) fn is_given(&self) -> bool {
        self.column_index.is_some()
    }

    /// The columns of the share; `None` where no share is asked for.
    ///
    /// # Errors
    /// When the number is not one, cannot be found, or is beyond the study.
    pub(crate) fn columns(&self, study: &Study) -> Result<Option<Vec<ColumnId>>> {
        let Some(given) = &self.column_index else { return Ok(None) };
        let (index, source) = match given {
            None => from_environment(|name| env::var(name))?,
            Some(given) => (given.clone(), "--column-index"),
        };
        let group = self.group.and_then(|group| NonZeroUsize::new(group.into())).unwrap_or(NonZeroUsize::MIN);
        share(&study.columns(), &index, source, group).map(Some)
    }
}

/// The number, and the variable that has it.
fn from_environment(read: impl Fn(&str) -> Result<String, VarError>) -> Result<(String, &'static str)> {
    let mut found: Option<(String, &'static str)> = None;
    for variable in VARIABLES {
        let Ok(value) = read(variable) else { continue };
        match &found {
            Some((other, first)) if *other != value => {
                return Err(usage_error(format_args!(
                    "--column-index: {first} is {other} but {variable} is {value}; write the number itself: --column-index N"
                )));
            }
            Some(_) => {}
            None => found = Some((value, variable)),
        }
    }
    found.ok_or_else(|| {
        usage_error(format_args!(
            "--column-index: neither {} nor {} is set; write the number itself, counted from 0: --column-index N",
            VARIABLES[0], VARIABLES[1]
        ))
    })
}

fn share(all: &[ColumnId], index: &str, source: &str, group: NonZeroUsize) -> Result<Vec<ColumnId>> {
    let n_shares = all.len().div_ceil(group.get());
    let parsed = index.parse::<usize>().ok();
    let columns = parsed.and_then(|index| all.chunks(group.get()).nth(index));
    columns.map(<[ColumnId]>::to_vec).ok_or_else(|| {
        let what = if group.get() == 1 { "columns".to_owned() } else { format!("groups of {group} columns") };
        usage_error(format_args!(
            "{source}: {index:?} is not one of the study's {n_shares} {what}, which are numbered from 0 to {}",
            n_shares - 1
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<ColumnId> {
        ["w14-1", "w16-1", "original-1", "w14-2", "w16-2"].map(|name| name.parse().unwrap()).into()
    }

    fn names(index: &str, group: usize) -> Result<Vec<String>> {
        let share = share(&columns(), index, "--column-index", NonZeroUsize::new(group).unwrap())?;
        Ok(share.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn shares_are_counted_from_0_and_cover_the_study() {
        assert_eq!(names("0", 1).unwrap(), ["w14-1"]);
        assert_eq!(names("4", 1).unwrap(), ["w16-2"]);
        assert_eq!(names("0", 2).unwrap(), ["w14-1", "w16-1"]);
        assert_eq!(names("2", 2).unwrap(), ["w16-2"]);
        assert_eq!(names("0", 9).unwrap().len(), 5);
    }

    #[test]
    fn numbers_beyond_the_study_are_refused() {
        let message = |index, group| names(index, group).unwrap_err().to_string();
        let want =
            "--column-index: \"5\" is not one of the study's 5 columns, which are numbered from 0 to 4";
        assert_eq!(message("5", 1), want);
        let want = "--column-index: \"3\" is not one of the study's 3 groups of 2 columns, which are numbered from 0 to 2";
        assert_eq!(message("3", 2), want);
        for wrong in ["-1", "w14-1", "1.0", "", "99999999999999999999999"] {
            assert!(message(wrong, 1).contains("is not one of the study's 5 columns"));
        }
    }

    #[test]
    fn the_number_comes_from_either_scheduler() {
        let with = |pairs: &'static [(&str, &str)]| {
            from_environment(move |name| {
                let pair = pairs.iter().find(|(key, _)| *key == name);
                pair.map(|(_, value)| (*value).to_owned()).ok_or(VarError::NotPresent)
            })
        };
        let slurm = ("3".to_owned(), "SLURM_ARRAY_TASK_ID");
        assert_eq!(with(&[("SLURM_ARRAY_TASK_ID", "3")]).unwrap(), slurm);
        assert_eq!(with(&[("SLURM_ARRAY_TASK_ID", "3"), ("JOB_COMPLETION_INDEX", "3")]).unwrap(), slurm);
        assert_eq!(with(&[("JOB_COMPLETION_INDEX", "0")]).unwrap(), ("0".to_owned(), "JOB_COMPLETION_INDEX"));
        let message = with(&[]).unwrap_err().to_string();
        assert!(message.contains("neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set"), "{message}");
        let both = with(&[("SLURM_ARRAY_TASK_ID", "3"), ("JOB_COMPLETION_INDEX", "4")]).unwrap_err();
        assert!(
            both.to_string().contains("SLURM_ARRAY_TASK_ID is 3 but JOB_COMPLETION_INDEX is 4"),
            "{both}"
        );
    }
}
