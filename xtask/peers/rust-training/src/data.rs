//! First weights, images and labels, the same in every contender.

/// Pixels of a side.
pub const SIDE: usize = 29;
/// Images in memory.
pub const N_IMAGES: usize = 4096;

/// Shape and fan-in of the parameters; the number of one in this list is its stream.
pub const PARAMETERS: [(&[usize], usize); 8] = [
    (&[20, 1, 4, 4], 16),
    (&[20], 16),
    (&[40, 20, 5, 5], 500),
    (&[40], 500),
    (&[150, 360], 360),
    (&[150], 360),
    (&[10, 150], 150),
    (&[10], 150),
];
const IMAGES_STREAM: u64 = 8;
const LABELS_STREAM: u64 = 9;

/// Values of parameter `stream`, row-major: uniform within 1/√fan-in, as PyTorch draws them by default.
pub fn parameter(stream: usize) -> Vec<f32> {
    let (shape, fan_in) = PARAMETERS[stream];
    let bound = (1.0 / fan_in as f64).sqrt() as f32;
    uniform(stream as u64, shape.iter().product()).map(|value| value * bound).collect()
}

/// All images, `[N_IMAGES, SIDE, SIDE]`, in -1..1.
pub fn images() -> Vec<f32> {
    uniform(IMAGES_STREAM, N_IMAGES * SIDE * SIDE).collect()
}

/// A class of 10 for every image.
pub fn labels() -> Vec<u8> {
    hashes(LABELS_STREAM, N_IMAGES).map(|z| ((z >> 32) % 10) as u8).collect()
}

fn uniform(stream: u64, n: usize) -> impl Iterator<Item = f32> {
    hashes(stream, n).map(|z| (z >> 40) as f32 / (1 << 23) as f32 - 1.0)
}

/// The first n numbers of a stream: splitmix64 of (stream, index), so that every language draws the same.
fn hashes(stream: u64, n: usize) -> impl Iterator<Item = u64> {
    (1..=n as u64).map(move |index| {
        let mut z = ((stream << 32) + index).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    })
}
