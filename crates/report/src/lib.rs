//! A study's figures as tables, from its results folder
