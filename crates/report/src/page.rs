//! The report as one HTML page that needs nothing else.

use askama::Template;
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

use crate::drawing::figure::{Figure, unbroken};
use crate::drawing::palette;
use crate::figures::Part;
use crate::{Listing, Summary, finding, markdown};

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    name: &'a str,
    finding: String,
    paragraphs: Vec<String>,
    missing: Option<String>,
    key_figures: Vec<(String, String)>,
    sections: Vec<Section<'a>>,
    tables: String,
    palette: String,
    style: &'static str,
    script: &'static str,
}

/// The figures of a part.
struct Section<'a> {
    id: &'static str,
    title: &'static str,
    introduction: &'static str,
    figures: Vec<&'a Figure>,
}

/// A part, its name in addresses, its title, and a sentence or two about it.
const SECTIONS: [(Part, &str, &str, &str); 4] = [
    (
        Part::Committees,
        "committees",
        "Columns and committees",
        "A column is one network, trained on digits normalized to one width. A committee averages the probabilities of several columns; its \
         answer is the most probable digit.",
    ),
    (
        Part::Mistakes,
        "mistakes",
        "Errors",
        "Which digits are misclassified, which columns and widths share these errors, and how well the probabilities predict them.",
    ),
    (Part::Training, "training", "Training", "Measured during training, without using any test digit."),
    (
        Part::Inside,
        "inside",
        "From a digit to an answer",
        "The input of each width, the distortion of training digits, and how a trained column computes its answer.",
    ),
];

/// The page: a finding in plain words, every figure, every table.
pub(crate) fn html(summary: &Summary, figures: &[(Part, Figure)]) -> String {
    let sections = SECTIONS.into_iter().map(|(part, id, title, introduction)| {
        let figures = figures.iter().filter(|(of, _)| *of == part).map(|(_, figure)| figure).collect();
        Section { id, title, introduction, figures }
    });
    let page = Page {
        name: &summary.manifest.config.name,
        finding: unbroken(&finding::headline(summary)),
        paragraphs: finding::paragraphs(summary).iter().map(|text| unbroken(text)).collect(),
        missing: finding::missing(summary),
        key_figures: finding::key_figures(summary),
        sections: sections.filter(|section| !section.figures.is_empty()).collect(),
        tables: tables(&markdown(summary, Listing::Full)),
        palette: palette::style_sheet(),
        style: include_str!("../templates/report.css"),
        script: include_str!("../templates/report.js"),
    };
    page.render().expect("text and numbers are written to memory") + "\n"
}

/// The tables and all else of a report in Markdown. What the study's own words have in the way of tags, links and
/// pictures is text here: a page must not fetch anything.
fn tables(markdown: &str) -> String {
    let lower = |level: HeadingLevel| match level {
        HeadingLevel::H1 => HeadingLevel::H3,
        _ => HeadingLevel::H4,
    };
    let events = Parser::new_ext(markdown, Options::ENABLE_TABLES).flat_map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => vec![Event::Text(text)],
        Event::Start(Tag::Link { .. } | Tag::Image { .. }) | Event::End(TagEnd::Link | TagEnd::Image) => Vec::new(),
        Event::Start(Tag::Heading { level, .. }) => {
            let (id, classes, attrs) = (None, Vec::new(), Vec::new());
            vec![Event::Start(Tag::Heading { level: lower(level), id, classes, attrs })]
        }
        Event::End(TagEnd::Heading(level)) => vec![Event::End(TagEnd::Heading(lower(level)))],
        Event::Start(Tag::Table(_)) => {
            let around = "<div class=\"table\" tabindex=\"0\" role=\"group\" aria-label=\"Table, scrolls sideways on narrow screens\">";
            vec![Event::Html(around.into()), event]
        }
        Event::End(TagEnd::Table) => vec![event, Event::Html("</div>".into())],
        event => vec![event],
    });
    let mut text = String::new();
    html::push_html(&mut text, events);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_study_are_text() {
        let got = tables(
            "# Study <script>alert(1)</script>\n\n- engine: ![x](http://a/b.png) on [y](http://c) <b>\n\n<iframe>\n",
        );
        for refused in ["<script", "<img", "<a ", "<b>", "<iframe", "http:"] {
            assert!(!got.contains(refused), "{refused} in {got}");
        }
        assert!(got.contains("<h3>Study &lt;script&gt;alert(1)&lt;/script&gt;</h3>"), "{got}");
    }

    #[test]
    fn tables_scroll_by_themselves() {
        let got = tables("## A\n\n| a | b |\n| - | -: |\n| 1 | 2 |\n");
        assert!(got.contains("<h4>A</h4>") && got.contains("<div class=\"table\" tabindex=\"0\""), "{got}");
        assert!(
            got.contains("<td style=\"text-align: right\">2</td>") && got.contains("</table>\n</div>"),
            "{got}"
        );
    }
}
