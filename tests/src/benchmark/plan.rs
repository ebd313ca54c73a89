//! What is to be measured.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// What is to be measured.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Records.
    pub records: usize,
    /// Changes of each record, its creation among them.
    pub changes: usize,
    /// How the records lie.
    pub shapes: Vec<Shape>,
    /// What is done with them.
    pub workloads: BTreeSet<Workload>,
    /// Where the nodes' directories are made: on the disk to be measured.
    pub directory: PathBuf,
    /// The program that becomes a node when called with `node DIRECTORY`.
    pub program: PathBuf,
}

/// How the records lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// One directory space with all contacts.
    Directory,
    /// Each record a convention in a space of its own, with three members.
    Spaces,
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Directory => "D",
            Self::Spaces => "S",
        })
    }
}

/// What is done with the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Workload {
    /// One node holds everything, the other nothing.
    First,
    /// Both hold everything, one restarts.
    Unchanged,
    /// Ten records changed on each side while apart.
    FewChanged,
    /// Edits seen on the other side as they are made.
    Live,
    /// From the start of the process to the first answer.
    ColdStart,
    /// Durable local edits.
    Edits,
}

impl Workload {
    /// Every workload, in the order in which they are measured.
    pub const ALL: [Self; 6] =
        [Self::First, Self::Unchanged, Self::FewChanged, Self::Live, Self::ColdStart, Self::Edits];

    const fn name(self) -> &'static str {
        match self {
            Self::First => "W1",
            Self::Unchanged => "W2",
            Self::FewChanged => "W3",
            Self::Live => "W4",
            Self::ColdStart => "W5",
            Self::Edits => "W6",
        }
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Workload {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|one| one.name().eq_ignore_ascii_case(text));
        found.ok_or_else(|| format!("“{text}” is not a workload; they are w1 to w6"))
    }
}
