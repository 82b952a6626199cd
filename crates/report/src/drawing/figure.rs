//! One figure: a drawing with its words.

use askama::Template;

use super::palette;

/// A drawing, made to be put into a page or a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Drawing {
    /// Width and height in the drawing's own units.
    pub(crate) size: [u32; 2],
    /// SVG elements in the palette's colours, with their classes.
    pub(crate) body: String,
}

/// How much of a page's width a figure takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Span {
    /// Two stand beside each other where there is room.
    Half,
    /// It takes the whole width, and scrolls by itself where a screen is too narrow for its text.
    Whole,
}

/// A figure of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    name: &'static str,
    title: String,
    caption: String,
    description: String,
    span: Span,
    drawing: Drawing,
}

/// The words of a figure.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Words {
    /// What it shows, in a few words.
    pub(crate) title: String,
    /// How to read it: one to three sentences for everybody.
    pub(crate) caption: String,
    /// What is to be seen, for those who cannot see it.
    pub(crate) description: String,
}

#[derive(Template)]
#[template(path = "figure.svg")]
struct Svg<'a> {
    figure: &'a Figure,
    /// Empty for a figure in a page, which has the styles.
    style_sheet: String,
    /// Width and height for viewers without a page around it, in pixels.
    shown_size: Option<[u32; 2]>,
}

/// Width in pixels that a file is shown in when nothing else is said.
const SHOWN_WIDTH_PX: u32 = 880;

impl Figure {
    pub(crate) fn new(name: &'static str, span: Span, words: Words, drawing: Drawing) -> Self {
        let Words { title, caption, description } = words;
        Self { name, title, caption: unbroken(&caption), description, span, drawing }
    }

    /// Its name: that of its file, without the ending.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it shows, in a few words.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// How to read it.
    #[must_use]
    pub fn caption(&self) -> &str {
        &self.caption
    }

    /// What is to be seen in it, in words.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    pub(crate) fn is_whole_width(&self) -> bool {
        self.span == Span::Whole
    }

    /// An SVG file: light or dark as the reader's screen is, light in print.
    #[must_use]
    pub fn svg(&self) -> String {
        rendered(&Svg {
            figure: self,
            style_sheet: palette::style_sheet(),
            shown_size: Some(self.shown_size()),
        })
    }

    /// An SVG file for light paper alone, for programs that know no style sheets.
    pub(crate) fn plain_svg(&self) -> String {
        rendered(&Svg { figure: self, style_sheet: String::new(), shown_size: Some(self.shown_size()) })
    }

    /// The element for a page that has [`palette::style_sheet`].
    pub(crate) fn inline(&self) -> String {
        rendered(&Svg { figure: self, style_sheet: String::new(), shown_size: None })
    }

    fn shown_size(&self) -> [u32; 2] {
        let [width, height] = self.drawing.size;
        [SHOWN_WIDTH_PX, (SHOWN_WIDTH_PX * height).div_ceil(width)]
    }
}

/// Numbers stay with their signs and units at the end of a line.
pub(crate) fn unbroken(text: &str) -> String {
    text.replace(" ± ", "\u{a0}±\u{a0}").replace(" %", "\u{a0}%")
}

fn rendered(template: &Svg<'_>) -> String {
    template.render().expect("text and numbers are written to memory") + "\n"
}
