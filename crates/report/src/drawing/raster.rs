//! Figures as PNG, for programs that take no SVG.

use std::sync::Arc;

use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb::Database};

use super::figure::Figure;

/// Width of a PNG in pixels.
const WIDTH_PX: f32 = 1600.0;

/// Draws figures as pixels, with the fonts of this system.
pub(crate) struct Rasterizer {
    fonts: Arc<Database>,
}

impl Rasterizer {
    /// Looks for the system's fonts; `None` where there are none, so figures would lose their words.
    pub(crate) fn new() -> Option<Self> {
        let mut fonts = Database::new();
        fonts.load_system_fonts();
        let family = fonts.faces().find_map(|face| face.families.first()).map(|(name, _)| name.clone())?;
        // The database has a name for `sans-serif`, but no system must have a font of that name.
        let known = ["DejaVu Sans", "Liberation Sans", "Noto Sans", "Helvetica", "Arial", "Segoe UI"];
        let is_there = |name: &&str| {
            fonts.faces().any(|face| face.families.iter().any(|(family, _)| family.as_str() == *name))
        };
        let chosen = known.iter().copied().find(is_there).map_or(family, ToOwned::to_owned);
        fonts.set_sans_serif_family(chosen);
        Some(Self { fonts: Arc::new(fonts) })
    }

    /// A PNG file of a figure on light paper; `None` when it cannot be drawn, which a figure of this crate can.
    pub(crate) fn png(&self, figure: &Figure) -> Option<Vec<u8>> {
        let options = Options { fontdb: Arc::clone(&self.fonts), ..Options::default() };
        let tree = Tree::from_str(&figure.plain_svg(), &options).ok()?;
        let scale = WIDTH_PX / tree.size().width();
        let height_px = (tree.size().height() * scale).ceil();
        let mut pixels = Pixmap::new(WIDTH_PX as u32, height_px as u32)?;
        pixels.fill(Color::WHITE);
        resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
        pixels.encode_png().ok()
    }
}
