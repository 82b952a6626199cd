//! One digit's path through one column: the maps of each stage.

use ciresan_net::Layer;
use ciresan_net::reference::{LayerTrace, Reference, Trace};
use preprocess::{CANVAS_PX, normalize, scale_to_input};
use serde::Serialize;
use study::ColumnId;

use super::ready::{Ready, SCHEMA, digit};
use super::refused::Refused;

/// What one column makes of a digit, stage by stage.
#[derive(Debug, Serialize)]
pub(super) struct Maps {
    schema: u32,
    column: String,
    /// All but the last, which gives the probabilities.
    stages: Vec<Stage>,
    /// Of the digits 0 to 9.
    probabilities: Vec<f64>,
}

/// The outputs of one stage.
#[derive(Debug, Serialize)]
struct Stage {
    name: String,
    maps: usize,
    height: usize,
    width: usize,
    /// The largest absolute value.
    largest: f64,
    /// Each map's rows, one after the other: -127 to 127 where `largest` is 127.
    values: Vec<i8>,
}

/// Computes the column plainly, in f64.
///
/// # Errors
/// For a column that is not there, and a digit that is none.
pub(super) fn maps(ready: &Ready, column: &str, bytes: &[u8]) -> Result<Maps, Refused> {
    let digit = digit(bytes)?;
    let id = column.parse::<ColumnId>().ok().filter(|id| ready.classifier.columns().contains(id));
    let Some(id) = id else {
        return Err(Refused::unfit(format!("{column}: the study has no finished column of this name")));
    };
    let failure = |error: &dyn std::fmt::Display| Refused::failure(error.to_string());
    let canvas = normalize(digit, id.width, [CANVAS_PX; 2]).map_err(|error| failure(&error))?;
    let canvas: Vec<u8> = canvas.into_iter().collect();
    let mut input = vec![0.0; canvas.len()];
    scale_to_input(&canvas, &mut input).map_err(|error| failure(&error))?;
    let finished = ready.found.folder.finished_column(&ready.found.manifest, id);
    let weights = finished.and_then(|column| column.weights()).map_err(|error| failure(&error))?;

    let wide = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect::<Vec<_>>();
    let network = &ready.found.study.network;
    let reference = Reference::new(network, ready.found.study.activation);
    let Trace { layers, probabilities, .. } = reference.forward(&wide(weights.values()), &wide(&input));
    let n_shown = layers.len().saturating_sub(1);
    let outputs = network.layers().iter().zip(network.shapes()).zip(&layers);
    let stages = outputs.take(n_shown).map(|((layer, shape), trace)| {
        let name = match layer {
            Layer::Convolution { maps, .. } => format!("{maps} maps of {} × {}", shape.height, shape.width),
            Layer::MaxPooling { size } => format!("their maxima, {size} × {size}"),
            Layer::Dense { neurons } => format!("{neurons} neurons"),
        };
        let (largest, values) = scaled(trace);
        Stage { name, maps: shape.maps, height: shape.height, width: shape.width, largest, values }
    });
    let stages = stages.collect();
    Ok(Maps { schema: SCHEMA, column: id.to_string(), stages, probabilities })
}

/// The largest absolute value, and all as shares of it, of 127.
fn scaled(trace: &LayerTrace) -> (f64, Vec<i8>) {
    let largest = trace.outputs.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    let unit = if largest > 0.0 { largest } else { 1.0 };
    (largest, trace.outputs.iter().map(|value| (127.0 * value / unit).round() as i8).collect())
}
