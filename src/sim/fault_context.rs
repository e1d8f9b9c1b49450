//! What the connections of one faulty network share: the faults and the trace.

use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::net::name::ConnectionName;
use crate::sim::fault::{Action, Fault, Faults};
use crate::sim::trace::{Trace, TraceEvent};

/// What everything on one faulty network shares.
pub(super) struct FaultContext {
    pub(super) faults: Faults,
    trace: Trace,
    host: Rc<str>,
    /// Connections that must not close.
    silenced: RefCell<Vec<Box<dyn Any>>>,
}

impl fmt::Debug for FaultContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "faults of {}: {:?}", self.host, self.faults)
    }
}

impl FaultContext {
    pub(super) fn new(host: &str, trace: &Trace, faults: &Faults) -> Self {
        Self {
            faults: faults.clone(),
            trace: trace.clone(),
            host: host.into(),
            silenced: RefCell::default(),
        }
    }

    pub(super) fn trigger(&self, number: usize, fault: &Fault) {
        self.faults.trigger(number, self.trace.clock().now());
        self.trace
            .record(&self.host, TraceEvent::Fault(fault.to_string()));
    }

    pub(super) fn now(&self) -> Duration {
        self.trace.clock().now()
    }

    pub(super) fn at(&self, time: Duration) -> tokio::time::Instant {
        self.trace.clock().at(time)
    }

    /// Triggers what happens to the attempt itself, and gives it.
    pub(super) fn attempt(&self, name: ConnectionName) -> Option<Action> {
        let faults = self.faults.of(name);
        let (number, fault) = faults
            .iter()
            .find(|(_, fault)| matches!(fault.action, Action::Refuse | Action::Ignore))?;
        self.trigger(*number, fault);
        Some(fault.action)
    }

    /// Keeps `connection` from closing, so that its peer hears nothing.
    pub(super) fn silence(&self, connection: impl Any) {
        self.silenced.borrow_mut().push(Box::new(connection));
    }
}
