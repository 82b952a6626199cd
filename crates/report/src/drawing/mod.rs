//! What figures are drawn with: colours, charts with axes, pictures of digits, and the file around them.

pub(crate) mod chart;
pub(crate) mod figure;
pub(crate) mod heat_map;
pub(crate) mod palette;
pub(crate) mod picture;
pub(crate) mod pixels;
pub(crate) mod raster;
pub(crate) mod scale;
