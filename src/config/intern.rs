//! Routes with equal attributes share them.

use std::sync::Arc;

use crate::bgp::attribute::Attributes;
use crate::bgp::collections::Set;

/// The most sets of attributes that are remembered; then it begins anew, so that an endless stream of commands takes bounded memory.
const CAPACITY: usize = 1 << 18;

/// Gives equal attributes one place in memory.
#[derive(Debug, Clone, Default)]
pub struct Interner {
    known: Set<Arc<Attributes>>,
}

impl Interner {
    /// The shared form of `attributes`.
    pub fn intern(&mut self, attributes: &Attributes) -> Arc<Attributes> {
        if let Some(known) = self.known.get(attributes) {
            return Arc::clone(known);
        }
        if self.known.len() >= CAPACITY {
            self.known.clear();
        }
        let shared = Arc::new(attributes.clone());
        self.known.insert(Arc::clone(&shared));
        shared
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bgp::attribute::origin::Origin;

    #[test]
    fn equal_attributes_are_one() {
        let mut interner = Interner::default();
        let mut one = Attributes::new();
        one.insert(Origin::Igp.into());
        let first = interner.intern(&one);
        assert!(Arc::ptr_eq(&first, &interner.intern(&one)));
        assert!(!Arc::ptr_eq(&first, &interner.intern(&Attributes::new())));
    }
}
