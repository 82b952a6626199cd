//! Work shared with idle threads.

/// Does every job: on this thread, and on those of its rayon pool that have nothing else to do. On a thread of no pool, on
/// this one alone.
///
/// Jobs write to places of their own, so that it does not matter who does them.
pub(crate) fn side_by_side<T: Send>(jobs: impl Iterator<Item = T> + Send, work: impl Fn(T) + Sync) {
    if rayon::current_thread_index().is_none() {
        jobs.for_each(work);
    } else {
        share(jobs, &work);
    }
}

/// One job for this thread, while the others may be taken.
fn share<T: Send>(mut jobs: impl Iterator<Item = T> + Send, work: &(impl Fn(T) + Sync)) {
    if let Some(job) = jobs.next() {
        rayon::join(|| work(job), || share(jobs, work));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_is_done_once_in_a_pool_and_outside() {
        let check = || {
            let mut done = [0; 37];
            side_by_side(done.iter_mut().enumerate(), |(i, done)| *done += i + 1);
            assert!(done.iter().enumerate().all(|(i, &done)| done == i + 1), "{done:?}");
        };
        check();
        rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap().install(check);
    }
}
