//! Drawings without axes: pictures of digits with words beside them, and ellipses.

use askama::Template;

use super::figure::Drawing;
use super::palette::{INK, Role, with_classes};

/// What stands on a drawing, bottom to top: rectangles, ellipses, images, texts. Places are in the drawing's units,
/// from its upper left corner.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "picture.svg")]
pub(crate) struct Picture {
    pub(crate) rectangles: Vec<Rectangle>,
    pub(crate) ellipses: Vec<Ellipse>,
    pub(crate) images: Vec<Image>,
    pub(crate) texts: Vec<Text>,
}

/// A filled rectangle.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rectangle {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) role: Role,
    pub(crate) opacity: f64,
}

/// An ellipse with a line around a tint of the same colour.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ellipse {
    pub(crate) center: [f64; 2],
    pub(crate) radii: [f64; 2],
    /// Clockwise, as angles in SVG are.
    pub(crate) angle_deg: f64,
    pub(crate) role: Role,
}

/// Pixels.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// From [`pixels`](super::pixels).
    pub(crate) href: String,
    /// Black on clear ground, to be turned white on dark paper.
    pub(crate) is_ink: bool,
    /// Pixels stay squares when enlarged.
    pub(crate) is_crisp: bool,
}

/// A line of text; `x` and `y` are those of its baseline.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) size: f64,
    /// `start` or `middle`: what of the text stands at `x`.
    pub(crate) anchor: &'static str,
    pub(crate) bold: bool,
    pub(crate) role: Role,
    pub(crate) content: String,
}

impl Text {
    /// Ordinary text that begins at `x`.
    pub(crate) fn new(x: f64, y: f64, size: f64, content: impl Into<String>) -> Self {
        Self { x, y, size, anchor: "start", bold: false, role: INK, content: content.into() }
    }

    pub(crate) fn centered(self) -> Self {
        Self { anchor: "middle", ..self }
    }

    pub(crate) fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub(crate) fn in_role(self, role: Role) -> Self {
        Self { role, ..self }
    }
}

impl Picture {
    /// The drawing of this width and height.
    pub(crate) fn drawn(&self, size: [f64; 2]) -> Drawing {
        let body = self.render().expect("text and numbers are written to memory");
        Drawing { size: size.map(|side| side.ceil() as u32), body: with_classes(&body) }
    }
}
