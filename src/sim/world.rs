//! The world: its settings, its hosts, and the run that lives in it.

use std::future::{Future, poll_fn};
use std::io;
use std::net::IpAddr;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::task::LocalSet;

use crate::net::clock::{self, Clock};
use crate::net::name::Attempts;
use crate::net::timer::Timers;
use crate::sim::link::Link;
use crate::sim::network::SimNetwork;
use crate::sim::pump::{about_to_park, pump};
use crate::sim::settings::Settings;
use crate::sim::state::{Host, HostId, Shared, State};
use crate::sim::sysctl::TcpSettings;
use crate::sim::turns::{Endless, Turns};
use crate::sim::written::{WriteListener, Written};

/// A simulated world, on one thread and one virtual clock.
#[derive(Debug)]
pub struct World {
    shared: Rc<Shared>,
    runtime: Runtime,
}

/// A host: some addresses, and a loopback of its own.
#[derive(Debug, Clone)]
pub struct SimHost {
    shared: Rc<Shared>,
    host: HostId,
}

impl World {
    /// A world without hosts, at time zero.
    ///
    /// # Errors
    /// The operating system could not give the thread its parking place.
    pub fn new(settings: Settings) -> io::Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .on_thread_park(about_to_park)
            .build()?;
        let clock = {
            let _inside = runtime.enter();
            Clock::start()
        };
        let shared = Rc::new(Shared::new(State::new(settings), clock));
        Ok(Self { shared, runtime })
    }

    /// Adds a host with these addresses; 127.0.0.0/8 and ::1 are every host's own.
    ///
    /// An address that a host has already moves to the new one.
    pub fn host(&self, addresses: &[IpAddr]) -> SimHost {
        let host = self.shared.with(|state| {
            let host = state.hosts.len();
            state.owners.extend(addresses.iter().map(|it| (*it, host)));
            state.hosts.push(Host {
                addresses: addresses.to_vec(),
                tcp: state.settings.tcp,
                next_port: 0,
                wrapped: false,
            });
            host
        });
        SimHost {
            shared: self.shared.clone(),
            host,
        }
    }

    /// Lets what `from` sends to `address`, one of 127.0.0.0/8 or ::1, reach `to`, as if the two shared a loopback for
    /// it; every such address where it is `None`.
    pub fn share_loopback(&self, from: &SimHost, address: Option<IpAddr>, to: &SimHost) {
        self.shared.with(|state| {
            state.loopbacks.insert((from.host, address), to.host);
        });
    }

    /// Takes away the path between two hosts, in both directions: connecting fails at once.
    pub fn disconnect(&self, one: &SimHost, other: &SimHost) {
        self.shared.with(|state| {
            let ends = [(one.host, other.host), (other.host, one.host)];
            state.disconnected.extend(ends);
        });
    }

    /// Tells `listener` of all that sockets are given to send from now on; the first listener stays.
    pub fn on_written(&self, listener: impl Fn(&Written<'_>) + 'static) {
        let listener = WriteListener(Box::new(listener));
        let _ = self.shared.listener.set(listener);
    }

    /// The true clock, zero at the world's start; only to be read inside a run.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.shared.clock()
    }

    /// Virtual time since the start.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.shared.with(|state| state.now)
    }

    /// A handle on the paths of this world, for tasks inside a run.
    #[must_use]
    pub fn paths(&self) -> Paths {
        Paths {
            shared: self.shared.clone(),
        }
    }

    /// Runs `future` to its end in virtual time, or to `limit` since the start.
    ///
    /// Inside, `tokio::task::spawn_local` works, and so do [`timer`](crate::net::timer)s, exactly; tokio's are late by
    /// a few milliseconds at most. Tasks that are still alive when `future` ends are dropped, their sockets closed.
    ///
    /// # Errors
    /// [`Endless`].
    ///
    /// # Panics
    /// Where `future` panics.
    pub fn run<F>(&self, limit: Duration, future: F) -> Result<F::Output, Endless>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        // On its way into a task a future is moved several times.
        let future = Box::pin(future);
        let shared = &self.shared;
        let _inside = self.runtime.enter();
        let timers = Rc::new(Timers::default());
        let _installed = timers.install();
        let local = LocalSet::new();
        shared.running.set(true);
        let _released = clock::Released;
        let mut turns = Turns::default();
        let clock = shared.clock();
        let mut both = Box::pin(local.run_until(async {
            let main = tokio::task::spawn_local(future);
            let pump = tokio::task::spawn_local(pump(shared.clone(), timers.clone(), limit));
            tokio::select! {
                biased;
                finished = main => Ok(finished),
                _ = pump => Err(Endless::Time { limit }),
            }
        }));
        let turn = |context: &mut Context<'_>| match turns.take(|| clock.now()) {
            Some(endless) => Poll::Ready(Err(endless)),
            None => both.as_mut().poll(context),
        };
        let finished = self.runtime.block_on(poll_fn(turn));
        drop(both);
        drop(local);
        shared.running.set(false);
        match finished? {
            Ok(output) => Ok(output),
            Err(failure) => std::panic::resume_unwind(failure.into_panic()),
        }
    }
}

impl SimHost {
    /// Sets the host's TCP, for connections that it opens or accepts from now on.
    pub fn set_tcp(&self, settings: TcpSettings) {
        self.shared
            .with(|state| state.hosts[self.host].tcp = settings);
    }

    /// The network as a program on this host sees it.
    ///
    /// Each has connection names of its own; a clone shares them.
    #[must_use]
    pub fn network(&self) -> SimNetwork {
        self.network_named_by(Attempts::default())
    }

    /// The same, its connections named by `attempts`.
    #[must_use]
    pub fn network_named_by(&self, attempts: Attempts) -> SimNetwork {
        SimNetwork {
            shared: self.shared.clone(),
            host: self.host,
            attempts,
        }
    }
}

/// The paths between addresses, to be changed while a run goes on.
#[derive(Debug, Clone)]
pub struct Paths {
    shared: Rc<Shared>,
}

impl Paths {
    /// Gives the path from `source` to `target`, this direction only, a link of its own.
    pub fn set(&self, source: IpAddr, target: IpAddr, link: Link) {
        self.shared.with(|state| {
            state.links.insert((source, target), link);
        });
    }

    /// Cuts the path from `source` to `target`: nothing that is sent from now on arrives.
    pub fn cut(&self, source: IpAddr, target: IpAddr) {
        self.shared.with(|state| {
            if !state.cuts.contains(&(source, target)) {
                state.cuts.push((source, target));
            }
        });
    }

    /// Restores a path; what was lost arrives when TCP sends it again.
    pub fn restore(&self, source: IpAddr, target: IpAddr) {
        self.shared.with(|state| {
            let path = (source, target);
            state.cuts.retain(|cut| *cut != path);
            state.unreachable.retain(|cut| *cut != path);
        });
    }

    /// Cuts the path from `source` to `target` at a router that says so with ICMP: host unreachable.
    pub fn make_unreachable(&self, source: IpAddr, target: IpAddr) {
        self.shared.with(|state| {
            if !state.unreachable.contains(&(source, target)) {
                state.unreachable.push((source, target));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_never_waits_ends_the_run() {
        let world = World::new(Settings::default()).unwrap();
        let ended = world.run(Duration::from_secs(60), async {
            loop {
                tokio::task::yield_now().await;
            }
        });
        assert!(matches!(ended, Err(Endless::Instant { .. })), "{ended:?}");
    }
}
