//! Defects as a reactor's conduct.

use super::defect::Defect;
use crate::reactor::conduct::{Conduct, Defects};

/// The conduct of a reactor that has these defects.
#[derive(Debug, Clone, Copy)]
pub struct Policy(Defects);

impl Policy {
    /// With `defects`.
    #[must_use]
    pub fn new(defects: &[Defect]) -> Self {
        Self(defects.iter().copied().collect())
    }
}

impl Conduct for Policy {
    fn has(&self, defect: Defect) -> bool {
        self.0.has(defect)
    }
}
