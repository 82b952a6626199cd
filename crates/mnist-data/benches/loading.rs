//! Images loaded a second, beside the floor: reading the same bytes, inflating the same bytes.
//!
//! Files of MNIST's size are made of the embedded digits, repeated: 313,600 bytes lie between two of a kind, more than
//! the 32 KiB that deflate looks back, so they compress as digits do. They lie in the page cache: this measures the
//! reader, not the disk. Every case drops what it loaded, inside the clock.
//!
//! | case | what it does |
//! | --- | --- |
//! | `raw`, `gzip` | `idx::read` |
//! | `digits` | `Digits::read`: raw images and raw labels, checked |
//! | `raw-floor` | `std::fs::read`: open, one allocation, read |
//! | `gzip-floor` | flate2 from memory into a buffer that stands ready, CRC-32 included |
//! | `gzip-floor-fresh` | the same into a fresh buffer: what is returned has to be allocated, as `raw-floor` does |
//! | `gzip-floor-miniz` | the same with miniz_oxide, flate2's default backend, in its fastest form |
//! | `verified` | `raw` and the SHA-256 of the array, as `Data::read_verified` does it |
//! | `verified-floor` | `std::fs::read` and the SHA-256 of the buffer |
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use std::fs;
use std::hint::black_box;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use flate2::Crc;
use flate2::bufread::GzDecoder;
use mnist_data::idx::{self, Array, Encoding};
use mnist_data::{Data, Digits};
use ndarray::{Array1, ArrayView1, Axis};
use sha2::{Digest, Sha256};

/// MNIST's test and training files.
const SIZES: [usize; 2] = [10_000, 60_000];

/// Of a gzip file without name: RFC 1952, section 2.3.
const GZIP_HEADER_BYTES: usize = 10;
/// CRC-32 and length.
const GZIP_TRAILER_BYTES: usize = 8;

/// The first `n_images` of the embedded digits, repeated: images and labels.
fn repeated(n_images: usize) -> (Array, Array) {
    let sample = Data::sample().train;
    let indices: Vec<usize> = (0..n_images).map(|index| index % sample.len()).collect();
    let labels: Array1<u8> = ArrayView1::from(sample.labels()).select(Axis(0), &indices);
    (sample.images().select(Axis(0), &indices).into(), labels.into())
}

fn write(folder: &Path, name: &str, array: &Array, encoding: Encoding) -> PathBuf {
    let path = folder.join(name);
    idx::write(&path, array, encoding).expect("the temporary folder takes the file");
    path
}

/// Inflates the deflate data of a gzip file into `out` with miniz_oxide, and checks its sum.
fn inflate_miniz(file: &[u8], out: &mut [u8]) {
    let (data, trailer) = file[GZIP_HEADER_BYTES..]
        .split_last_chunk::<GZIP_TRAILER_BYTES>()
        .map(|(data, trailer)| (data, *trailer))
        .expect("a whole gzip file");
    let n = miniz_oxide::inflate::decompress_slice_iter_to_slice(out, [data].into_iter(), false, true);
    assert_eq!(n, Ok(out.len()));
    let mut crc = Crc::new();
    crc.update(out);
    assert_eq!(crc.sum().to_le_bytes(), trailer[..4]);
}

fn bench_loading(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    for n_images in SIZES {
        let (images, labels) = repeated(n_images);
        let raw = write(folder.path(), &format!("images-{n_images}"), &images, Encoding::Raw);
        let gzip = write(folder.path(), &format!("images-{n_images}.gz"), &images, Encoding::Gzip);
        let labels = write(folder.path(), &format!("labels-{n_images}"), &labels, Encoding::Raw);
        drop(images);
        let deflated = fs::read(&gzip).expect("the file was just written");
        let mut inflated = fs::read(&raw).expect("the file was just written");

        let mut group = criterion.benchmark_group(format!("load/{n_images}x28x28"));
        group.throughput(Throughput::Elements(n_images as u64));
        group.sample_size(30).measurement_time(Duration::from_secs(3));
        group.bench_function("raw", |bencher| bencher.iter(|| idx::read(&raw)));
        group.bench_function("raw-floor", |bencher| bencher.iter(|| fs::read(&raw)));
        group.bench_function("digits", |bencher| bencher.iter(|| Digits::read(&raw, &labels)));
        group.bench_function("gzip", |bencher| bencher.iter(|| idx::read(&gzip)));
        group.bench_function("gzip-floor", |bencher| {
            bencher.iter(|| GzDecoder::new(&deflated[..]).read_exact(black_box(&mut inflated)));
        });
        group.bench_function("gzip-floor-fresh", |bencher| {
            bencher.iter(|| {
                let mut fresh = vec![0; inflated.len()];
                GzDecoder::new(&deflated[..]).read_exact(&mut fresh).map(|()| fresh)
            });
        });
        group.bench_function("gzip-floor-miniz", |bencher| {
            bencher.iter(|| inflate_miniz(&deflated, black_box(&mut inflated)));
        });
        group.bench_function("verified", |bencher| {
            bencher.iter(|| {
                let Ok(Array::U8(array)) = idx::read(&raw) else { panic!("the file was just written") };
                (Sha256::digest(array.as_slice().expect("read in row-major order")), array)
            });
        });
        group.bench_function("verified-floor", |bencher| {
            bencher.iter(|| fs::read(&raw).map(|bytes| (Sha256::digest(&bytes), bytes)));
        });
        group.finish();
    }
}

criterion_group!(benches, bench_loading);
criterion_main!(benches);
