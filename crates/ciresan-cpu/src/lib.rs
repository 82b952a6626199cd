//! Trains networks of convolutions with max-pooling on one CPU core, following only the pooling's winners
