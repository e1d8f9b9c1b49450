//! Two message streams to the first divergence and a field-level difference.
//!
//! Start at [`Comparison`], which is fed the events of both sides and holds no more of them than it must:
//! equal octets are dropped as soon as both sides have them, without being decoded. [`captures`] drives it
//! over two files of any size, [`canonical`] over two captures in memory.

mod align;
mod beginning;
mod classify;
mod comparison;
mod context;
mod difference;
mod drive;
mod item;
mod evidence;
mod fields;
mod ignore;
mod input;
mod pending;
mod meaning;
mod options;
mod pairing;
mod rows;
mod side;
mod signature;
mod resolve;
mod stream;
mod timing;

pub use comparison::Comparison;
pub use context::{Certainty, Contexts, Declared, agreed};
pub use difference::{Class, Difference, Report};
pub use drive::{canonical, captures, survey};
pub use fields::{Field, FieldDifference, differences, telling};
pub use ignore::{Ignored, IgnoredField, UnknownField};
pub use input::{CompareError, Input};
pub use item::{ComparedItem, ComparedItemKind};
pub use meaning::{Meaning, Routed};
pub use options::Options;
pub use pairing::Pairing;
pub use rows::rows;
pub use side::Side;
