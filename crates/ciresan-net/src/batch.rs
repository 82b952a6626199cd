//! Batches that are made while an engine trains: the [`Batch`] trait, and the one of plain memory.

use crate::{EngineError, Shape};
use rayon::prelude::*;

/// The images and labels of one step of all columns, in the memory and the kind of number that an engine takes.
///
/// [`Engine::batch`](crate::Engine::batch) makes one, empty. It is filled on any thread, also while the engine trains on
/// another one, and [`Engine::train_on`](crate::Engine::train_on) trains on it.
pub trait Batch: Send {
    /// Has `column` write what each column trains on, on this thread and those of its rayon pool that are idle (outside of a
    /// pool, on those of the global one), and sends it on its way to where the engine computes. What was there before is gone.
    ///
    /// # Shapes
    /// `column` takes the column's index, its images `[n_images, maps, height, width]` and its labels `[n_images]`, and
    /// overwrites all of them.
    /// # Units
    /// As for [`Engine::train_step`](crate::Engine::train_step).
    /// # Errors
    /// An error of `column`, or the engine's when its device fails; the batch is empty then.
    fn fill<E>(
        &mut self,
        n_images: usize,
        column: impl Fn(usize, &mut [f32], &mut [u8]) -> Result<(), E> + Sync,
    ) -> Result<(), E>
    where
        E: From<EngineError> + Send;
}

/// A [`Batch`] in plain memory.
#[derive(Clone, Debug)]
pub struct PlainBatch {
    n_columns: usize,
    image_len: usize,
    images: Vec<f32>,
    labels: Vec<u8>,
}

impl PlainBatch {
    /// An empty one, for columns whose network takes `input`.
    #[must_use]
    pub fn new(n_columns: usize, input: Shape) -> Self {
        Self { n_columns, image_len: input.len(), images: Vec::new(), labels: Vec::new() }
    }

    /// Images and labels as [`Engine::train_step`](crate::Engine::train_step) takes them.
    ///
    /// # Errors
    /// [`EngineError::Length`] when it was made for another number of columns than `n_columns`.
    pub fn of_columns(&self, n_columns: usize) -> Result<(&[f32], &[u8]), EngineError> {
        if self.n_columns == n_columns {
            return Ok((&self.images, &self.labels));
        }
        Err(EngineError::Length { what: "columns of the batch", got: self.n_columns, want: n_columns })
    }
}

impl Batch for PlainBatch {
    fn fill<E>(
        &mut self,
        n_images: usize,
        column: impl Fn(usize, &mut [f32], &mut [u8]) -> Result<(), E> + Sync,
    ) -> Result<(), E>
    where
        E: From<EngineError> + Send,
    {
        self.labels.resize(self.n_columns * n_images, 0);
        self.images.resize(self.n_columns * n_images * self.image_len, 0.0);
        // A chunk has at least one value, though there be none.
        let images = self.images.par_chunks_mut((n_images * self.image_len).max(1));
        let labels = self.labels.par_chunks_mut(n_images.max(1));
        let filled = (images.zip(labels).enumerate())
            .try_for_each(|(index, (images, labels))| column(index, images, labels));
        if filled.is_err() {
            self.images.clear();
            self.labels.clear();
        }
        filled
    }
}
