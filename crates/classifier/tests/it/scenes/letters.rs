//! Letters that look like no digit, as strokes.

/// Each letter: strokes with a space between them, a stroke the points it joins: `x`, 0 to 7, and `y`, 0 at the top to 9.
pub(crate) const LETTERS: &[&str] = &[
    "094079 1656",                // A, its feet apart
    "7161402010011317294969",     // C, almost
    "70000979 0454",              // E
    "700009 0454",                // F
    "0009 7079 0474",             // H
    "0009 7004 0479",             // K
    "0900457079",                 // M
    "09007970",                   // N
    "09006071736404",             // P
    "09006071736404 3479",        // R
    "0070 3039",                  // T
    "0006285957697660",           // U, its end bent
    "003970",                     // V
    "001935597 7970",             // W
    "0079 7009",                  // X
    "0034 7034 3439",             // Y
    "0009 0533547579",            // h with a tall stem
    "0309 0533345539 3553637579", // m
    "0309 0533637579",            // n
    "0309 0643537374",            // r
    "0307295957 7379",            // u
    "0339 3973",                  // v
    "03193559 5973",              // w
    "0379 7309",                  // x
    "0009 7304 0479",             // k
    "0070 0909 0079 7009",        // a cross with a bar
];

/// The points of each stroke, `[x, y]`.
pub(crate) fn points(letter: &str) -> Vec<Vec<[f32; 2]>> {
    let number = |byte: u8| f32::from(byte - b'0');
    let stroke = |stroke: &str| {
        stroke.as_bytes().chunks_exact(2).map(|pair| [number(pair[0]), number(pair[1])]).collect()
    };
    letter.split(' ').map(stroke).collect()
}
