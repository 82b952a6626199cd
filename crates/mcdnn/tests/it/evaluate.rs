//! `evaluate` on the tiny study, with files of the sample's test digits: the digits that `committee` has figures of.

use committee::Figures;
use mnist_data::Data;
use mnist_data::idx::Array;
use ndarray::{Array1, Array2, Axis};
use preprocess::Views;
use serde::Deserialize;

use crate::predict::{digits, idx, trained};
use crate::run::Place;

const ARGUMENTS: &str = "evaluate --study results --images images.idx --labels labels.idx";

/// What `--json` prints.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Evaluation {
    schema: u32,
    study: String,
    path: String,
    images: String,
    labels: String,
    n_digits: usize,
    views: Option<Views>,
    figures: Figures,
}

fn labels() -> Vec<u8> {
    Data::sample().test.labels().to_vec()
}

/// The tiny study, beside the sample's test digits and these labels.
fn place(labels: impl Into<Array>) -> Place {
    let place = trained();
    place.write("images.idx", idx(digits()));
    place.write("labels.idx", idx(labels));
    place
}

fn evaluation(place: &Place) -> Evaluation {
    serde_json::from_str(&place.run(&format!("{ARGUMENTS} --json")).succeeded().stdout).unwrap()
}

#[test]
fn of_the_test_digits_the_figures_are_those_of_committee() {
    let classic = place(Array1::from(labels()));
    let summary = classic.run("committee --study results --json").succeeded().stdout;
    let want = crate::committee::figures(&summary).figures;
    assert!(want.all.score.errors > 0, "no error, so nothing is compared");
    // In QMNIST's form the class is the first of eight numbers.
    let wide = Array2::from_shape_fn((100, 8), |(digit, column)| match column {
        0 => i32::from(labels()[digit]),
        _ => -1,
    });
    for place in [classic, place(wide)] {
        let got = evaluation(&place);
        assert_eq!((got.schema, got.study.as_str(), got.path.as_str()), (1, "tiny", "results"));
        assert_eq!((got.images.as_str(), got.labels.as_str()), ("images.idx", "labels.idx"));
        assert_eq!((got.n_digits, got.figures), (100, want.clone()));
    }
}

