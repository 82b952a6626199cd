//! The README's table of published studies is made from their figures, never typed.

use std::fs;
use std::path::{Path, PathBuf};

use committee::{AllFigures, Score};
use report::read_summary;
use study::ResultsFolder;

const BEGIN: &str = "<!-- published -->\n";
const END: &str = "<!-- end of published -->";

/// `UPDATE_README=1 cargo test -p mcdnn --test it readme` writes it anew.
#[test]
fn the_table_of_published_studies_is_current() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = workspace.join("README.md");
    let text = fs::read_to_string(&readme).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (stands, after) = rest.split_once(END).unwrap();
    let wanted = table(&workspace.join("results/published"));
    if std::env::var_os("UPDATE_README").is_some() {
        fs::write(&readme, format!("{before}{BEGIN}{wanted}{END}{after}")).unwrap();
    } else {
        assert_eq!(stands, wanted, "UPDATE_README=1 cargo test -p mcdnn --test it readme writes it anew");
    }
}

/// A row for each published study; figures of those alone whose columns are all finished.
fn table(published: &Path) -> String {
    let mut text = "\n| | columns | mean ± sd | committee | 95 % | with views | 95 % |\n\
                    | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        .to_owned();
    let mut studies: Vec<PathBuf> =
        fs::read_dir(published).unwrap().map(|entry| entry.unwrap().path()).collect();
    studies.sort();
    for study in studies.into_iter().filter(|path| path.is_dir()) {
        text += &row(&ResultsFolder::open(study));
    }
    text + "| paper | 35 | 0.44 ± 0.06 % | 0.23 % | – | – | – |\n\
            | Theano project, 32 and 48 maps | 4 | – | 0.29 % | – | – | – |\n\n"
}

fn row(folder: &ResultsFolder) -> String {
    let summary = read_summary(folder).unwrap().expect("publish writes committee.json");
    let name = format!("`{}`", summary.manifest.config.name);
    let (finished, all) = (summary.finished.len(), summary.finished.len() + summary.missing.len());
    if finished < all {
        return format!("| {name} | {finished} of {all} | in training | – | – | – | – |\n");
    }
    let AllFigures { members, score, .. } = &summary.figures.all;
    let sd = members.sd_percent.map_or_else(String::new, |sd| format!(" ± {sd:.2}"));
    let with_views = summary.with_views.as_ref().map(|views| figures(views.figures.all.score));
    let [views, views_interval] = with_views.unwrap_or_else(|| ["–".to_owned(), "–".to_owned()]);
    let [plain, interval] = figures(*score);
    format!(
        "| {name} | {all} | {:.2}{sd} % | {plain} | {interval} | {views} | {views_interval} |\n",
        members.mean_percent
    )
}

/// The error, and its interval.
fn figures(score: Score) -> [String; 2] {
    let interval = score.interval();
    let range = format!("{:.2}–{:.2} %", interval.low_percent, interval.high_percent);
    [format!("**{:.2} %**", score.error_percent()), range]
}
