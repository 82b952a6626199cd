//! The iterator over an epoch: what it yields, and that threads change nothing, down to a pool of one.

use std::num::NonZeroUsize;
use std::sync::Arc;

use ndarray::{Array3, Array4, Axis, concatenate};
use preprocess::{Batches, Distorter, Distortion, Epoch};

const EPOCH: Epoch = Epoch { study_seed: 2012, column: 3, epoch: 5 };

fn batches(n_images: usize, batch: usize, epoch: Epoch) -> Batches {
    let images =
        Array3::from_shape_fn((n_images, 11, 13), |(n, row, column)| (n * 7 + row * 20 + column) as u8);
    let distorter = Distorter::new(&Distortion::default(), 11, 13).unwrap();
    let batch = NonZeroUsize::new(batch).unwrap();
    Batches::new(Arc::new(distorter), Arc::new(images), epoch, 1.0, batch).unwrap()
}

fn collected(batches: Batches) -> (Vec<u32>, Array4<f32>) {
    let (indices, arrays): (Vec<Vec<u32>>, Vec<Array4<f32>>) = batches.unzip();
    let views: Vec<_> = arrays.iter().map(|array| array.view()).collect();
    (indices.concat(), concatenate(Axis(0), &views).unwrap())
}

#[test]
fn every_image_comes_once_distorted_as_by_the_distorter() {
    let mut all = batches(50, 8, EPOCH);
    assert_eq!(all.len(), 7);
    let (first, _) = all.next().unwrap();
    assert_eq!((first.len(), all.len()), (8, 6));

    let (indices, arrays) = collected(batches(50, 8, EPOCH));
    assert_eq!(indices, EPOCH.order(50));
    let images = Array3::from_shape_fn((50, 11, 13), |(n, row, column)| (n * 7 + row * 20 + column) as u8);
    let distorter = Distorter::new(&Distortion::default(), 11, 13).unwrap();
    assert_eq!(arrays, distorter.distorted(images.view(), &indices, EPOCH, 1.0).unwrap());
    assert_eq!(arrays.dim(), (50, 1, 11, 13));
}

#[test]
fn threads_and_batch_sizes_change_nothing_and_one_thread_does_not_wait_for_itself() {
    let want = collected(batches(50, 50, EPOCH));
    for n_threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        assert_eq!(pool.install(|| collected(batches(50, 7, EPOCH))), want, "{n_threads} threads");
    }
    assert_ne!(collected(batches(50, 50, Epoch { epoch: 6, ..EPOCH })), want);
}

#[test]
fn no_images_make_no_batches_and_unfinished_iterators_may_go() {
    assert_eq!(batches(0, 3, EPOCH).count(), 0);
    drop(batches(50, 3, EPOCH));
}

#[test]
fn wrong_arguments_are_named() {
    let images = Arc::new(Array3::zeros((5, 6, 7)));
    let distorter = Arc::new(Distorter::new(&Distortion::default(), 7, 6).unwrap());
    let batch = NonZeroUsize::MIN;
    let err = Batches::new(Arc::clone(&distorter), Arc::clone(&images), EPOCH, 1.0, batch).unwrap_err();
    assert_eq!(
        err.to_string(),
        "images of 6 x 7 pixels (height x width), but the distorter was made for 7 x 6"
    );
    let err = Batches::new(distorter, images, EPOCH, 2.0, batch).unwrap_err();
    assert_eq!(err.to_string(), "strength 2 is out of range: 0 to 1");
}
