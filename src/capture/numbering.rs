//! Which of the connections of its peer a connection is, and which of all.

use std::collections::BTreeMap;

use super::connection::{Connection, Peer};

/// IANA's port for BGP.
pub(super) const BGP_PORT: u16 = 179;
/// Attempts counted so far, and connections reported.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    attempts: BTreeMap<Peer, u32>,
    pub(super) connections: usize,
    /// Octets kept at present of connections that may turn out to speak BGP.
    pub(super) considered: usize,
}

impl Numbering {
    /// Numbers a connection on which BGP is spoken.
    pub(super) fn name(&mut self, connection: &mut Connection) {
        let attempt = self.attempts.entry(connection.id.peer).or_insert(0);
        *attempt += 1;
        connection.id.attempt = *attempt;
        connection.number = self.connections;
        self.connections += 1;
    }
}
