//! Combines the class probabilities of several classifiers and says how good each combination is
