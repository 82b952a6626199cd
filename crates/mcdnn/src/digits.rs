//! The digits of a study: embedded, from a folder the user names, or from the cache, downloaded when missing.

use std::env;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use mnist_data::fetch::{Event, FetchError, Fetcher, default_cache};
use mnist_data::{Collection, Data, FileHash};
use study::{DataFile, DataSet};

use crate::failure::usage_error;
use crate::terminal::Terminal;

/// Environment variable: the folder to keep downloaded digits in, instead of the user's cache folder.
const CACHE_VARIABLE: &str = "CIRESAN_CACHE";

/// Environment variables that may hold the address of a proxy, the first one set counts.
const PROXY_VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// Environment variables that may list the hosts to reach without it.
const NO_PROXY_VARIABLES: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// Where digits come from, for the help of every command that needs them.
pub(crate) const ENVIRONMENT: &str = "\
Environment variables:
  CIRESAN_CACHE  folder for downloaded digits, about 55 MB for each collection
                 [default: ciresan-mcdnn in the user's cache folder]
  HTTPS_PROXY    proxy for downloads, such as http://localhost:3128 or
                 socks5://localhost:1080 [default: none]; https_proxy, ALL_PROXY and
                 all_proxy work too
  NO_PROXY       hosts to reach without the proxy, separated by commas; no_proxy works
                 too";

/// The flag that says where the digits are.
#[derive(Debug, clap::Args)]
pub(crate) struct DataArgs {
    /// Read the digits from the four IDX files (raw or .gz) in this folder [default: the cache]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl DataArgs {
    pub(crate) fn given(&self) -> Option<&Path> {
        self.data.as_deref()
    }
}

/// Verified digits, ready to train and test on.
pub struct Digits {
    /// All of them; test digits in the order of the probabilities' rows.
    pub data: Data,
    /// What the manifest says of their files.
    pub(crate) files: Vec<DataFile>,
}

impl Digits {
    /// Gets the digits of a data set: from `folder` if the user gave one, else from the cache, where they are downloaded to if missing.
    ///
    /// # Errors
    /// When the folder's files are missing, damaged or of another collection; when no source has the collection.
    pub fn bring(data: DataSet, folder: Option<&Path>, terminal: &Terminal) -> Result<Self> {
        check_folder(data, folder)?;
        let collection = match data {
            DataSet::Mnist => Collection::Mnist,
            DataSet::FashionMnist => Collection::FashionMnist,
            DataSet::Sample => {
                let data = Data::sample();
                let hashes = data.hashes();
                return Ok(Self::new(data, hashes));
            }
        };
        let (_, data, hashes) = read(collection, folder, terminal)?;
        Ok(Self::new(data, hashes))
    }

    fn new(data: Data, hashes: Vec<FileHash>) -> Self {
        let file = |FileHash { name, sha256 }| DataFile { name, sha256 };
        Self { data, files: hashes.into_iter().map(file).collect() }
    }
}

/// The folder of everything that is downloaded: the user's, or the one the environment names.
///
/// # Errors
/// When the user has no cache folder, and for a `~` that no shell has replaced.
pub fn cache() -> Result<PathBuf> {
    match env::var_os(CACHE_VARIABLE).filter(|value| !value.is_empty()) {
        Some(folder) if Path::new(&folder).starts_with("~") => Err(usage_error(format_args!(
            "{CACHE_VARIABLE} is {}: the shell did not expand the ~; write the full path",
            Path::new(&folder).display()
        ))),
        Some(folder) => Ok(PathBuf::from(folder)),
        None => Ok(default_cache()?),
    }
}

/// Refuses a folder that is not there, and one for the embedded digits.
///
/// # Errors
/// A usage error.
pub(crate) fn check_folder(data: DataSet, folder: Option<&Path>) -> Result<()> {
    match folder {
        Some(_) if data == DataSet::Sample => {
            Err(usage_error("--data cannot be used here: this study uses the embedded sample of digits"))
        }
        Some(folder) => check_there(folder),
        None => Ok(()),
    }
}

fn check_there(folder: &Path) -> Result<()> {
    match folder.is_dir() {
        true => Ok(()),
        false => Err(usage_error(format_args!("--data {}: no such folder", folder.display()))),
    }
}

/// A folder with the collection's four files, verified, what they hold, and their hashes.
///
/// # Errors
/// As [`Digits::bring`].
pub fn read(
    collection: Collection,
    folder: Option<&Path>,
    terminal: &Terminal,
) -> Result<(PathBuf, Data, Vec<FileHash>)> {
    if let Some(folder) = folder {
        check_there(folder)?;
        let skipped = &mut |error: &mnist_data::Error| terminal.note(format_args!("skipped: {error}"));
        let (data, hashes) = Data::read_verified_telling(collection, folder, skipped)?;
        return Ok((std::path::absolute(folder)?, data, hashes));
    }
    let cache = cache()?;
    // The usual case first, because it reads and hashes each file once. Whatever is wrong, the fetcher mends or tells.
    let cached = cache.join(collection.name());
    if let Ok((data, hashes)) = Data::read_verified(collection, &cached) {
        return Ok((cached, data, hashes));
    }
    terminal.note(format_args!("downloading {collection} into {}", cached.display()));
    let mut fetcher = Fetcher::new(collection, cache);
    let first =
        |names: &[&str]| names.iter().filter_map(|name| env::var(name).ok()).find(|value| !value.is_empty());
    if let Some(proxy) = first(&PROXY_VARIABLES) {
        fetcher = fetcher.proxy(proxy).no_proxy(&first(&NO_PROXY_VARIABLES).unwrap_or_default());
    }
    let mut progress = Progress { terminal, last_drawn: None };
    let fetched = fetcher.fetch(&mut |event| progress.show(event)).map_err(|error| match error {
        FetchError::Io { .. } | FetchError::Lock { .. } => anyhow::Error::new(error)
            .context(format!("the cache cannot be used; set {CACHE_VARIABLE} to another folder")),
        error => error.into(),
    })?;
    let (data, hashes) = Data::read_verified(collection, &fetched)?;
    Ok((fetched, data, hashes))
}

/// Shows a fetch on stderr: its steps as lines, the bytes as one line that is drawn over, on a terminal only.
struct Progress<'a> {
    terminal: &'a Terminal,
    last_drawn: Option<Instant>,
}

impl Progress<'_> {
    const PAUSE: Duration = Duration::from_millis(200);

    fn show(&mut self, event: Event<'_>) {
        if !matches!(event, Event::Progress { .. }) {
            let clear = if self.last_drawn.take().is_some() { "\r\x1b[K" } else { "" };
            self.terminal.note(format_args!("{clear}{event}"));
        } else if self.terminal.is_interactive()
            && self.last_drawn.is_none_or(|at| at.elapsed() >= Self::PAUSE)
        {
            self.last_drawn = Some(Instant::now());
            self.terminal.draw(event);
        }
    }
}
