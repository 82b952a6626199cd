//! Claims to columns: `<column>.<number>`, a file that holds the name of the run that made it.
//!
//! The claim with the highest number counts. A claim is made by a link with the next number (or by creating that file, where there
//! are no links), which fails if it is there: on every file system, NFS included, one process alone can succeed. No claim is ever changed, and the last ones are
//! never removed, so that nobody who decides by an old listing can make a number twice.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::run_file::token;
use crate::ColumnId;
use crate::listing::remove_if_there;

/// Claims to a column that stay: more than a listing that a client of NFS still remembers could be behind.
const KEPT: u64 = 16;

/// The claims in a folder.
#[derive(Debug)]
pub(super) struct Claims<'a>(pub(super) &'a Path);

/// The claim to a column that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) number: u64,
    /// The file of the run that made it.
    pub(super) run: String,
}

impl Claims<'_> {
    fn path(&self, column: ColumnId, number: u64) -> PathBuf {
        self.0.join(format!("{column}.{number}"))
    }

    /// The claim that counts; `None` for a column that nobody has ever claimed.
    pub(super) fn last(&self, column: ColumnId) -> io::Result<Option<Claim>> {
        match self.numbers(column)?.into_iter().max() {
            Some(number) => self.last_from(column, number).map(Some),
            None if self.is_there(column, 1)? => self.read(column, 1).map(Some),
            None => Ok(None),
        }
    }

    /// The claim that counts, when one of this number is known from a listing.
    pub(super) fn last_from(&self, column: ColumnId, mut number: u64) -> io::Result<Claim> {
        while self.is_there(column, number + 1)? {
            number += 1; // the listing was old
        }
        self.read(column, number)
    }

    /// Whether there is a claim of this number.
    pub(super) fn is_there(&self, column: ColumnId, number: u64) -> io::Result<bool> {
        match File::open(self.path(column, number)) {
            Ok(_) => Ok(true),
            Err(reason) if reason.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(reason) => Err(reason),
        }
    }

    fn read(&self, column: ColumnId, number: u64) -> io::Result<Claim> {
        let run = fs::read_to_string(self.path(column, number))?;
        Ok(Claim { number, run })
    }

    /// Claims the column for a run by this number; false when another has that number.
    pub(super) fn make(&self, column: ColumnId, number: u64, run: &str) -> io::Result<bool> {
        let path = self.path(column, number);
        match fs::hard_link(token(self.0, run), &path) {
            Ok(()) => {}
            // A server of NFS that was asked twice says so of the link that it has made itself.
            Err(reason) if reason.kind() == io::ErrorKind::AlreadyExists => {
                return Ok(self.read(column, number)?.run == run);
            }
            // No links on this file system. What is killed between the two steps leaves a claim of nobody.
            Err(_) => match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(mut file) => {
                    file.write_all(run.as_bytes())?;
                    file.sync_all()?;
                }
                Err(reason) if reason.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
                Err(reason) => return Err(reason),
            },
        }
        // List again: a client of NFS may have shown an old listing, and then this number is one that was used and removed.
        Ok(self.numbers(column)?.into_iter().max() == Some(number))
    }

    /// Removes claims that no longer count; those of a column whose last is this one.
    pub(super) fn tidy(&self, column: ColumnId, last: u64) -> io::Result<()> {
        if last <= KEPT {
            return Ok(());
        }
        for number in self.numbers(column)?.into_iter().filter(|number| number + KEPT <= last) {
            remove_if_there(&self.path(column, number))?;
        }
        Ok(())
    }

    fn numbers(&self, column: ColumnId) -> io::Result<Vec<u64>> {
        let prefix = format!("{column}.");
        let mut numbers = Vec::new();
        for entry in fs::read_dir(self.0)? {
            let name = entry?.file_name();
            let name = name.to_string_lossy();
            numbers.extend(name.strip_prefix(&prefix).and_then(|number| number.parse::<u64>().ok()));
        }
        Ok(numbers)
    }
}
