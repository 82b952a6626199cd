//! The colours of figures, each for light and for dark paper.
//!
//! A figure is drawn in the colours for light paper; every coloured attribute also gets a class, by which a style sheet
//! puts the dark colours in their place. So a figure needs no script, and a program that knows no style sheets
//! (a converter to PNG, an old viewer) draws it for light paper.

use plotters::style::RGBColor;

/// One colour: what it is for, and its value on light and on dark paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Role {
    /// Its name in style sheets: `--ink`, and the classes `f-ink` (fill) and `s-ink` (stroke).
    name: &'static str,
    light: [u8; 3],
    dark: [u8; 3],
}

/// Text.
pub(crate) const INK: Role = Role { name: "ink", light: [0x1d, 0x1f, 0x21], dark: [0xea, 0xe8, 0xe3] };
/// Text and lines of less weight.
pub(crate) const MUTED: Role = Role { name: "muted", light: [0x5b, 0x60, 0x66], dark: [0xa6, 0xab, 0xb0] };
/// Lines that only guide the eye.
pub(crate) const GRID: Role = Role { name: "grid", light: [0xdc, 0xde, 0xe0], dark: [0x34, 0x39, 0x3e] };
/// The paper itself.
pub(crate) const PAPER: Role = Role { name: "paper", light: [0xff, 0xff, 0xff], dark: [0x14, 0x17, 0x1a] };

/// Colours that tell series apart, for people with any kind of colour vision.
///
/// # Source
/// Okabe and Ito, *Color Universal Design* (2008), without its yellow, and with shades moved until each has a contrast
/// of 3 to its paper, as the WCAG ask of graphics.
pub(crate) const SERIES: [Role; 7] = [
    Role { name: "black", light: [0x46, 0x48, 0x4c], dark: [0xc9, 0xcb, 0xce] },
    Role { name: "orange", light: [0xbd, 0x7d, 0x00], dark: [0xe6, 0x9f, 0x00] },
    Role { name: "sky", light: [0x36, 0x97, 0xd2], dark: [0x7c, 0xc6, 0xf0] },
    Role { name: "green", light: [0x00, 0x97, 0x6e], dark: [0x22, 0xb8, 0x8e] },
    Role { name: "blue", light: [0x00, 0x5f, 0x9e], dark: [0x4d, 0x92, 0xd9] },
    Role { name: "vermilion", light: [0xd0, 0x58, 0x00], dark: [0xea, 0x77, 0x3c] },
    Role { name: "purple", light: [0xb3, 0x58, 0x8f], dark: [0xdb, 0x8f, 0xbb] },
];

/// The colour of what a figure is about.
pub(crate) const MAIN: Role = SERIES[4];
/// The colour of what it is compared with.
pub(crate) const OTHER: Role = SERIES[5];

/// The strongest tint of [`MAIN`] that text in [`INK`] can be read on; a heat map's largest value.
pub(crate) const MAX_TINT: f64 = 0.5;

impl Role {
    /// The colour for light paper, to draw with.
    pub(crate) fn rgb(self) -> RGBColor {
        let [red, green, blue] = self.light;
        RGBColor(red, green, blue)
    }

    /// The colour of the series with this index; beyond the seventh they come again.
    pub(crate) fn of_series(index: usize) -> Self {
        SERIES[index % SERIES.len()]
    }

    /// The colour for light paper as an attribute's value: `#1D1F21`.
    pub(crate) fn hex(self) -> String {
        hex(self.light)
    }
}

fn all() -> impl Iterator<Item = Role> {
    [INK, MUTED, GRID, PAPER].into_iter().chain(SERIES)
}

fn hex([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

/// Gives every fill and stroke in a colour of this palette its class.
pub(crate) fn with_classes(svg: &str) -> String {
    all().fold(svg.to_owned(), |svg, role| {
        let (hex, name) = (role.hex(), role.name);
        svg.replace(&format!("fill=\"{hex}\""), &format!("fill=\"{hex}\" class=\"f-{name}\""))
            .replace(&format!("stroke=\"{hex}\""), &format!("stroke=\"{hex}\" class=\"s-{name}\""))
    })
}

/// The style sheet that turns figures dark where the reader's screen is; paper stays light.
pub(crate) fn style_sheet() -> String {
    let values = |value: fn(Role) -> [u8; 3]| -> String {
        all().map(|role| format!("--{}:{};", role.name, hex(value(role)))).collect()
    };
    let (light, dark) = (values(|role| role.light), values(|role| role.dark));
    let classes: String = all()
        .map(|Role { name, .. }| {
            format!(".f-{name}{{fill:var(--{name})}}.s-{name}{{stroke:var(--{name})}}\n")
        })
        .collect();
    format!(
        ":root{{color-scheme:light dark;{light}}}\n\
         @media screen and (prefers-color-scheme:dark){{:root{{{dark}}}.digits{{filter:invert(1)}}}}\n\
         {classes}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The WCAG's relative luminance.
    fn luminance(rgb: [f64; 3]) -> f64 {
        let linear = rgb.map(|value| {
            let value = value / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }

    fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn papers() -> [fn(Role) -> [f64; 3]; 2] {
        [|role| role.light.map(f64::from), |role| role.dark.map(f64::from)]
    }

    #[test]
    fn text_and_lines_have_the_contrast_that_the_wcag_ask_for() {
        for value in papers() {
            for text in [INK, MUTED] {
                assert!(contrast(value(text), value(PAPER)) >= 4.5, "{text:?}");
            }
            for line in SERIES {
                assert!(contrast(value(line), value(PAPER)) >= 3.0, "{line:?}");
            }
            let mixed = |at: usize| MAX_TINT * value(MAIN)[at] + (1.0 - MAX_TINT) * value(PAPER)[at];
            assert!(contrast(value(INK), [mixed(0), mixed(1), mixed(2)]) >= 4.5);
        }
    }

    #[test]
    fn every_colour_is_one_role_only() {
        let colours: std::collections::HashSet<_> = all().map(|role| role.light).collect();
        assert_eq!(colours.len(), all().count());
    }

    #[test]
    fn coloured_attributes_get_classes_and_others_none() {
        let got = with_classes(r##"<line stroke="#1D1F21"/><text fill="#FFFFFF"/><rect fill="none"/>"##);
        let want = r##"<line stroke="#1D1F21" class="s-ink"/><text fill="#FFFFFF" class="f-paper"/><rect fill="none"/>"##;
        assert_eq!(got, want);
    }
}
