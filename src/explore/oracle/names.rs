//! The oracles: names, exit statuses, and the evidence that each uses.

use std::fmt;

/// The evidence that an oracle uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// The wire: the tap of the host under test, and what its peers received.
    Wire,
    /// The inside: the speaker's own events about its API.
    Inside,
    /// The wire of two runs of one plan, one in each mode.
    BothModes,
    /// How what is under test ended.
    End,
}

macro_rules! oracles {
    ($($variant:ident, $name:literal, $status:literal, $needs:ident, $about:literal;)*) => {
        /// A check.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Oracle {
            $(#[doc = $about] $variant,)*
        }

        impl Oracle {
            /// Every oracle, in order of exit status.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Name, as `--oracle` takes it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Exit status when this oracle fails.
            #[must_use]
            pub const fn status(self) -> u8 {
                match self { $(Self::$variant => $status,)* }
            }

            /// The evidence it uses.
            #[must_use]
            pub const fn needs(self) -> Needs {
                match self { $(Self::$variant => Needs::$needs,)* }
            }

            /// The property it checks, as a sentence.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Self::$variant => $about,)* }
            }

            /// The oracle of that name.
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|oracle| oracle.name() == name)
            }
        }
    };
}

oracles! {
    Liveness, "liveness", 10, Wire, "After the faults the session is back within a bound.";
    Table, "table", 11, Wire, "The peer's table is exactly what the speaker was asked to announce: nothing lost, nothing stale.";
    Unforced, "unforced", 12, Wire, "Every session that ended has a cause in the plan or on the wire.";
    Answers, "answers", 13, Inside, "One answer per command, in order.";
    Timers, "timers", 14, Wire, "An established session is never silent for longer than its keepalive time.";
    Decodes, "decodes", 15, Wire, "What is on the wire decodes.";
    Modes, "modes", 16, BothModes, "Both reactors end in the same state under the same plan.";
    Golden, "golden", 17, Wire, "Where nothing was lost, the octets are the golden's.";
    Panics, "panics", 18, End, "The speaker neither panics nor ends by itself.";
    Prompt, "prompt", 19, Inside, "A command is answered, and taken by every established peer, in the moment in which it is read.";
    Collisions, "collisions", 20, Wire, "Of two connections that collide the one that RFC 4271 section 6.8 names lives.";
    Notifications, "notifications", 21, Wire, "Where nothing was lost, a NOTIFICATION that was sent arrives.";
    Rate, "rate", 22, Wire, "No peer is sent more in a second than its rate limit.";
}

impl fmt::Display for Oracle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
