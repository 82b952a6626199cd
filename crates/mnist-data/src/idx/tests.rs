//! Round trips, hostile bytes, and what each error says.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use ndarray::{ArrayD, IxDyn, array};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::Error;

fn raw(array: &Array) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_to(&mut bytes, array, "memory").unwrap();
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Bits, because NaN is not equal to itself and -0 is equal to 0.
fn same(a: &Array, b: &Array) -> bool {
    a.shape() == b.shape() && a.element() == b.element() && raw(a) == raw(b)
}

/// Any array of up to four axes, sizes of 0 included, of any element type and any bits.
fn any_array() -> impl Strategy<Value = Array> {
    let shape = vec(0_usize..4, 0..5);
    (shape, 0..6, any::<u64>()).prop_map(|(shape, element, seed)| {
        let mut bits = seed;
        let mut next = move || {
            // Knuth's MMIX generator: only variety matters here.
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            bits
        };
        let shape = IxDyn(&shape);
        match element {
            0 => Array::U8(ArrayD::from_shape_simple_fn(shape, || next() as u8)),
            1 => Array::I8(ArrayD::from_shape_simple_fn(shape, || next() as i8)),
            2 => Array::I16(ArrayD::from_shape_simple_fn(shape, || next() as i16)),
            3 => Array::I32(ArrayD::from_shape_simple_fn(shape, || next() as i32)),
            4 => Array::F32(ArrayD::from_shape_simple_fn(shape, || f32::from_bits(next() as u32))),
            _ => Array::F64(ArrayD::from_shape_simple_fn(shape, || f64::from_bits(next()))),
        }
    })
}

proptest! {
    #[test]
    fn every_array_comes_back(array in any_array()) {
        for bytes in [raw(&array), gzip(&raw(&array))] {
            prop_assert!(same(&read_from(&bytes[..], "memory").unwrap(), &array));
        }
    }

    #[test]
    fn every_prefix_and_every_longer_file_is_an_error(array in any_array(), more in vec(1..=u8::MAX, 1..9)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("array");
        for bytes in [raw(&array), gzip(&raw(&array))] {
            for n in 0..bytes.len() {
                prop_assert!(read_from(&bytes[..n], "memory").is_err(), "{n} bytes of {}", bytes.len());
            }
            let longer = [&bytes[..], &more[..]].concat();
            prop_assert!(read_from(&longer[..], "memory").is_err());
            for bytes in [&bytes[..bytes.len() - 1], &bytes[..bytes.len() / 2], &longer] {
                fs::write(&path, bytes).unwrap();
                prop_assert!(read(&path).is_err());
            }
        }
        let longer_inside = gzip(&[&raw(&array)[..], &more[..]].concat());
        prop_assert!(read_from(&longer_inside[..], "memory").is_err());
    }

    #[test]
    fn random_bytes_never_panic(bytes in vec(any::<u8>(), 0..200), element in 0_u8..16, rank in 0_u8..6) {
        let after = |start: &[u8]| read_from(&[start, &bytes[..]].concat()[..], "memory").is_ok();
        after(&[]);
        after(&[0, 0, element, rank]);
        after(&[0x1f, 0x8b]);
        after(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0]);
        let _ = read_from(&gzip(&[&[0, 0, element, rank], &bytes[..]].concat())[..], "memory");
    }

    #[test]
    fn a_flipped_bit_in_a_gzip_file_changes_nothing_silently(
        array in any_array(),
        at in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let mut bytes = gzip(&raw(&array));
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        // Bits of the header that say nothing of the data (time, system) may flip.
        if let Ok(got) = read_from(&bytes[..], "memory") {
            prop_assert!(same(&got, &array));
        }
    }
}

proptest! {
    // Fewer cases: each writes two files and waits for the disk.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_array_comes_back_from_a_file(array in any_array()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("array");
        for (encoding, start) in [(Encoding::Raw, [0, 0]), (Encoding::Gzip, [0x1f, 0x8b])] {
            write(&path, &array, encoding).unwrap();
            prop_assert!(same(&read(&path).unwrap(), &array));
            prop_assert_eq!(&fs::read(&path).unwrap()[..2], start);
        }
    }
}

