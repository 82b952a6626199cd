//! Who works on columns: what other runs are told of a process.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A process that holds columns, as other processes see it, on other hosts too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct Holder {
    /// Its host's name, for people: two hosts may have the same.
    pub host: String,
    /// What tells the running kernel from all others, on this host after a restart too: on Linux the boot id. Processes of
    /// one kernel see each other's locks on every file system, and in every container.
    pub kernel: String,
    /// Its number there, for people.
    pub pid: u32,
}

impl fmt::Display for Holder {
    /// `process 4711 on node7`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} on {}", self.pid, self.host)
    }
}
