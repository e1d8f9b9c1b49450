//! Faults of connections: what happens, at which octet or time, and whether it triggered.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::net::abort::Abort;
use crate::net::direction::Direction;
use crate::net::name::{ConnectionName, Opener};

/// Where a fault triggers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Moment {
    /// When the connection is attempted or opens.
    Opening,
    /// When so many octets have gone in the fault's direction.
    Byte(u64),
    /// At a true virtual time since the run began.
    Time(Duration),
}

/// What happens to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// The attempt is refused; only when opening.
    Refuse,
    /// The attempt is never answered and times out after some 135 s, as on Linux; only when opening.
    Ignore,
    /// This end resets, what was sent still arriving at the other; the program here is told at once.
    Reset,
    /// The peer's end resets, what it sent still arriving here before the RST does; the program there is told at once.
    ResetByPeer,
    /// Both ends see the other close, as if a proxy between them did.
    Close,
    /// The direction ends with FIN, the other goes on.
    HalfClose,
    /// Nothing moves in the direction, for so long or for ever, as behind a zero window.
    Stall(Option<Duration>),
    /// The direction carries so many octets per second.
    Slow(u64),
    /// No read (or write) of the direction moves more than so many octets.
    Split(usize),
    /// Octets of the direction are held together until there are so many, or until the first has waited so long.
    Coalesce(usize, Duration),
    /// What is received comes so much later; for both directions give the simulated path a [`Link`](super::Link).
    Delay(Duration),
    /// Nothing arrives any more either way, and nobody is told: a half-open connection. It may end.
    Silence(Option<Duration>),
    /// The nth segment of the direction that is sent from here on is lost, of those that carry octets, FIN or RST.
    Lose(u64),
}

/// One fault: a coordinate (peer, attempt, direction, byte or time) and what happens there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fault {
    /// The connection that it is applied to, by its name on the host under test.
    pub connection: ConnectionName,
    /// Which octets are counted, and which suffer.
    pub direction: Direction,
    /// Where in the connection's life.
    pub moment: Moment,
    /// What is done to the connection, or to the bytes that go in `direction`.
    pub action: Action,
}

/// A fault that a network cannot cause.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unsupported fault `{fault}`: {reason}")]
pub struct Unsupported {
    /// What happens when the trigger is met.
    pub fault: Fault,
    /// Why, and what would do.
    pub reason: &'static str,
}

/// The faults of one run and which of them triggered; a cheap handle.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    shared: Rc<RefCell<Vec<TriggeredFault>>>,
}

/// A fault, and when it triggered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TriggeredFault {
    /// What happens when the trigger is met.
    pub fault: Fault,
    /// True virtual time since the run began; `None` if it has not triggered.
    pub at: Option<Duration>,
}

impl Faults {
    /// Faults that have not triggered yet.
    #[must_use]
    pub fn new(faults: &[Fault]) -> Self {
        let shared = faults.iter().map(|fault| TriggeredFault {
            fault: *fault,
            at: None,
        });
        Self {
            shared: Rc::new(RefCell::new(shared.collect())),
        }
    }

    /// Every fault, in the order given, and when it triggered, if it did.
    #[must_use]
    pub fn report(&self) -> Vec<TriggeredFault> {
        self.shared.borrow().clone()
    }

    /// The faults of one connection by their number.
    pub(super) fn of(&self, connection: ConnectionName) -> Vec<(usize, Fault)> {
        let faults = self.shared.borrow();
        faults
            .iter()
            .enumerate()
            .filter(|(_, fault)| fault.fault.connection == connection)
            .map(|(number, fault)| (number, fault.fault))
            .collect()
    }

    pub(super) fn trigger(&self, number: usize, at: Duration) {
        self.shared.borrow_mut()[number].at = Some(at);
    }

    /// Checks that a network with connections `C` can cause every fault.
    ///
    /// # Errors
    /// The first that it cannot cause.
    pub fn check<C: Abort>(&self) -> Result<(), Unsupported> {
        for fault in self.shared.borrow().iter() {
            if let Err(reason) = fault.fault.possible(C::RESETS, C::PEER_RESETS, C::LOSES) {
                return Err(Unsupported {
                    fault: fault.fault,
                    reason,
                });
            }
        }
        Ok(())
    }
}

impl Fault {
    fn possible(&self, resets: bool, peer_resets: bool, loses: bool) -> Result<(), &'static str> {
        let opening = self.moment == Moment::Opening;
        match self.action {
            Action::Refuse | Action::Ignore if !opening => {
                Err("an attempt is refused or ignored when it is made, not later")
            }
            Action::Reset if !resets => {
                Err("this network cannot reset a connection; use sim or kernel")
            }
            Action::ResetByPeer if !peer_resets => {
                Err("only the simulated network can reset a connection at the peer's end; use sim")
            }
            Action::Refuse if !resets && self.connection.opener == Opener::Peer => {
                Err("this network cannot refuse what the peer attempts; use sim or kernel")
            }
            Action::Delay(_) if self.direction == Direction::Sent => {
                Err("`delay` applies to received data; use `latency` to delay both directions")
            }
            Action::Lose(_) if !loses => {
                Err("only the simulated network can lose segments; use sim")
            }
            Action::Slow(0) => Err("0 octets per second is a stall"),
            Action::Split(0) => Err("a split leaves at least 1 octet"),
            _ => Ok(()),
        }
    }
}

/// `10.0.0.2#1 sent byte 19: reset`
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            connection,
            direction,
            moment,
            action,
        } = self;
        write!(f, "{connection} {direction} {moment}: {action}")
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opening => write!(f, "opening"),
            Self::Byte(byte) => write!(f, "byte {byte}"),
            Self::Time(time) => write!(f, "time {}", Seconds(*time)),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limited = |f: &mut fmt::Formatter<'_>, what, limit: &Option<Duration>| match limit {
            None => f.write_str(what),
            Some(limit) => write!(f, "{what} {}", Seconds(*limit)),
        };
        match self {
            Self::Refuse => f.write_str("refuse"),
            Self::Ignore => f.write_str("ignore"),
            Self::Reset => f.write_str("reset"),
            Self::ResetByPeer => f.write_str("reset by peer"),
            Self::Close => f.write_str("close"),
            Self::HalfClose => f.write_str("half-close"),
            Self::Stall(limit) => limited(f, "stall", limit),
            Self::Slow(rate) => write!(f, "slow {rate}"),
            Self::Split(most) => write!(f, "split {most}"),
            Self::Coalesce(least, wait) => {
                write!(f, "coalesce {least} {}", Seconds(*wait))
            }
            Self::Delay(delay) => write!(f, "delay {}", Seconds(*delay)),
            Self::Lose(1) => f.write_str("lose"),
            Self::Lose(nth) => write!(f, "lose {nth}"),
            Self::Silence(limit) => limited(f, "silence", limit),
        }
    }
}

/// Seconds, to the nanosecond and no digit more: what is printed is read back the same.
struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = format!("{}.{:09}", self.0.as_secs(), self.0.subsec_nanos());
        write!(f, "{}s", whole.trim_end_matches('0').trim_end_matches('.'))
    }
}
