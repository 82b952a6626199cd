//! The page and the files around it.

use std::fs;

use report::{Evidence, Pixels, Report};

use crate::evidence::{complete, digits, html, summary, with_report};
use crate::made_up::{Column, study};

/// Bytes that a page may have.
const MAX_BYTES: usize = 3 << 20;

/// The text of every element with this name, in order.
fn texts(html: &str, tag: &str) -> Vec<String> {
    let (begin, end) = (format!("<{tag}"), format!("</{tag}>"));
    let parts = html.split(&begin).skip(1);
    let inner = parts.filter_map(|part| Some(part.split_once('>')?.1.split_once(&end)?.0));
    inner.map(ToOwned::to_owned).collect()
}

#[test]
fn the_page_says_what_was_found_and_holds_everything() {
    let made_up = complete();
    let page = html(&made_up);
    assert_eq!(texts(&page, "h1"), ["A committee of 8 columns misclassifies 0.50\u{a0}% of 200 test digits"]);
    let headings = texts(&page, "h2");
    let want = ["Columns and committees", "Errors", "Training", "From a digit to an answer", "Tables"];
    assert_eq!(headings, want);
    for part in ["<figcaption>", "<figure ", "<svg "] {
        assert_eq!(page.matches(part).count(), 15, "{part}");
    }
    // As many tables as the Markdown has.
    let markdown = report::markdown(&summary(&made_up), report::Listing::Full);
    let n_tables = markdown.lines().filter(|line| line.starts_with("| -")).count();
    assert_eq!(page.matches("<table>").count(), n_tables);
    assert!(n_tables > 3 && page.len() < MAX_BYTES);
    assert!(page.contains("has an error of 0.23\u{a0}%"), "the paper’s figure");
}

#[test]
fn the_page_fetches_nothing() {
    let page = html(&complete());
    let without_namespace = page.replace("http://www.w3.org/2000/svg", "");
    for address in ["http://", "https://", "src=\"", "@import", "url("] {
        assert!(!without_namespace.contains(address), "{address}");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn unfinished_and_other_studies_are_told_as_such() {
    let columns = [Column { name: "original-1", sure: 0.9, wrong: &[1] }];
    let made_up = study("fashion-mnist", "[\"original\", 20]", 1, &columns);
    let page = html(&made_up);
    assert_eq!(texts(&page, "h1"), ["One column misclassifies 0.50\u{a0}% of 200 test digits"]);
    assert!(page.contains("is about the 1 of 2 columns that are") && page.contains("Missing: w20-1."));
    assert!(!page.contains("The paper’s committee"), "figures of others are about other digits");
}

#[test]
fn a_column_that_is_its_widths_committee_is_drawn_once() {
    let columns = ["w14-1", "w20-1"].map(|name| Column { name, sure: 0.9, wrong: &[1] });
    let page = html(&study("mnist", "[14, 20]", 1, &columns));
    assert!(!page.contains("committee of the width") && page.contains("the only one of its width"));
    assert!(html(&complete()).contains("committee of the width"));
}

#[test]
fn a_studys_own_words_are_text() {
    let made_up = complete();
    let mut summary = summary(&made_up);
    let evil = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&";
    summary.manifest.config.name = evil.to_owned();
    summary.kinds[0].kind = evil.to_owned();
    summary.training.machines =
        vec![format!("{evil} [x](http://example.org) ![y](http://example.org/y.png)")];
    summary.training.programs = vec![evil.to_owned()];
    let digits = digits();
    let evidence = Evidence::new(&summary, &made_up.folder, &digits).unwrap();
    let page = Report::draw(&evidence).unwrap().html();
    for refused in ["<script>alert", "<img", "href=\"http"] {
        assert!(!page.contains(refused), "{refused}");
    }
    assert!(page.contains("&#60;script&#62;alert(1)") && page.contains("&lt;script&gt;alert(1)"));
}

#[test]
fn files_are_written_and_old_figures_go() {
    let made_up = complete();
    let folder = &made_up.folder;
    let svg = |name: &str| folder.figures().join(format!("{name}.svg"));
    fs::create_dir_all(folder.figures()).unwrap();
    // The user's own file stays.
    for name in ["errors.png", "mine.svg"] {
        fs::write(folder.figures().join(name), "old").unwrap();
    }
    with_report(&made_up, |report| report.write(folder, Pixels::None).unwrap());
    let page = fs::read_to_string(folder.report_page_path()).unwrap();
    assert_eq!(page, html(&made_up));
    let markdown = fs::read_to_string(folder.report_markdown_path()).unwrap();
    assert_eq!(markdown, report::markdown(&summary(&made_up), report::Listing::Full));
    assert_eq!(report::read_summary(folder).unwrap().unwrap(), summary(&made_up));
    assert!(svg("errors").is_file() && svg("mine").is_file());
    assert!(!folder.figures().join("errors.png").exists());

    // What the study has nothing for any more.
    for id in ["w14-1", "w14-2", "w16-1", "w16-2"] {
        fs::remove_file(folder.column(&id.parse().unwrap()).record()).unwrap();
    }
    with_report(&made_up, |report| report.write(folder, Pixels::None).unwrap());
    assert!(svg("errors").is_file() && !svg("width-subsets").exists());
    let names = fs::read_dir(folder.figures()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(
        names.into_iter().all(|name| !name.to_string_lossy().starts_with('.')),
        "nothing temporary stays"
    );
}

#[test]
fn figures_are_drawn_as_pixels_too() {
    let made_up = complete();
    let written = with_report(&made_up, |report| report.write(&made_up.folder, Pixels::Png));
    match written {
        Err(report::ReportError::NoFont) => {
            eprintln!("skipped: no font is installed, so there are no PNGs to look at");
            return;
        }
        written => written.unwrap(),
    }
    for entry in fs::read_dir(made_up.folder.figures()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "png") {
            let mut reader = png::Decoder::new(std::io::BufReader::new(fs::File::open(&path).unwrap()))
                .read_info()
                .unwrap();
            let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
            reader.next_frame(&mut pixels).unwrap();
            let n_inked = pixels.chunks(4).filter(|pixel| pixel[0] < 128).count();
            assert!(n_inked > 500, "{}: {n_inked} dark pixels", path.display());
        }
    }
}
