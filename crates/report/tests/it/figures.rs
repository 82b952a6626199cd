//! Figures: which there are, and what each must be.

use std::collections::HashSet;

use report::{Evidence, Figure};
use resvg::usvg::roxmltree::Document;

use crate::evidence::{complete, digits, html, summary, with_report, write_metrics};
use crate::made_up::{Column, MadeUp, study};

fn names(made_up: &MadeUp) -> Vec<&'static str> {
    with_report(made_up, |report| report.figures().map(Figure::name).collect())
}

#[test]
fn a_complete_study_has_every_figure() {
    let want = [
        "width-errors",
        "committee-sizes",
        "width-subsets",
        "disagreement",
        "errors",
        "confusion",
        "missed-digits",
        "reliability",
        "rejection",
        "training-loss",
        "validation-error",
        "widths",
        "distortions-sigma",
        "distortions-drawn",
        "path",
    ];
    assert_eq!(names(&complete()), want);
}

#[test]
fn a_study_has_the_figures_that_it_has_something_for() {
    let one = [Column { name: "w14-1", sure: 0.9, wrong: &[3] }];
    let one = study("mnist", "[14, 20]", 2, &one);
    let of_one = names(&one);
    for missing in ["committee-sizes", "disagreement", "width-subsets", "training-loss", "validation-error"] {
        assert!(!of_one.contains(&missing), "{of_one:?}");
    }
    assert!(of_one.contains(&"errors") && of_one.contains(&"path"), "{of_one:?}");

    // An unfinished column has metrics alone, and may be writing the next line.
    write_metrics(&one.folder, "w20-1", 1);
    let metrics = one.folder.column(&"w20-1".parse().unwrap()).metrics();
    let whole = std::fs::read_to_string(&metrics).unwrap();
    std::fs::write(&metrics, whole + "{\"epoch\":2,").unwrap();
    assert!(names(&one).contains(&"training-loss"));

    // Nothing is wrong: nothing to show.
    let perfect =
        [Column { name: "w14-1", sure: 0.9, wrong: &[] }, Column { name: "w20-1", sure: 0.9, wrong: &[] }];
    let perfect = names(&study("fashion-mnist", "[14, 20]", 1, &perfect));
    for missing in ["errors", "confusion", "rejection"] {
        assert!(!perfect.contains(&missing), "{perfect:?}");
    }
}

#[test]
fn of_many_widths_four_are_in_the_diagram() {
    const NAMES: [&str; 8] = ["w4-1", "w5-1", "w6-1", "w7-1", "w8-1", "w9-1", "w10-1", "w11-1"];
    let columns = |n: usize| {
        NAMES[..n].iter().map(|name| Column { name, sure: 0.9, wrong: &[3, 50] }).collect::<Vec<_>>()
    };
    let five = study("mnist", "[4, 5, 6, 7, 8]", 1, &columns(5));
    with_report(&five, |report| {
        let subsets = report.figures().find(|figure| figure.name() == "width-subsets").unwrap();
        assert!(
            subsets.description().contains("5 + 6 + 7 + 8: 2.") && !subsets.description().contains("4 + ")
        );
    });
    // The subsets of eight widths are too many to be in a summary, which widths miss what is not.
    let eight = names(&study("mnist", "[4, 5, 6, 7, 8, 9, 10, 11]", 1, &columns(8)));
    assert!(!eight.contains(&"width-subsets") && eight.contains(&"missed-digits"), "{eight:?}");
}

#[test]
fn weights_that_cannot_be_read_are_named() {
    let made_up = complete();
    let (summary, digits) = (summary(&made_up), digits());
    let path = made_up.folder.column(&"w14-1".parse().unwrap()).weights();
    std::fs::write(&path, "no weights").unwrap();
    let evidence = Evidence::new(&summary, &made_up.folder, &digits).unwrap();
    let error = report::Report::draw(&evidence).unwrap_err();
    assert!(error.to_string().starts_with(&format!("{}: ", path.display())), "{error}");
}

#[test]
fn digits_of_another_number_are_refused() {
    let made_up = complete();
    let (summary, digits) = (summary(&made_up), mnist_data::Data::sample());
    let error = Evidence::new(&summary, &made_up.folder, &digits).unwrap_err().to_string();
    let want = "probabilities of 200 digits, but the data set has 100: they belong to another data set";
    assert_eq!(error, format!("{}: {want}", made_up.folder.root().display()));
}

/// What every figure is: a whole SVG file with words for those who cannot see it, that fetches nothing and has no number
/// that is none.
#[test]
fn every_figure_is_a_file_of_its_own() {
    with_report(&complete(), |report| {
        for figure in report.figures() {
            let (name, svg) = (figure.name(), figure.svg());
            let document = Document::parse(&svg).unwrap_or_else(|error| panic!("{name}: {error}"));
            let root = document.root_element();
            assert_eq!((root.tag_name().name(), root.attribute("role")), ("svg", Some("img")), "{name}");
            for (tag, words) in [("title", figure.title()), ("desc", figure.description())] {
                let element = root.children().find(|child| child.has_tag_name((SVG, tag))).unwrap();
                assert!(!words.is_empty() && element.text() == Some(words), "{name}: {tag}");
                assert!(
                    root.attribute("aria-labelledby").unwrap().contains(element.attribute("id").unwrap())
                );
            }
            assert!(!figure.caption().is_empty(), "{name}");
            let mut ids = HashSet::new();
            for node in document.descendants() {
                assert!(node.attribute("id").is_none_or(|id| ids.insert(id)), "{name}");
                for attribute in node.attributes() {
                    let value = attribute.value();
                    assert!(!value.contains("NaN") && !value.contains("inf"), "{name}: {attribute:?}");
                    if attribute.name() == "href" {
                        assert!(value.starts_with("data:image/png;base64,"), "{name}: {value}");
                    }
                }
            }
            assert!(svg.len() < 400_000, "{name}: {} bytes", svg.len());
        }
    });
}

const SVG: &str = "http://www.w3.org/2000/svg";

#[test]
fn the_same_study_gives_the_same_bytes() {
    let made_up = complete();
    assert!(html(&made_up) == html(&made_up));
}
