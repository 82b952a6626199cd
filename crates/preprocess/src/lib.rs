//! Width normalization and elastic distortion of digit images, in parallel and reproducible
