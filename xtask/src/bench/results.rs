//! What a race writes: `results/bench/<peers>-<instruction set>.json`.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use mcdnn::host::Machine;

/// Version of the file's form.
pub(super) const SCHEMA: u32 = 1;

/// One run of every task.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Comparison {
    /// [`SCHEMA`].
    pub(super) schema: u32,
    /// What there were peers for, such as `preprocess`.
    pub(super) peers: String,
    /// The command that made this.
    pub(super) command: String,
    /// The commit that was built, if nothing differed from it.
    pub(super) commit: Option<String>,
    pub(super) machine: Machine,
    /// Versions of what is not a contender, such as the compiler.
    pub(super) tools: BTreeMap<String, String>,
    /// Turns of each contender.
    pub(super) rounds: usize,
    /// Length of a turn that was aimed at, in seconds.
    pub(super) turn_s: f64,
    pub(super) tasks: Vec<TaskResult>,
}

/// One task: its contenders, in the order they were entered, and how they compare.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TaskResult {
    pub(super) task: String,
    /// The task in a sentence.
    pub(super) what: String,
    pub(super) contenders: Vec<ContenderResult>,
    pub(super) ratios: Vec<Ratio>,
}

/// Whose a contender is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Side {
    /// This project's.
    Ours,
    /// Somebody else's.
    Peer,
    /// The least that the task costs anyone, such as reading the bytes of a file.
    Floor,
    /// This project's, doing less than the task: compared only with this project's contender that does all of it.
    Shortcut,
}

/// What became of a contender.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ContenderResult {
    pub(super) name: String,
    pub(super) side: Side,
    pub(super) threads: usize,
    /// As the contender says; empty if it did not get to say it.
    pub(super) version: String,
    /// How it does the task, as it says.
    pub(super) detail: String,
    /// Images asked for in a turn.
    pub(super) images_per_turn: u64,
    /// Images a second, one value a round; empty if it failed.
    pub(super) images_per_s: Vec<f64>,
    /// Their median.
    pub(super) median_images_per_s: Option<f64>,
    /// Why it is out.
    pub(super) failed: Option<String>,
}

/// How many times as fast `of` was as `to`, over the rounds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ratio {
    pub(super) of: Who,
    pub(super) to: Who,
    pub(super) median: f64,
    pub(super) min: f64,
    pub(super) max: f64,
}

/// Name and threads tell a task's contenders apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Who {
    pub(super) name: String,
    pub(super) threads: usize,
}

impl Comparison {
    /// The file's text: indented, for people to read and compare.
    pub(super) fn to_json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// A sentence for each contender that failed.
    pub(super) fn failed(&self) -> Vec<String> {
        let contenders = self.tasks.iter().flat_map(|task| task.contenders.iter().map(move |c| (task, c)));
        contenders
            .filter_map(|(task, contender)| {
                let (name, threads) = (&contender.name, contender.threads);
                let reason = contender.failed.as_ref()?;
                Some(format!("{}: {name} on {threads} of the cores: {reason}", task.task))
            })
            .collect()
    }
}

impl TaskResult {
    /// Compares the contenders that came through: ours with all others of as many threads, and with ours on one thread.
    pub(super) fn new(task: String, what: String, contenders: Vec<ContenderResult>) -> Self {
        let is_compared = |of: &ContenderResult, to: &ContenderResult| match to.side {
            Side::Ours => of.threads > 1 && to.threads == 1,
            Side::Peer | Side::Floor | Side::Shortcut => of.threads == to.threads,
        };
        let ours = contenders.iter().filter(|contender| contender.side == Side::Ours);
        let pairs = ours.flat_map(|of| contenders.iter().map(move |to| (of, to)));
        let ratios = pairs.filter(|(of, to)| is_compared(of, to)).filter_map(|(of, to)| Ratio::new(of, to));
        let ratios = ratios.collect();
        Self { task, what, contenders, ratios }
    }

    /// How ours compares with this contender.
    pub(super) fn ratio_to(&self, to: &ContenderResult) -> Option<&Ratio> {
        self.ratios.iter().find(|ratio| to.is(&ratio.to) && ratio.of.threads == to.threads)
    }

    /// How this one of ours, on several threads, compares with ours on one.
    pub(super) fn scaling_of(&self, of: &ContenderResult) -> Option<&Ratio> {
        self.ratios.iter().find(|ratio| of.is(&ratio.of) && ratio.to.threads != of.threads)
    }
}

impl ContenderResult {
    fn who(&self) -> Who {
        Who { name: self.name.clone(), threads: self.threads }
    }

    fn is(&self, who: &Who) -> bool {
        (&self.name, self.threads) == (&who.name, who.threads)
    }
}

impl Ratio {
    /// `None` where one of the two has failed.
    fn new(of: &ContenderResult, to: &ContenderResult) -> Option<Self> {
        let rounds = of.images_per_s.iter().zip(&to.images_per_s);
        let mut ratios: Vec<f64> = rounds.map(|(of, to)| of / to).collect();
        let median = median(&mut ratios)?;
        // Sorted by now.
        Some(Self { of: of.who(), to: to.who(), median, min: *ratios.first()?, max: *ratios.last()? })
    }
}

/// The median, after sorting; between the two in the middle of an even number. `None` of nothing.
pub(super) fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len() % 2 == 1 { upper } else { (values[middle - 1] + upper) / 2.0 })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn contender(name: &str, side: Side, threads: usize, images_per_s: &[f64]) -> ContenderResult {
        ContenderResult {
            name: name.to_owned(),
            side,
            threads,
            version: "1.0".to_owned(),
            detail: String::new(),
            images_per_turn: 100,
            images_per_s: images_per_s.to_vec(),
            median_images_per_s: median(&mut images_per_s.to_vec()),
            failed: images_per_s.is_empty().then(|| "no such program".to_owned()),
        }
    }

    pub(crate) fn task() -> TaskResult {
        let contenders = vec![
            contender("ours", Side::Ours, 1, &[300_000.0, 310_000.0, 290_000.0]),
            contender("ours", Side::Ours, 2, &[600_000.0, 620_000.0, 522_000.0]),
            contender("theirs", Side::Peer, 1, &[30_000.0, 15_500.0, 14_500.0]),
            contender("theirs", Side::Peer, 2, &[20_000.0, 20_000.0, 20_000.0]),
            contender("broken", Side::Peer, 1, &[]),
        ];
        TaskResult::new("distort".to_owned(), "digits distorted".to_owned(), contenders)
    }

    #[test]
    fn ratios_are_formed_round_by_round_thread_for_thread() {
        let task = task();
        let told: Vec<_> = task
            .ratios
            .iter()
            .map(|r| {
                (r.of.threads, r.to.name.as_str(), r.to.threads, [r.median, r.min, r.max].map(|v| v as f32))
            })
            .collect();
        assert_eq!(
            told,
            [
                (1, "theirs", 1, [20.0, 10.0, 20.0]),
                (2, "ours", 1, [2.0, 1.8, 2.0]),
                (2, "theirs", 2, [30.0, 26.1, 31.0]),
            ]
        );
        assert!(task.ratio_to(&task.contenders[3]).is_some_and(|ratio| ratio.of.threads == 2));
        assert!(task.ratio_to(&task.contenders[0]).is_none() && task.ratio_to(&task.contenders[4]).is_none());
        assert!(task.scaling_of(&task.contenders[1]).is_some());
        assert!(task.scaling_of(&task.contenders[0]).is_none());
    }

    #[test]
    fn medians() {
        assert_eq!(median(&mut []), None);
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }
}
