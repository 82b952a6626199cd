//! MNIST and other IDX data sets as checked ndarray arrays: read, written, fetched and verified
