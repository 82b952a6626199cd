//! One digit's path through a trained column: every map and every filter.

use ciresan_net::reference::{LayerTrace, Reference, Trace};
use ciresan_net::{Layer, Network, Parameters, Shape};
use ndarray::{Array2, ArrayView2, Axis};
use preprocess::{CANVAS_PX, normalize, scale_to_input};
use study::ColumnId;

use super::drawn::{DrawError, Drawn};
use crate::drawing::figure::{Figure, Span, Words};
use crate::drawing::palette::{MAIN, MUTED};
use crate::drawing::picture::{Image, Picture, Rectangle, Text};
use crate::drawing::pixels;
use crate::evidence::{Evidence, named};

/// Width of the drawing.
const WIDTH: f64 = 1000.0;
/// Width of the words at the left.
const LABELS: f64 = 166.0;
/// Height of text.
const TEXT: f64 = 14.0;
/// Between layers.
const GAP: f64 = 14.0;
/// Most maps in a row.
const MAPS_IN_A_ROW: usize = 20;
/// Largest side of a map or filter.
const MAX_SIDE: f64 = 76.0;
/// Clear pixels between maps or filters.
const GAP_PX: usize = 1;

/// The first digit through the first finished column.
pub(super) fn draw(name: &'static str, evidence: &Evidence<'_>) -> Drawn {
    let Some(&column) = evidence.summary.finished.first() else { return Ok(None) };
    let walk = Walk::of(evidence, column)?;
    let mut canvas = Canvas { picture: Picture::default(), y: 0.0 };
    canvas.input(&walk);
    let (mut shape, mut n_convs) = (walk.network.input(), 0);
    for (index, (layer, trace)) in walk.network.layers().iter().zip(&walk.layers).enumerate() {
        let output = walk.network.shapes()[index];
        match layer {
            Layer::Convolution { kernel, maps } => {
                n_convs += 1;
                canvas.filters(&walk, n_convs, *kernel, [*maps, shape.maps]);
                canvas.maps(&format!("{maps} maps of {}×{}", output.height, output.width), output, trace);
            }
            Layer::MaxPooling { size } => {
                canvas.maps(&format!("maxima of {size}×{size}"), output, trace);
            }
            Layer::Dense { neurons } if index + 1 < walk.layers.len() => {
                canvas.neurons(&format!("{neurons} neurons"), trace);
            }
            Layer::Dense { .. } => canvas.probabilities(&walk.probabilities),
        }
        shape = output;
    }
    let drawing = canvas.picture.drawn([WIDTH, canvas.y - GAP]);

    let label = evidence.labels[0];
    let best = walk.probabilities.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    let (guess, sure) = best.map_or((0, 0.0), |(class, probability)| (class, 100.0 * probability));
    let words = Words {
        title: "A digit’s path through a column".to_owned(),
        caption: format!(
            "The first digit, a {label}, in column {column} ({}, {}): all filters and maps from the input to the ten \
             probabilities. Orange is positive, blue is negative.",
            named(column.width),
            walk.network
        ),
        description: format!(
            "The input, then for each of {n_convs} convolutions its filters, its maps and their maxima, the hidden neurons, and the ten \
             probabilities as bars: the column's answer is {guess} with {sure:.1} %."
        ),
    };
    Ok(Some(Figure::new(name, Span::Whole, words, drawing)))
}

/// Everything a column computes for one digit.
struct Walk<'a> {
    network: &'a Network,
    parameters: Parameters,
    input: Array2<u8>,
    layers: Vec<LayerTrace>,
    probabilities: Vec<f64>,
}

impl<'a> Walk<'a> {
    /// The first digit's.
    fn of(evidence: &Evidence<'a>, column: ColumnId) -> Result<Self, DrawError> {
        let manifest = &evidence.summary.manifest;
        let parameters = evidence.folder.finished_column(manifest, column)?.weights()?;
        let input = normalize(evidence.digit(0), column.width, [CANVAS_PX; 2])?;
        let pixels: Vec<u8> = input.iter().copied().collect();
        let mut image = vec![0.0; pixels.len()];
        scale_to_input(&pixels, &mut image)?;
        let wide = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect::<Vec<_>>();
        let network = &manifest.config.network;
        let reference = Reference::new(network, manifest.config.activation);
        let Trace { layers, probabilities, .. } =
            reference.forward(&wide(parameters.values()), &wide(&image));
        Ok(Self { network, parameters, input, layers, probabilities })
    }
}

