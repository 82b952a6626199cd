//! An epoch's images, shuffled and distorted, a batch at a time, prepared ahead on rayon.

use std::collections::VecDeque;
use std::iter::FusedIterator;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

use ndarray::{Array3, Array4};

use crate::distortion::check_parameter;
use crate::{Distorter, Epoch, PreprocessError};

/// Batches prepared while the caller works on the one before: one that is finished and one in the making.
const N_AHEAD: usize = 2;

/// Iterator over one epoch: every image once, in shuffled order, distorted, in batches.
///
/// Yields `(indices, batch)`: `indices` say which images these are, so that the caller takes their labels out of his own
/// array, and `batch` is `[n, 1, height, width]`, -1 background to 1 ink. The last batch may be smaller.
///
/// Batches are prepared on rayon's pool (the caller's, or the global one) while the caller works on the one before. What
/// they hold depends on the arguments alone: the order on (study seed, column, epoch), each image's distortion on these and
/// its index.
///
/// ```
/// use std::sync::Arc;
/// use preprocess::{Batches, Distorter, Distortion, Epoch};
///
/// let images = Arc::new(ndarray::Array3::<u8>::zeros((100, 29, 29)));
/// let labels = vec![7_u8; 100];
/// let distorter = Arc::new(Distorter::new(&Distortion::default(), 29, 29)?);
/// let epoch = Epoch { study_seed: 2012, column: 1, epoch: 0 };
/// for (indices, batch) in Batches::new(distorter, images, epoch, 1.0, 32.try_into()?)? {
///     let labels: Vec<u8> = indices.iter().map(|&index| labels[index as usize]).collect();
///     assert_eq!(batch.dim(), (labels.len(), 1, 29, 29));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Batches {
    shared: Arc<Shared>,
    ahead: VecDeque<(Vec<u32>, Receiver<Array4<f32>>)>,
    /// Images whose preparation has begun.
    n_begun: usize,
    /// Images yielded.
    n_yielded: usize,
}

/// What the tasks need.
#[derive(Debug)]
struct Shared {
    distorter: Arc<Distorter>,
    images: Arc<Array3<u8>>,
    epoch: Epoch,
    strength: f32,
    order: Vec<u32>,
    batch: usize,
}

impl Batches {
    /// Shuffles, and begins with the first batches.
    ///
    /// # Shapes
    /// `images`: `[n, height, width]`, of the size the distorter was made for. `batch`: images in each.
    /// # Units
    /// `images` 0 to 255. `strength`: factor on all amplitudes, 0 to 1.
    /// # Errors
    /// [`PreprocessError::ImageSize`], [`PreprocessError::Parameter`] (strength), or [`PreprocessError::Length`] for
    /// more images than a `u32` counts.
    pub fn new(
        distorter: Arc<Distorter>,
        images: Arc<Array3<u8>>,
        epoch: Epoch,
        strength: f32,
        batch: NonZeroUsize,
    ) -> Result<Self, PreprocessError> {
        check_parameter("strength", strength, 0.0, 1.0)?;
        distorter.check_size(images.view())?;
        let n_images = u32::try_from(images.dim().0).map_err(|_| PreprocessError::Length {
            what: "images",
            got: images.dim().0,
            want: u32::MAX as usize,
        })?;
        let order = epoch.order(n_images);
        let shared = Arc::new(Shared { distorter, images, epoch, strength, order, batch: batch.get() });
        let mut batches = Self { shared, ahead: VecDeque::new(), n_begun: 0, n_yielded: 0 };
        for _ in 0..N_AHEAD {
            batches.begin();
        }
        Ok(batches)
    }

    /// Begins with the next batch, if there is one.
    fn begin(&mut self) {
        let left = &self.shared.order[self.n_begun..];
        let indices = left[..left.len().min(self.shared.batch)].to_vec();
        if indices.is_empty() {
            return;
        }
        self.n_begun += indices.len();
        let (sender, receiver) = sync_channel(1);
        let (shared, task_indices) = (Arc::clone(&self.shared), indices.clone());
        rayon::spawn(move || {
            // Nobody takes the batch where the iterator was dropped: there is nothing to be done about that.
            let _unwanted = sender.send(shared.make(&task_indices));
        });
        self.ahead.push_back((indices, receiver));
    }
}

impl Shared {
    fn make(&self, indices: &[u32]) -> Array4<f32> {
        let Self { distorter, images, epoch, strength, .. } = self;
        distorter.distorted(images.view(), indices, *epoch, *strength).expect(
            "Batches::new has checked the size and the strength, and the order holds indices of the images",
        )
    }
}

impl Iterator for Batches {
    type Item = (Vec<u32>, Array4<f32>);

    fn next(&mut self) -> Option<Self::Item> {
        let (indices, receiver) = self.ahead.pop_front()?;
        self.begin();
        self.n_yielded += indices.len();
        let batch = wait(&receiver).unwrap_or_else(|| self.shared.make(&indices));
        Some((indices, batch))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let n_batches = (self.shared.order.len() - self.n_yielded).div_ceil(self.shared.batch);
        (n_batches, Some(n_batches))
    }
}

impl ExactSizeIterator for Batches {}
impl FusedIterator for Batches {}

/// Waits for a task's result; `None` where the task was lost with its pool.
///
/// A thread of the pool must not sleep here: the task may be waiting for that very thread. It works meanwhile.
fn wait<T>(receiver: &Receiver<T>) -> Option<T> {
    loop {
        match receiver.try_recv() {
            Ok(result) => return Some(result),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) => match rayon::yield_now() {
                None => return receiver.recv().ok(),
                Some(rayon::Yield::Executed) => {}
                Some(rayon::Yield::Idle) => std::thread::yield_now(),
            },
        }
    }
}
