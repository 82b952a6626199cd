//! Trains the columns of a study and predicts the test digits