/// Layers below each other.
struct Canvas {
    picture: Picture,
    y: f64,
}

impl Canvas {
    fn input(&mut self, walk: &Walk<'_>) {
        self.label("input", MAX_SIDE);
        let href = pixels::ink(walk.input.view());
        self.picture.images.push(Image {
            x: LABELS,
            y: self.y,
            width: MAX_SIDE,
            height: MAX_SIDE,
            href,
            is_ink: true,
            is_crisp: true,
        });
        self.y += MAX_SIDE + GAP;
    }

    /// A row for each input map, with a filter for each output map; one row where there is one input map.
    fn filters(&mut self, walk: &Walk<'_>, conv: usize, kernel: usize, [maps, inputs]: [usize; 2]) {
        let Some(weights) = walk.parameters.get(&format!("conv{conv}.weight")) else { return };
        let filter = |map: usize, input: usize| {
            let start = (map * inputs + input) * kernel * kernel;
            ArrayView2::from_shape([kernel; 2], &weights[start..start + kernel * kernel])
                .expect("the layout's shape")
        };
        let tiles: Vec<_> =
            (0..inputs).flat_map(|input| (0..maps).map(move |map| filter(map, input))).collect();
        let each = if inputs > 1 { format!("{maps} × {inputs} filters") } else { format!("{maps} filters") };
        self.tiles(&format!("{each} of {kernel}×{kernel}"), &tiles, maps);
    }

    fn maps(&mut self, label: &str, shape: Shape, trace: &LayerTrace) {
        let values: Vec<f32> = trace.outputs.iter().map(|&value| value as f32).collect();
        let maps = ndarray::ArrayView3::from_shape([shape.maps, shape.height, shape.width], &values)
            .expect("the layer's shape");
        let tiles: Vec<_> = maps.axis_iter(Axis(0)).collect();
        self.tiles(label, &tiles, MAPS_IN_A_ROW);
    }

    fn neurons(&mut self, label: &str, trace: &LayerTrace) {
        let values: Vec<f32> = trace.outputs.iter().map(|&value| value as f32).collect();
        let tiles: Vec<_> = values
            .iter()
            .map(|value| ArrayView2::from_shape([1, 1], std::slice::from_ref(value)).expect("one value"))
            .collect();
        self.tiles(label, &tiles, 50);
    }

    fn tiles(&mut self, label: &str, tiles: &[ArrayView2<'_, f32>], in_a_row: usize) {
        let values = || tiles.iter().flat_map(|tile| tile.iter().map(|value| value.abs()));
        let largest = values().fold(f32::MIN_POSITIVE, f32::max);
        let picture = pixels::mosaic(tiles, in_a_row, GAP_PX, 0.0);
        let (height_px, width_px) = picture.dim();
        let (_, tile_px) = tiles.first().map_or((1, 1), |tile| tile.dim());
        let scale = ((WIDTH - LABELS) / width_px as f64).min(MAX_SIDE / tile_px as f64).min(10.0);
        let (width, height) = (width_px as f64 * scale, height_px as f64 * scale);
        self.label(label, height);
        let href = pixels::signed(picture.view(), largest);
        self.picture.images.push(Image {
            x: LABELS,
            y: self.y,
            width,
            height,
            href,
            is_ink: false,
            is_crisp: true,
        });
        self.y += height + GAP;
    }

    fn probabilities(&mut self, probabilities: &[f64]) {
        let height = 64.0;
        self.label("probabilities", height + TEXT);
        let step = (WIDTH - LABELS) / probabilities.len() as f64;
        for (class, &probability) in probabilities.iter().enumerate() {
            let x = LABELS + class as f64 * step;
            let tall = (height * probability).max(1.0);
            self.picture.rectangles.push(Rectangle {
                x,
                y: self.y + height - tall,
                width: step * 0.7,
                height: tall,
                role: MAIN,
                opacity: 1.0,
            });
            self.picture.texts.push(
                Text::new(x + step * 0.35, self.y + height + TEXT + 2.0, TEXT, class.to_string()).centered(),
            );
        }
        self.y += height + TEXT + 6.0 + GAP;
    }

    fn label(&mut self, words: &str, height: f64) {
        self.picture.texts.push(
            Text::new(0.0, self.y + height.min(MAX_SIDE) / 2.0 + TEXT * 0.35, TEXT, words).in_role(MUTED),
        );
    }
}
