//! A set of type codes: which attributes an UPDATE has had so far.

/// Type codes, a bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Codes([u64; 4]);

impl Codes {
    /// The empty set.
    pub const NONE: Self = Self([0; 4]);

    /// Adds `code`; whether it was not there yet.
    #[inline]
    pub const fn insert(&mut self, code: u8) -> bool {
        let (word, bit) = Self::place(code);
        let new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        new
    }

    /// Whether `code` is there.
    #[inline]
    #[must_use]
    pub const fn contains(&self, code: u8) -> bool {
        let (word, bit) = Self::place(code);
        self.0[word] & bit != 0
    }

    #[inline]
    const fn place(code: u8) -> (usize, u64) {
        ((code >> 6) as usize, 1 << (code & 63))
    }
}

#[cfg(test)]
mod tests {
    use super::Codes;

    #[test]
    fn a_code_is_new_once() {
        let mut codes = Codes::NONE;
        for code in 0..=u8::MAX {
            assert!(!codes.contains(code), "{code}");
            assert!(codes.insert(code), "{code}");
            assert!(!codes.insert(code), "{code}");
            assert!(codes.contains(code), "{code}");
        }
    }
}
