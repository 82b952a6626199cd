//! The JSON config of a study, its columns' names and the layout of its results folder
