//! Two message streams to the first divergence and a field-level difference.
//!
//! Start at [`Comparison`], which is fed the events of both sides and holds no more of them than it must:
//! equal octets are dropped as soon as both sides have them, without being decoded. [`captures`] drives it
//! over two files of any size, [`canonical`] over two captures in memory.

mod align;
mod classify;
mod comparison;
mod context;
mod difference;
mod drive;
mod item;
mod evidence;
mod fields;
mod pending;
mod meaning;
mod options;
mod rows;
mod resolve;
mod stream;
mod timing;

pub use comparison::Comparison;
pub use context::{Certainty, Contexts, Declared, agreed};
pub use difference::{Class, Difference, Report, Side};
pub use drive::{CompareError, Input, canonical, captures, survey};
pub use fields::{Field, FieldDifference, differences, telling};
pub use item::{ComparedItem, ComparedItemKind};
pub use meaning::{Meaning, Routed};
pub use options::Options;
pub use rows::rows;
