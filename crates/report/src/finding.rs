//! What a study found, in plain words.

use study::DataSet;
use thousands::Separable;

use crate::Summary;
use crate::markdown::format::{epochs, named, spread};
use crate::published::paper;

/// The result in one line: what all finished columns together reach. No full stop at the end.
#[must_use]
pub fn headline(summary: &Summary) -> String {
    let all = &summary.figures.all;
    let (percent, digits) = (all.score.error_percent(), all.score.n.separate_with_commas());
    match all.n_members {
        1 => format!("One column misclassifies {percent:.2} % of {digits} {}", summary.digits_name()),
        n => format!(
            "A committee of {n} columns misclassifies {percent:.2} % of {digits} {}",
            summary.digits_name()
        ),
    }
}

/// The finding in a few sentences, beside the paper's where that is about the same digits.
pub(crate) fn paragraphs(summary: &Summary) -> Vec<String> {
    let figures = &summary.figures;
    let all = &figures.all;
    let study = &summary.manifest.config;
    let mut own = String::new();
    if all.n_members > 1 {
        own.push_str(&format!(
            "A single column has an error of {} % (mean{}). The committee averages the columns’ probabilities and gets {} of {} digits wrong. ",
            spread(all.members),
            if all.members.sd_percent.is_some() { " ± standard deviation" } else { "" },
            all.score.errors.separate_with_commas(),
            all.score.n.separate_with_commas(),
        ));
    } else {
        own.push_str(&format!(
            "It gets {} of {} digits wrong. ",
            all.score.errors.separate_with_commas(),
            all.score.n.separate_with_commas()
        ));
    }
    if all.score.errors > 0 {
        own.push_str(&format!(
            "For {} of these {} digits, the second guess is right. ",
            all.second_guess_right.separate_with_commas(),
            all.score.errors.separate_with_commas()
        ));
    }
    let by_error = |group: &&committee::GroupFigures| group.score.errors;
    if let (true, Some(best), Some(worst)) = (
        figures.groups.len() > 1,
        figures.groups.iter().min_by_key(by_error),
        figures.groups.iter().max_by_key(by_error),
    ) {
        own.push_str(&format!(
            "The committees of a single width have errors from {:.2} % (width {}) to {:.2} % (width {}).",
            best.score.error_percent(),
            best.group,
            worst.score.error_percent(),
            worst.group
        ));
    }
    let mut paragraphs = vec![own.trim_end().to_owned()];
    if summary.has_peers() {
        let (ours, theirs) = (all.score.error_percent(), paper::COMMITTEE_PERCENT);
        let compared =
            if all.score.errors == paper::COMMITTEE_ERRORS && all.score.n == DataSet::Mnist.n_test() {
                "the same as this study".to_owned()
            } else {
                format!(
                    "{:.2} percentage points {} than this study",
                    (ours - theirs).abs(),
                    if ours > theirs { "less" } else { "more" }
                )
            };
        paragraphs.push(format!(
            "The paper’s committee of {} columns has an error of {theirs:.2} %: {compared}. The paper trained each column for about 800 epochs, this study for {}. \
             The paper’s columns have an error of {:.2} ± {:.2} %, its committees of a single width {:.2} to {:.2} %. For {} of its {} errors, the second guess is right.",
            paper::N_COLUMNS,
            epochs(study),
            paper::COLUMNS_MEAN_PERCENT,
            paper::COLUMNS_SD_PERCENT,
            paper::WIDTH_BEST_PERCENT,
            paper::WIDTH_WORST_PERCENT,
            paper::SECOND_GUESS_RIGHT,
            paper::COMMITTEE_ERRORS,
        ));
    }
    paragraphs
}

/// What is not there yet.
pub(crate) fn missing(summary: &Summary) -> Option<String> {
    let (n_missing, n_finished) = (summary.missing.len(), summary.finished.len());
    (n_missing > 0).then(|| {
        format!(
            "This study is not finished: this report is about the {n_finished} of {} columns that are. Missing: {}.",
            n_finished + n_missing,
            named(&summary.missing)
        )
    })
}

/// The figures that stand out at the top, and what they are.
pub(crate) fn key_figures(summary: &Summary) -> Vec<(String, String)> {
    let all = &summary.figures.all;
    let mut key = vec![(
        format!("{:.2} %", all.score.error_percent()),
        if all.n_members > 1 {
            format!("error of the committee of {} columns", all.n_members)
        } else {
            "error of the column".to_owned()
        },
    )];
    if summary.has_peers() {
        key.push((
            format!("{:.2} %", paper::COMMITTEE_PERCENT),
            format!("error of the paper’s committee of {}", paper::N_COLUMNS),
        ));
    }
    if all.n_members > 1 {
        key.push((format!("{:.2} %", all.members.mean_percent), "mean error of one column".to_owned()));
    }
    key.push((
        format!(
            "{} of {}",
            all.second_guess_right.separate_with_commas(),
            all.score.errors.separate_with_commas()
        ),
        "errors with the right second guess".to_owned(),
    ));
    key
}
