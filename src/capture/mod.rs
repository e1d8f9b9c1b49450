//! Captures: pcap and pcapng in and out, TCP reassembly, BGP framing, canonical form.
//!
//! Start at [`Capture`], which reads a file as a stream of [`Event`]s in bounded memory;
//! [`Recorder`] writes the honest pcap of a run; [`Canonical`] is a whole capture
//! without what varies between runs. Nothing here knows of simulation or of what
//! the messages mean: a message is a marker, a length, a type and octets.

mod canonical;
mod connection;
mod error;
mod events;
mod flow;
mod framing;
mod internet;
mod link;
mod pcap;
mod pcapng;
mod reader;
mod reassembly;
mod recorder;
mod source;
mod tally;
mod tracker;
mod writer;

pub use canonical::{Canonical, Item, Stream, StreamId};
pub use connection::{Connection, ConnectionId, Direction, Peer};
pub use error::{CaptureError, CaptureErrorKind};
pub use events::{Capture, Event, EventKind};
pub use framing::JunkReason;
pub use internet::{Endpoint, Segment, Skipped, segment};
pub use link::LinkType;
pub use reader::{Packet, Reader, standard_input};
pub use recorder::{Happening, Recorder, Wire};
pub use tally::Tally;
pub use writer::{Resolution, Writer};