#[test]
fn the_text_says_which_digits_and_its_lines_fit_a_terminal() {
    let place = place(Array1::from(labels()));
    let figures = evaluation(&place).figures;
    let text = place.run(ARGUMENTS).succeeded().stdout;
    let told = "# Study tiny (results) on 100 digits\n\nimages: images.idx\nlabels: labels.idx\n\n";
    assert!(text.starts_with(told) && text.contains("about the 100 digits of these two files"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let members = figures.members.iter().map(|member| (format!("column {}", member.name), member.score));
    let groups = figures.groups.iter().map(|group| (format!("width {}, 1 column", group.group), group.score));
    let want: Vec<_> =
        members.chain(groups).chain([("all, 2 columns".to_owned(), figures.all.score)]).collect();
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| line.starts_with("| "))
        .skip(2)
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    assert_eq!(rows.len(), want.len(), "{text}");
    for (row, (name, score)) in rows.iter().zip(want) {
        let interval = score.interval();
        let range = format!("{:.2}–{:.2}", interval.low_percent, interval.high_percent);
        let error = format!("{:.2}", score.error_percent());
        assert_eq!(row[1..5], [name, score.errors.to_string(), error, range]);
    }
    let (wrong, second) = (figures.all.score.errors, figures.all.second_guess_right);
    let told =
        format!("All columns together make {wrong} errors. The second guess is right in {second} of them.");
    assert!(text.contains(&told), "{text}");
}

#[test]
fn files_that_do_not_fit_are_refused_in_a_sentence() {
    let place = place(Array1::from(labels()[..99].to_vec()));
    place
        .run(ARGUMENTS)
        .refused(1, &["labels.idx: 99 labels, expected 100, one for each image of images.idx"]);
    place.write("labels.idx", idx(Array1::from(vec![10_u8; 100])));
    place.run(ARGUMENTS).refused(1, &["labels.idx: label 10 at index 0, expected 0 to 9"]);
    let cut = digits().slice_axis(Axis(2), (0..27).into()).to_owned();
    place.write("images.idx", idx(cut));
    place.run(ARGUMENTS).refused(1, &["images.idx: images of shape [100, 28, 27], expected [n, 28, 28]"]);
    std::fs::remove_file(place.path("images.idx")).unwrap();
    place.run(ARGUMENTS).refused(1, &["images.idx: "]);
}

#[test]
fn with_views_the_figures_are_those_that_the_study_has_with_views() {
    let place = place(Array1::from(labels()));
    let views = ",\n  \"views\": { \"count\": 4, \"strength\": 0.5 }\n}";
    let config = |place: &Place| {
        place.config(&[]);
        let text = std::fs::read_to_string(place.path("tiny.json")).unwrap();
        std::fs::write(
            place.path("tiny.json"),
            text.trim_end().strip_suffix('}').unwrap().to_owned() + views,
        )
        .unwrap();
    };
    config(&place);
    // The finished study's config has gained views: nothing is trained.
    let weights = std::fs::read(place.path("results/columns/w14-1/weights.safetensors")).unwrap();
    let ran = place.run("reproduce --config tiny.json --study ./results").succeeded();
    assert!(ran.stderr.contains("w14-1       predictions were missing or damaged"), "{ran:#?}");
    assert!(ran.stdout.contains("## With views of each digit, error in %"), "{ran:#?}");
    assert!(ran.stdout.contains("The mean of 4 views of each digit"), "{ran:#?}");
    assert!(ran.stdout.lines().all(|line| !line.contains("views") || line.chars().count() <= 80), "{ran:#?}");
    assert_eq!(std::fs::read(place.path("results/columns/w14-1/weights.safetensors")).unwrap(), weights);
    let again = place.run("reproduce --config tiny.json --study ./results").succeeded();
    assert!(again.stderr.starts_with("nothing to train"), "{again:#?}");

    let summary = place.run("committee --study results --json").succeeded().stdout;
    let with_views = crate::committee::figures(&summary).with_views.unwrap();
    assert_eq!((with_views.views.count, with_views.views.strength), (4, 0.5));
    let arguments = format!("{ARGUMENTS} --views 4 --view-strength 0.5");
    let got: Evaluation =
        serde_json::from_str(&place.run(&format!("{arguments} --json")).succeeded().stdout).unwrap();
    assert_eq!((&got.figures, got.views), (&with_views.figures, Some(with_views.views)));
    assert_ne!(got.figures, evaluation(&place).figures);
    let text = place.run(&arguments).succeeded().stdout;
    assert!(
        text.contains("\nviews:  4 of each digit, distorted with 0.5 of the training's strength\n"),
        "{text}"
    );

    // Damage to them is told, and mended.
    assert!(place.run("verify --study results").succeeded().stdout.contains("same bits"));
    std::fs::write(place.path("results/columns/w14-1/views.npy"), "x").unwrap();
    assert_eq!(place.run("verify --study results").code, Some(1));
    place.run("committee --study results").refused(1, &["w14-1/views.npy: damaged: its SHA-256 is"]);
    assert!(place.run("reproduce --config tiny.json --study ./results").succeeded().stderr.contains("w14-1"));
    place.run("verify --study results").succeeded();

    // Views of another strength take their place.
    let text = std::fs::read_to_string(place.path("tiny.json")).unwrap();
    std::fs::write(place.path("tiny.json"), text.replace("0.5 }", "0.25 }")).unwrap();
    let ran = place.run("reproduce --config tiny.json --study ./results").succeeded();
    assert!(ran.stdout.contains("with 0.25 of the training's strength"), "{ran:#?}");
}
