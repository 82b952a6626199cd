//! Softmax and cross-entropy.

/// Turns logits into probabilities, row by row of `classes`; each row's maximum is subtracted first.
pub(crate) fn softmax(logits: &mut [f32], classes: usize) {
    for row in logits.chunks_exact_mut(classes) {
        let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut sum = 0.0;
        for x in row.iter_mut() {
            *x = (*x - largest).exp();
            sum += *x;
        }
        for x in row {
            *x /= sum;
        }
    }
}

/// Mean cross-entropy of a batch; turns its logits `[n][classes]` into the gradient of that mean. `learned` becomes the
/// numbers of the images that are not skipped, in order: those whose probability of their label is not above the bound.
pub(crate) fn cross_entropy(
    logits: &mut [f32],
    classes: usize,
    labels: &[u8],
    skip_bound: Option<f32>,
    learned: &mut Vec<u32>,
) -> f64 {
    let n = labels.len() as f32;
    learned.clear();
    // f64: the mean of a late epoch's tiny losses would lose its last digits in f32.
    let mut loss = 0.0f64;
    for (i, (row, &label)) in (0..).zip(logits.chunks_exact_mut(classes).zip(labels)) {
        let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let own = row[usize::from(label)] - largest;
        let mut sum = 0.0;
        for x in row.iter_mut() {
            *x = (*x - largest).exp();
            sum += *x;
        }
        loss += f64::from(sum.ln() - own);
        if !skip_bound.is_some_and(|bound| row[usize::from(label)] / sum > bound) {
            learned.push(i);
        }
        for x in row.iter_mut() {
            *x /= sum * n;
        }
        row[usize::from(label)] -= 1.0 / n;
    }
    loss / labels.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_and_gradient_of_known_logits() {
        // Two classes, logits 0 and ln 3: probabilities 1/4 and 3/4.
        let mut logits = [0.0, 3f32.ln(), 0.0, 3f32.ln()];
        let mut learned = Vec::new();
        let loss = cross_entropy(&mut logits, 2, &[0, 1], None, &mut learned);
        assert!((loss - (4f64.ln() + (4.0f64 / 3.0).ln()) / 2.0).abs() < 1e-6, "{loss}");
        let want = [-0.375, 0.375, 0.125, -0.125];
        assert!(logits.iter().zip(want).all(|(g, w)| (g - w).abs() < 1e-6), "{logits:?}");
        assert_eq!(learned, [0, 1]);
    }

    #[test]
    fn an_image_is_skipped_when_its_label_is_more_probable_than_the_bound() {
        // Both logits alike: probabilities of exactly 1/2.
        let learned = |logits: &[f32], labels: &[u8], bound| {
            let mut learned = vec![9; 3];
            cross_entropy(&mut logits.to_vec(), 2, labels, Some(bound), &mut learned);
            learned
        };
        assert_eq!(learned(&[1.0, 1.0], &[1], 0.5), [0], "not above the bound");
        assert_eq!(learned(&[1.0, 1.0], &[1], 0.499), [0_u32; 0]);
        // 0.119, 0.881 and 0.881: the first one's label is the other class.
        let logits = [0.0, 2.0, 0.0, 2.0, 2.0, 0.0];
        assert_eq!(learned(&logits, &[0, 1, 0], 0.88), [0]);
        assert_eq!(learned(&logits, &[0, 1, 0], 0.882), [0, 1, 2]);
        assert_eq!(learned(&[f32::NAN, 0.0], &[1], 0.5), [0], "a NaN is not above the bound");
    }

    #[test]
    fn huge_logits_do_not_overflow() {
        let mut logits = [1e30, 0.0, -1e30];
        softmax(&mut logits, 3);
        assert_eq!(logits.map(f32::to_bits), [1.0f32, 0.0, 0.0].map(f32::to_bits));
    }
}
