//! Between the order of [`Parameters`](ciresan_net::Parameters) and the engine's own.
//!
//! Both keep every tensor at the same place of one flat vector; only the order inside the weights differs. `Parameters` has
//! kernels as maps × inputs × rows × columns and dense weights as outputs × inputs, the first dense layer's inputs being maps ×
//! rows × columns. The engine has kernels as maps × rows × columns × inputs and dense weights as inputs × outputs, the
//! first dense layer's inputs being rows × columns × maps: what its loops run along is contiguous.

use crate::dense::Dense;
use crate::stage::Stage;
use ciresan_net::Shape;

/// `order[i]`: where the engine's `i`th value stands among the parameters; `features` is the last stage's output.
pub(crate) fn order(stages: &[Stage], features: Shape, dense: &[Dense]) -> Vec<usize> {
    let mut order = Vec::new();
    for Stage { geometry: g, .. } in stages {
        let (inputs, kernel, start) = (g.input.maps, g.kernel, order.len());
        for map in 0..g.maps {
            for row in 0..kernel {
                for column in 0..kernel {
                    for i in 0..inputs {
                        order.push(start + ((map * inputs + i) * kernel + row) * kernel + column);
                    }
                }
            }
        }
        order.extend(order.len()..order.len() + g.maps);
    }
    let pixels = features.height * features.width;
    for (n, layer) in dense.iter().enumerate() {
        let start = order.len();
        for i in 0..layer.inputs {
            let theirs = if n == 0 { (i % features.maps) * pixels + i / features.maps } else { i };
            order.extend((0..layer.outputs).map(|o| start + o * layer.inputs + theirs));
        }
        order.extend(order.len()..order.len() + layer.outputs);
    }
    order
}

/// Copies an image from maps × rows × columns to rows × columns × maps.
pub(crate) fn interleave(shape: Shape, image: &[f32], out: &mut [f32]) {
    if shape.maps == 1 {
        out.copy_from_slice(image);
        return;
    }
    for (map, plane) in image.chunks_exact(shape.height * shape.width).enumerate() {
        for (pixel, &value) in out.chunks_exact_mut(shape.maps).zip(plane) {
            pixel[map] = value;
        }
    }
}
