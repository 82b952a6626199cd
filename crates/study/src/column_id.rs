//! The names of columns: `w14-2`, `original-5`.

use std::fmt;
use std::str::FromStr;

use preprocess::Width;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Which column of a study: its width, and its number among the columns of that width.
///
/// Text form (`Display`, `FromStr`, serde): `w14-2` is the second column of width 14, `original-5` the fifth
/// of the original width. Every column has exactly one text, which is also the name of its folder. Columns
/// sort by width, then number.
///
/// ```
/// use study::ColumnId;
/// let column: ColumnId = "w14-2".parse()?;
/// assert_eq!((column.width.pixels(), column.number), (Some(14), 2));
/// assert_eq!(column.to_string(), "w14-2");
/// # Ok::<(), study::ColumnIdError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnId {
    /// The width its digits are normalized to.
    pub width: Width,
    /// Its number among the columns of this width, counted from 1.
    pub number: u16,
}

impl ColumnId {
    /// The column's coordinate in the streams of random numbers: the width in pixels (0 for the original one)
    /// in the upper 16 bits, the number in the lower.
    #[must_use]
    pub fn coordinate(self) -> u32 {
        let width_px = self.width.pixels().unwrap_or(0);
        (u32::from(width_px) << 16) | u32::from(self.number)
    }
}

impl fmt::Display for ColumnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { width, number } = self;
        f.pad(&match width {
            Width::Original => format!("original-{number}"),
            Width::Pixels(px) => format!("w{}-{number}", px.get()),
        })
    }
}

/// A text that names no column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {got:?}, expected a name like \"w14-2\" or \"original-5\", numbers from 1")]
pub struct ColumnIdError {
    got: String,
}

impl FromStr for ColumnId {
    type Err = ColumnIdError;

    /// # Errors
    /// [`ColumnIdError`] for every text that [`Display`](fmt::Display) does not write, `w014-2` and `w14-0`
    /// among them.
    fn from_str(text: &str) -> Result<Self, ColumnIdError> {
        read(text).ok_or_else(|| ColumnIdError { got: text.to_owned() })
    }
}

fn read(text: &str) -> Option<ColumnId> {
    let (width, number) = text.rsplit_once('-')?;
    let width = match width.strip_prefix('w') {
        Some(px) => Width::try_from(px.parse::<u8>().ok()?).ok()?,
        None if width == "original" => Width::ORIGINAL,
        None => return None,
    };
    let column = ColumnId { width, number: number.parse().ok()? };
    // One text a column: a sign or a leading zero does not come back.
    (column.number > 0 && column.to_string() == text).then_some(column)
}

impl Serialize for ColumnId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ColumnId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_column() -> impl Strategy<Value = ColumnId> {
        let width = prop_oneof![Just(0u8), Width::MIN_PX..=Width::MAX_PX];
        (width, 1u16..).prop_map(|(px, number)| ColumnId {
            width: if px == 0 { Width::ORIGINAL } else { Width::try_from(px).unwrap() },
            number,
        })
    }

    proptest! {
        #[test]
        fn names_come_back_and_coordinates_differ(a in any_column(), b in any_column()) {
            prop_assert_eq!(a.to_string().parse(), Ok(a));
            prop_assert_eq!(a.coordinate() == b.coordinate(), a == b);
            let json = serde_json::to_string(&a).unwrap();
            prop_assert_eq!(&json, &format!("\"{a}\""));
            prop_assert_eq!(serde_json::from_str::<ColumnId>(&json).unwrap(), a);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        let wrong = [
            "",
            "-",
            "14-2",
            "w14",
            "w14-",
            "w14-0",
            "w014-2",
            "w14-02",
            "w+14-2",
            "w14-+2",
            "w3-1",
            "w29-1",
            "w99-1",
            "w14-65536",
            "original",
            "original-0",
            "Original-1",
            "w14-2 ",
            " w14-2",
            "w14--2",
            "w-1",
        ];
        for text in wrong {
            assert!(text.parse::<ColumnId>().is_err(), "{text:?}");
        }
        assert_eq!(
            "w99-1".parse::<ColumnId>().unwrap_err().to_string(),
            "column \"w99-1\", expected a name like \"w14-2\" or \"original-5\", numbers from 1"
        );
    }

    #[test]
    fn coordinates_are_pinned() {
        let coordinate = |text: &str| text.parse::<ColumnId>().unwrap().coordinate();
        assert_eq!(coordinate("original-5"), 5);
        assert_eq!(coordinate("w14-2"), (14 << 16) | 2);
        assert_eq!(coordinate("w28-65535"), (28 << 16) | 65_535);
    }

    #[test]
    fn columns_sort_by_width_then_number() {
        let mut columns: Vec<ColumnId> =
            ["w14-10", "w14-2", "original-1", "w10-1"].map(|text| text.parse().unwrap()).to_vec();
        columns.sort();
        assert_eq!(
            columns.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["original-1", "w10-1", "w14-2", "w14-10"]
        );
    }
}