#[test]
fn the_bytes_are_those_of_the_format() {
    let bytes = [0, 0, 0x08, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6];
    let want = Array::from(array![[1_u8, 2, 3], [4, 5, 6]]);
    assert_eq!(raw(&want), bytes);
    assert_eq!(read_from(&bytes[..], "memory").unwrap(), want);
    // The same array, transposed twice in memory.
    assert_eq!(raw(&Array::from(array![[1_u8, 4], [2, 5], [3, 6]].reversed_axes())), bytes);

    let bytes = [0, 0, 0x0b, 1, 0, 0, 0, 2, 0x01, 0x02, 0xff, 0xfe];
    assert_eq!(read_from(&bytes[..], "memory").unwrap(), array![0x0102_i16, -2].into());
    let bytes = [0, 0, 0x0d, 0, 0x3f, 0x80, 0, 0];
    assert_eq!(read_from(&bytes[..], "memory").unwrap(), ndarray::arr0(1.0_f32).into());
}

#[test]
fn rank_0_is_one_element_and_a_size_of_0_is_none() {
    let scalar = read_from(&[0, 0, 0x09, 0, 0xff][..], "memory").unwrap();
    assert_eq!((scalar.shape(), &scalar), (&[][..], &ndarray::arr0(-1_i8).into()));
    let empty = read_from(&[0, 0, 0x08, 2, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff][..], "memory").unwrap();
    assert_eq!(empty.shape(), [0, 0xffff_ffff]);
}

#[test]
fn the_highest_rank_comes_back() {
    let array = Array::U8(ArrayD::from_elem(IxDyn(&[1; 255]), 7));
    assert!(same(&read_from(&raw(&array)[..], "memory").unwrap(), &array));
}

#[test]
fn arrays_longer_than_the_first_step_come_back() {
    let array =
        Array::from(ndarray::Array3::from_shape_fn((100, 28, 29), |(i, j, k)| (i * 7 + j * 3 + k) as i32));
    for bytes in [raw(&array), gzip(&raw(&array))] {
        assert_eq!(read_from(&bytes[..], "memory").unwrap(), array);
    }
}

#[track_caller]
fn check_error(bytes: &[u8], want: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    fs::write(&path, bytes).unwrap();
    for (error, name) in
        [(read(&path).unwrap_err(), path.as_path()), (read_from(bytes, "f").unwrap_err(), Path::new("f"))]
    {
        assert_eq!(error.to_string(), format!("{}: {want}", name.display()));
    }
}

#[test]
fn errors_say_what_was_found_and_what_was_expected() {
    check_error(b"", "truncated: got 0 bytes, expected 4");
    check_error(&[0, 0, 8], "truncated: got 3 bytes, expected 4");
    check_error(
        b"digits",
        "magic 0x64696769, expected two zero bytes, a type byte and the rank: not an IDX file",
    );
    check_error(b"<!DOCTYPE html>", "this is a web page, not an IDX file: download the file itself");
    check_error(&gzip(b"<html>"), "this is a web page, not an IDX file: download the file itself");
    let pointer = b"version https://git-lfs.github.com/spec/v1";
    check_error(pointer, "this is a pointer of Git LFS, not an IDX file: download the file itself");
    check_error(
        &[0, 0, 0x0a, 1, 0, 0, 0, 0],
        "element type 0x0a, expected 0x08 (u8), 0x09 (i8), 0x0b (i16), 0x0c (i32), 0x0d (f32) or 0x0e (f64)",
    );
    check_error(&[0, 0, 8, 2, 0, 0, 0, 1, 0], "truncated: got 9 bytes, expected 12");
    let short = [0, 0, 0x0b, 1, 0, 0, 0, 2, 1, 2, 3];
    check_error(&short, "truncated: got 11 bytes, expected 12");
    check_error(&gzip(&short), "truncated: got 11 bytes, expected 12");
    let long = [0, 0, 8, 1, 0, 0, 0, 1, 1, 2];
    check_error(&long, "trailing bytes: got at least 10 bytes, expected 9");
    check_error(&gzip(&long), "trailing bytes: got at least 10 bytes, expected 9");
    let good = gzip(&long[..9]);
    check_error(
        &[&good[..], b"more"].concat(),
        "trailing bytes after the gzip data: got at least 4, expected none",
    );
    // Without the last byte of gzip's own end, and with a wrong sum there.
    check_error(&good[..good.len() - 1], "damaged gzip data");
    let mut wrong_sum = good.clone();
    wrong_sum[good.len() - 5] ^= 1;
    check_error(&wrong_sum, "damaged gzip data");
    let mut overflow = vec![0, 0, 0x0e, 3];
    overflow.extend([0xff; 12]);
    check_error(
        &overflow,
        "[4294967295, 4294967295, 4294967295] elements of f64, expected at most 9223372036854775807 bytes in all",
    );
}

