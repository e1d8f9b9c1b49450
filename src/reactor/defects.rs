//! What a reactor must get right beyond the protocol, and what becomes of it where it does not: the seventeen defects
//! that real reactors had, each behind a seam of its own.
//!
//! A reactor is generic over its defects. [`NoDefects`] has no defect and no state, so that its questions are answered
//! when the program is compiled and leave no trace in it; [`Defects`] has those that were enabled.

use std::fmt;
use std::str::FromStr;

use super::mode::Mode;

/// The defects that a reactor is compiled with.
pub trait DefectSet: Clone + 'static {
    /// Whether it has that defect.
    fn has(&self, defect: Defect) -> bool;
}

/// As it should be.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoDefects;

impl DefectSet for NoDefects {
    #[inline]
    fn has(&self, _defect: Defect) -> bool {
        false
    }
}

macro_rules! defects {
    ($($variant:ident, $name:literal, $origin:literal, $about:literal;)*) => {
        /// A defect that real reactors had.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Defect {
            $(#[doc = $about] $variant,)*
        }

        impl Defect {
            /// All of them, in the order of the list.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its name on the command line and in plans.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Whose bug it was.
            #[must_use]
            pub const fn origin(self) -> &'static str {
                match self { $(Self::$variant => $origin,)* }
            }

            /// What it does, in a sentence.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Self::$variant => $about,)* }
            }
        }
    };
}

defects! {
    ReadWithoutTimeout, "read-without-timeout", "ExaBGP's port to async", "A read without a timeout: nothing goes out until the peer speaks.";
    ContinueAfterTimeout, "continue-after-timeout", "ExaBGP's port to async", "A read that times out skips the outbound work of its turn.";
    CommandsBeforePeers, "commands-before-peers", "ExaBGP's port to async", "API commands run before the peers had their turn.";
    OneCommandPerLoop, "one-command-per-loop", "ExaBGP's port to async", "One command per loop instead of all that one read brought: announce and clear are split.";
    EarlyAnswer, "early-answer", "ExaBGP's port to async", "An answer is released before the peers took the change.";
    SleepInRead, "sleep-in-read", "ExaBGP's port to async", "A peer's task sleeps up to 100 ms in its read while commands fold.";
    RefreshListShared, "refresh-list-shared", "ExaBGP's port to async", "The refresh list is read and cleared while it is being sent: a second flush is lost.";
    CancelledRead, "cancelled-read", "ExaBGP's port to async", "A cancelled read loses the half message that it had: NOTIFICATION 1/1 follows.";
    PeersBeforeApi, "peers-before-api", "ExaBGP's port to async", "Peers are awaited before the API is served: deadlock.";
    NoRateLimit, "no-rate-limit", "ExaBGP's port to async", "The rate limit is not observed.";
    KeepaliveStarved, "keepalive-starved", "ExaBGP 477 and 934, GoBGP 3238", "Timers wait behind a flood of API commands.";
    NotificationLost, "notification-lost", "several speakers", "The socket closes with unread input, and RST takes the NOTIFICATION with it.";
    HalfMessageResumed, "half-message-resumed", "several speakers", "A message half written at a reset is resumed on the next connection.";
    CollisionToNone, "collision-to-none", "several speakers", "A collision is resolved to no session at all.";
    EarlyEndOfRib, "early-end-of-rib", "several speakers", "End-of-RIB goes out before the last route.";
    CrashOnReset, "crash-on-reset", "several speakers", "A connection that the peer resets crashes the speaker.";
    LostWakeup, "lost-wakeup", "several speakers", "A wakeup is lost between the check and the wait.";
}

impl Defect {
    /// Whether it came with ExaBGP's port from sync to async, and was never in sync there.
    #[must_use]
    fn is_of_the_port(self) -> bool {
        self.origin() == "ExaBGP's port to async"
    }

    /// The reactors that can have it: some have no place in a loop of turns, one has none among tasks.
    #[must_use]
    pub const fn modes(self) -> &'static [Mode] {
        match self {
            Self::CommandsBeforePeers => &[Mode::Sync],
            Self::SleepInRead | Self::CancelledRead | Self::NoRateLimit | Self::LostWakeup => {
                &[Mode::Async]
            }
            _ => &Mode::ALL,
        }
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no defect's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a defect")]
pub struct UnknownDefect;

impl FromStr for Defect {
    type Err = UnknownDefect;

    fn from_str(text: &str) -> Result<Self, UnknownDefect> {
        Self::ALL
            .iter()
            .copied()
            .find(|defect| defect.name() == text)
            .ok_or(UnknownDefect)
    }
}

/// A set of defects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Defects(u32);

impl Defects {
    /// The defects in the set, by number.
    pub fn iter(self) -> impl Iterator<Item = Defect> {
        Defect::ALL
            .iter()
            .copied()
            .filter(move |defect| self.has(*defect))
    }

    /// Whether it has none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those that the reactor of `mode` had: what came with ExaBGP's port to async was never in its sync reactor.
    #[must_use]
    pub fn at_home(self, mode: Mode) -> Self {
        self.iter()
            .filter(|defect| mode == Mode::Async || !defect.is_of_the_port())
            .collect()
    }
}

impl FromIterator<Defect> for Defects {
    fn from_iter<I: IntoIterator<Item = Defect>>(defects: I) -> Self {
        let bits = defects.into_iter().map(|defect| 1 << defect as u8);
        Self(bits.fold(0, |set, bit| set | bit))
    }
}

impl DefectSet for Defects {
    fn has(&self, defect: Defect) -> bool {
        self.0 & (1 << defect as u8) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_defect_is_found_by_name_and_none_is_sound() {
        assert_eq!(Defect::ALL.len(), 17);
        for defect in Defect::ALL {
            assert_eq!(defect.name().parse(), Ok(*defect));
            assert!(!NoDefects.has(*defect));
        }
        assert_eq!("lost".parse::<Defect>(), Err(UnknownDefect));
    }

    #[test]
    fn a_set_has_what_it_was_given() {
        let set: Defects = [Defect::LostWakeup, Defect::EarlyAnswer]
            .into_iter()
            .collect();
        assert_eq!(
            set.iter().collect::<Vec<_>>(),
            [Defect::EarlyAnswer, Defect::LostWakeup]
        );
    }
}
