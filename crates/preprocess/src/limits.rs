//! The limits that errors name.

/// Largest height and width of images and canvases, in pixels.
///
/// A [`Distorter`](crate::Distorter)'s preparation takes time with the third power of the side: a fraction of a millisecond for 29 pixels, some
/// seconds here.
pub const MAX_SIDE_PX: usize = 512;

/// Least difference between ink and paper, in grey levels of 255: a photograph of empty paper stays below.
pub const MIN_CONTRAST: u8 = 24;

/// Smallest width, in pixels: about a stroke's thickness in MNIST, below it no digit is left.
pub(crate) const MIN_WIDTH_PX: u8 = 4;

/// Largest width, in pixels: that of an MNIST image.
pub(crate) const MAX_WIDTH_PX: u8 = 28;
