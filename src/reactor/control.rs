//! What is asked of a running speaker from outside its configuration and its API: signals, in a daemon.

use std::fmt;
use std::task::{Context, Poll};

use tokio::sync::mpsc;

/// A request to a running speaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Control {
    /// SIGUSR1: read the configuration again; sessions that it does not change stay up.
    Reload,
    /// SIGUSR2: the same, and start every API program anew.
    Restart,
    /// SIGALRM (and the command `restart`): the same as [`Control::Restart`], and every session is established anew.
    Reestablish,
    /// SIGTERM, SIGHUP, SIGINT (and the command `shutdown`): end in order.
    Terminate,
}

impl Control {
    /// The number, on Linux, of the signal that requests it; API programs receive that number.
    #[must_use]
    pub const fn signal(self) -> u8 {
        match self {
            Self::Reload => 10,
            Self::Restart => 12,
            Self::Reestablish => 14,
            Self::Terminate => 15,
        }
    }
}

impl fmt::Display for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reload => "reload",
            Self::Restart => "reload and restart programs",
            Self::Reestablish => "restart",
            Self::Terminate => "terminate",
        })
    }
}

/// Makes requests to a speaker.
#[derive(Debug, Clone)]
pub struct ControlSender(mpsc::UnboundedSender<Control>);

/// Where a speaker finds them.
#[derive(Debug)]
pub struct ControlReceiver(mpsc::UnboundedReceiver<Control>);

/// A way to make requests to a speaker.
#[must_use]
pub fn channel() -> (ControlSender, ControlReceiver) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (ControlSender(sender), ControlReceiver(receiver))
}

impl ControlSender {
    /// Requests `control`; without effect if the speaker has ended.
    pub fn send(&self, control: Control) {
        // The receiver is gone only where the speaker has ended.
        let _ = self.0.send(control);
    }
}

impl ControlReceiver {
    /// The next request; pending for ever once every sender is gone.
    pub fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Control> {
        match self.0.poll_recv(context) {
            Poll::Ready(Some(control)) => Poll::Ready(control),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}