#[test]
fn several_members_and_padding_are_read_as_gzip_reads_them() {
    let bytes = raw(&Array::from(ndarray::Array1::from(vec![1_u8, 2, 3, 4])));
    for cut in 0..=bytes.len() {
        let file = [gzip(&bytes[..cut]), gzip(&bytes[cut..]), vec![0; 512]].concat();
        assert_eq!(raw(&read_from(&file[..], "memory").unwrap()), bytes, "{cut}");
    }
    let more = [gzip(&bytes), gzip(&[5])].concat();
    let error = read_from(&more[..], "memory").unwrap_err().to_string();
    assert_eq!(error, "memory: trailing bytes: got at least 13 bytes, expected 12");
}

#[test]
fn a_header_that_promises_a_terabyte_costs_no_memory() {
    let bytes = [0, 0, 8, 2, 0, 0x10, 0, 0, 0, 0x10, 0, 0];
    let want = "its header announces 1099511627788 bytes, expected at most 1073741824";
    check_error(&bytes, want);
    check_error(&gzip(&bytes), want);
    // As many as are read, but none there.
    let mut few = [0, 0, 8, 2, 0, 0, 0x40, 0, 0, 0, 0xff, 0xff];
    check_error(&few, "truncated: got 12 bytes, expected 1073725452");
    check_error(&gzip(&few), "truncated: got 12 bytes, expected 1073725452");
    // The caller's own limit, to the byte.
    few[4..].copy_from_slice(&[0, 0, 0, 2, 0, 0, 0, 3]);
    let small = [&few[..], &[7; 6]].concat();
    assert!(read_at_most(&small[..], "memory", 18).is_ok());
    let error = read_at_most(&gzip(&small)[..], "memory", 17).unwrap_err().to_string();
    assert_eq!(error, "memory: its header announces 18 bytes, expected at most 17");
    // No element, but strides beyond what an array may have.
    let mut bytes = vec![0, 0, 8, 4, 0, 0, 0, 0];
    bytes.extend([0xff; 12]);
    assert!(matches!(read_from(&bytes[..], "memory"), Err(Error::TooLarge { .. })));
}

#[test]
fn what_idx_cannot_hold_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    let deep = Array::U8(ArrayD::from_elem(IxDyn(&[1; 256]), 0));
    assert!(matches!(write(&path, &deep, Encoding::Raw), Err(Error::Unwritable { .. })));
    let long = Array::U8(ArrayD::from_shape_vec(IxDyn(&[0, 1 << 32]), vec![]).unwrap());
    let error = write(&path, &long, Encoding::Raw).unwrap_err().to_string();
    assert!(error.ends_with("shape [0, 4294967296], expected at most 255 sizes below 4294967296"), "{error}");
    assert!(!path.exists());
}

#[test]
fn a_missing_file_and_a_missing_folder_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none").join("f");
    assert_eq!(read(&path).unwrap_err().to_string(), format!("{}: cannot open", path.display()));
    let error = write(&path, &array![1_u8].into(), Encoding::Raw).unwrap_err();
    assert_eq!(error.to_string(), format!("{}: cannot write", path.display()));
}

#[test]
fn equal_arrays_make_equal_files() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str| {
        let path = folder.path().join(name);
        write(&path, &array![[1_u8, 2], [3, 4]].into(), Encoding::Gzip).unwrap();
        fs::read(path).unwrap()
    };
    assert_eq!(write("a.gz"), write("b.gz"));
}
