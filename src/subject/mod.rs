//! What is under test: our own speaker in either reactor, or a program of somebody else.
//!
//! A [`Subject`] lives on a [`Host`] until it ends, whatever it is made of. A [`Variant`] says which subject a result is
//! of: the speaker, its version or path, and the reactor where it has several. A [`description`] says how a speaker is
//! started and told what to do; [`known`] has those of this project, a user can write others; [`locate`] finds the program.
//! Nothing here knows how a run is judged.

mod control;
pub mod description;
pub mod external;
pub mod guest;
pub mod known;
pub mod launcher;
pub mod locate;
pub mod own;
mod relay;
pub mod stop;
pub mod symbols;
pub mod variant;

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::rc::Rc;

use crate::net::clock::Clock;
use crate::net::programs::Programs;
use crate::net::{HostName, Network};
use crate::reactor::control::ControlReceiver;
use crate::reactor::observer::Observer;

pub use stop::{StopAt, Stopped};
pub use variant::{SpeakerName, Variant};

/// The environment of a subject.
pub struct Host<N, P> {
    /// Its name; `None` where it is the only one under test.
    pub name: Option<HostName>,
    /// Its addresses, those of its loopback left out or not.
    pub addresses: Vec<IpAddr>,
    /// The network as the subject sees it.
    pub network: N,
    /// The port on which its peers listen.
    pub peer_port: u16,
    /// Starts the API programs of its configuration.
    pub programs: P,
    /// Its clock.
    pub clock: Clock,
    /// Requests to reload, to restart its programs and to end.
    pub control: ControlReceiver,
    /// Receives its events, if it has any.
    pub observer: Rc<dyn Observer>,
}

/// Something under test that lives on a network `N`.
pub trait Subject<N: Network> {
    /// Which subject this is.
    fn variant(&self) -> &Variant;

    /// Whether its connections are those of [`Host::network`], which names them: a process on the kernel has sockets of
    /// its own.
    fn uses_network(&self) -> bool {
        true
    }

    /// Whether it starts the API programs of its configuration.
    fn starts_programs(&self) -> bool {
        true
    }

    /// Lives on `host` until it ends. It can be called again: that is a new start.
    fn live<P: Programs>(&self, host: Host<N, P>) -> impl Future<Output = Ended>;
}

impl<N: Network, S: Subject<N>> Subject<N> for Rc<S> {
    fn variant(&self) -> &Variant {
        S::variant(self)
    }

    fn uses_network(&self) -> bool {
        S::uses_network(self)
    }

    fn starts_programs(&self) -> bool {
        S::starts_programs(self)
    }

    fn live<P: Programs>(&self, host: Host<N, P>) -> impl Future<Output = Ended> {
        S::live(self, host)
    }
}

/// How a run of the subject ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It was asked to end, or has no peer left.
    Orderly,
    /// It failed; the reason as text.
    Failed(String),
    /// It could not be put under test, which says nothing of it; the reason as text.
    Invalid(String),
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Orderly => f.write_str("ended in order"),
            Self::Failed(reason) | Self::Invalid(reason) => f.write_str(reason),
        }
    }
}
