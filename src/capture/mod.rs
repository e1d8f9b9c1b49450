//! Captures: pcap, pcapng and MRT in, pcap out; TCP reassembly, BGP framing, canonical form.
//!
//! Start at [`Capture`], which reads a file as a stream of [`CaptureEvent`]s in bounded memory;
//! [`Recorder`] writes the honest pcap of a run; [`Canonical`] is a whole capture
//! without what varies between runs. Nothing here knows of simulation or of what
//! the messages mean: a message is a marker, a length, a type and octets.

mod bmp;
mod canonical;
mod connection;
mod decapsulator;
mod decompress;
mod envelope;
mod error;
mod events;
mod flow;
mod fragments;
mod framing;
mod internet;
mod layer;
mod link;
mod link_type;
mod mrt;
mod numbering;
mod order;
mod packet;
mod pcap;
mod pcapng;
mod read;
mod reader;
mod reassembly;
mod recorder;
mod source;
mod table;
mod tally;
mod tracker;
mod writer;

pub use canonical::{Canonical, Item, Stream, StreamId};
pub use connection::{Connection, ConnectionId, Encoding, Peer, StreamDirection, Via};
pub use decapsulator::Decapsulator;
pub use error::{CaptureError, CaptureErrorKind};
pub use events::{Attempt, CaptureEvent, EventKind, Note};
pub use framing::JunkReason;
pub use internet::{Endpoint, Segment};
pub use link_type::LinkType;
pub use packet::Packet;
pub use read::Capture;
pub use reader::{Reader, is_capture};
pub use recorder::{Happening, Recorder, Wire};
pub use tally::{Skipped, Tally, counted};
pub use writer::{Resolution, Writer};
