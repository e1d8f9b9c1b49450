//! What a comparison found.

use std::collections::BTreeMap;
use std::fmt;

use super::fields::{FieldDifference, differences};
use super::item::ComparedItem;
use super::pairing::Pairing;
use crate::bgp::attribute::WireContext;
use crate::capture::{StreamId, Tally};

/// In what way two streams differ at some place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Only the left has the whole connection.
    ConnectionMissing,
    /// Only the right has the whole connection.
    ConnectionExtra,
    /// Only the left has it.
    Missing,
    /// Only the right has it.
    Extra,
    /// Both have it, in different places.
    Reordered,
    /// The same routes, in other UPDATEs.
    Packed,
    /// The same routes with the same attributes, in other octets.
    SameMeaning,
    /// A message of the same kind that says something else.
    Value,
    /// The same octets at another time.
    Timing,
}

impl Class {
    /// The class as one word, for JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ConnectionMissing => "connection-missing",
            Self::ConnectionExtra => "connection-extra",
            Self::Missing => "missing",
            Self::Extra => "extra",
            Self::Reordered => "reordered",
            Self::Packed => "packed-differently",
            Self::SameMeaning => "same-meaning",
            Self::Value => "other-value",
            Self::Timing => "timing",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ConnectionMissing => "connection missing",
            Self::ConnectionExtra => "extra connection",
            Self::Missing => "missing",
            Self::Extra => "extra",
            Self::Reordered => "reordered",
            Self::Packed => "packed differently (same routes, other UPDATEs)",
            Self::SameMeaning => "same meaning in other bytes",
            Self::Value => "other value",
            Self::Timing => "other time",
        })
    }
}

/// One place where two streams differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// In which stream.
    pub stream: StreamId,
    /// When, in nanoseconds since 1970 on the left's clock: what the right alone has stands where the left had what
    /// comes before it.
    pub at: u64,
    /// In what way.
    pub class: Class,
    /// What the left has here (of a whole connection, the first few).
    pub left: Vec<ComparedItem>,
    /// What the right has here.
    pub right: Vec<ComparedItem>,
    /// Of a whole connection: how many messages there are.
    pub messages: u64,
    /// What both have just before.
    pub context: Vec<ComparedItem>,
    /// How to read the messages of the left and of the right.
    pub contexts: [WireContext; 2],
}

impl Difference {
    /// The fields in which the two differ, where one message of each stands against the other.
    #[must_use]
    pub fn fields(&self) -> Vec<FieldDifference> {
        match (&self.left[..], &self.right[..]) {
            ([left], [right])
                if !left.octets.is_empty() && !right.octets.is_empty() && !left.is_same(right) =>
            {
                differences(&self.contexts, &left.octets, &right.octets)
            }
            _ => Vec::new(),
        }
    }
}

/// The outcome of a comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Connections that both have.
    pub connections: u64,
    /// Messages that are the same on both sides.
    pub matched: u64,
    /// Messages whose octets differ and whose meaning is the same, where meaning is what was compared.
    pub equivalent: u64,
    /// Differences by class, all of them.
    pub counts: BTreeMap<Class, u64>,
    /// Differences in full, the earliest first; of each stream, as many as were asked for.
    pub differences: Vec<Difference>,
    /// What was met in each capture beside messages, where captures were compared.
    pub tallies: [Tally; 2],
    /// Which connections were compared with each other, where it was not each with the one of the same name from the
    /// beginning of both.
    pub pairings: Vec<Pairing>,
    /// Fields that were not compared.
    pub ignored: Vec<String>,
    /// What is wrong with the captures themselves: a file that ends too early.
    pub problems: Vec<String>,
    /// What of each capture was not read, so that nothing can be said of it.
    pub unread: [Vec<String>; 2],
}

impl Report {
    /// Whether nothing differs in what was read.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.counts.is_empty()
    }

    /// Whether both captures hold BGP and all of it was read: only then can they be the same.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.problems.is_empty() && self.unread.iter().all(Vec::is_empty)
    }

    /// The first divergence.
    #[must_use]
    pub fn first(&self) -> Option<&Difference> {
        self.differences.first()
    }
}
