//! Raw bytes into the IDX reader.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mnist_data_fuzz::{read_both, written};

fuzz_target!(|input: &[u8]| {
    // The other target's: gzip data, of which the input alone does not say how much they justify.
    if input.starts_with(&[0x1f, 0x8b]) {
        return;
    }
    if let Ok(array) = read_both(input, input.len()) {
        assert_eq!(written(&array), input, "read, but written otherwise");
    }
});
