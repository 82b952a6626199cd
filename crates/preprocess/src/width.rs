//! The widths digits are normalized to: the paper's "preprocessors".

use std::fmt;
use std::str::FromStr;

use crate::PreprocessError;
use crate::limits::{MAX_WIDTH_PX, MIN_WIDTH_PX};

/// A width that digits are normalized to before training: the original one, or a number of pixels.
///
/// Text form (`Display`, `FromStr`): `original`, `14`. With the feature `serde`: the string `"original"` or the
/// number `14` (a string `"14"` is read too, so that a width can be the key of a JSON object).
/// `Original` sorts before every number of pixels.
///
/// ```
/// use preprocess::Width;
/// let width = Width::try_from(14)?;
/// assert_eq!(width.pixels(), Some(14));
/// assert_eq!("original".parse(), Ok(Width::ORIGINAL));
/// assert_eq!(Width::try_from(99).unwrap_err().to_string(), "width 99 is out of range: 4 to 28 pixels, or \"original\"");
/// # Ok::<(), preprocess::PreprocessError>(())
/// ```
///
/// # Source
/// Cireşan, Meier, Schmidhuber 2012, MNIST section: `ORIGINAL` and 10, 12, 14, 16, 18, 20 pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Width {
    /// The digit as it is, only padded to the canvas.
    Original,
    /// The digit's bounding box resampled to this many pixels.
    Pixels(WidthPx),
}

/// A width of [`Width::MIN_PX`] to [`Width::MAX_PX`] pixels; made by [`Width::try_from`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WidthPx(u8);

impl WidthPx {
    /// The width in pixels.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Width {
    /// The digit as it is, only padded to the canvas.
    pub const ORIGINAL: Self = Self::Original;
    /// Smallest width, in pixels: about a stroke's thickness in MNIST, below it no digit is left.
    pub const MIN_PX: u8 = MIN_WIDTH_PX;
    /// Largest width, in pixels: that of an MNIST image.
    pub const MAX_PX: u8 = MAX_WIDTH_PX;

    /// The width in pixels, `None` for the original one.
    #[must_use]
    pub const fn pixels(self) -> Option<u8> {
        match self {
            Self::Original => None,
            Self::Pixels(px) => Some(px.0),
        }
    }

    fn from_number(px: i128) -> Result<Self, PreprocessError> {
        match u8::try_from(px) {
            Ok(px) if (Self::MIN_PX..=Self::MAX_PX).contains(&px) => Ok(Self::Pixels(WidthPx(px))),
            _ => Err(PreprocessError::WidthRange { got: px }),
        }
    }
}

impl TryFrom<u8> for Width {
    type Error = PreprocessError;

    /// # Errors
    /// [`PreprocessError::WidthRange`] outside [`Width::MIN_PX`]`..=`[`Width::MAX_PX`].
    fn try_from(px: u8) -> Result<Self, Self::Error> {
        Self::from_number(i128::from(px))
    }
}

impl FromStr for Width {
    type Err = PreprocessError;

    /// Reads `original` or a whole number of pixels.
    ///
    /// # Errors
    /// [`PreprocessError::WidthText`] for other text, [`PreprocessError::WidthRange`] for a number out of range.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "original" {
            return Ok(Self::Original);
        }
        match text.parse() {
            Ok(px) => Self::from_number(px),
            Err(_) => Err(PreprocessError::WidthText { got: text.to_owned() }),
        }
    }
}

impl fmt::Display for Width {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Original => f.pad("original"),
            Self::Pixels(px) => fmt::Display::fmt(&px.0, f),
        }
    }
}

#[cfg(feature = "serde")]
mod with_serde {
    use std::fmt;

    use serde::de::{Error, Visitor};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Width;
    use crate::PreprocessError;

    impl Serialize for Width {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match self.pixels() {
                None => serializer.serialize_str("original"),
                Some(px) => serializer.serialize_u8(px),
            }
        }
    }

    impl<'de> Deserialize<'de> for Width {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct WidthVisitor;

            impl Visitor<'_> for WidthVisitor {
                type Value = Width;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write!(f, "a width of {} to {} pixels, or \"original\"", Width::MIN_PX, Width::MAX_PX)
                }

                fn visit_i64<E: Error>(self, px: i64) -> Result<Width, E> {
                    Width::from_number(px.into()).map_err(E::custom)
                }

                fn visit_u64<E: Error>(self, px: u64) -> Result<Width, E> {
                    Width::from_number(px.into()).map_err(E::custom)
                }

                fn visit_str<E: Error>(self, text: &str) -> Result<Width, E> {
                    text.parse().map_err(|err: PreprocessError| E::custom(err))
                }
            }

            deserializer.deserialize_any(WidthVisitor)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_and_original_sorts_first() {
        let mut widths: Vec<Width> = (4..=28).rev().map(|px| Width::try_from(px).unwrap()).collect();
        widths.push(Width::ORIGINAL);
        widths.sort();
        assert_eq!(widths[0], Width::Original);
        assert_eq!(widths[1].pixels(), Some(4));
        for width in widths {
            assert_eq!(width.to_string().parse(), Ok(width));
        }
    }

    #[track_caller]
    fn check_refused(text: &str, want: &str) {
        assert_eq!(text.parse::<Width>().unwrap_err().to_string(), want);
    }

    #[test]
    fn wrong_widths_are_named() {
        check_refused("3", "width 3 is out of range: 4 to 28 pixels, or \"original\"");
        check_refused("29", "width 29 is out of range: 4 to 28 pixels, or \"original\"");
        check_refused("-14", "width -14 is out of range: 4 to 28 pixels, or \"original\"");
        check_refused("wide", "\"wide\" is not a width: expected 4 to 28 pixels, or \"original\"");
        check_refused("14.5", "\"14.5\" is not a width: expected 4 to 28 pixels, or \"original\"");
        check_refused("Original", "\"Original\" is not a width: expected 4 to 28 pixels, or \"original\"");
    }

    #[test]
    fn display_honours_padding() {
        assert_eq!(format!("{:>9}|{:>3}", Width::ORIGINAL, Width::try_from(7).unwrap()), " original|  7");
    }
}
