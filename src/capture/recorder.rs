//! What happened on connections, as the pcap that tcpdump would have made of it.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use etherparse::{
    EtherType, Ethernet2Header, IpNumber, Ipv4Header, Ipv6FlowLabel, Ipv6Header, TcpHeader,
    TcpOptionElement,
};

use super::connection::StreamDirection;
use super::link_type::LinkType;
use super::writer::{Resolution, Writer};

/// A connection as it will appear in the capture.
///
/// Attempts may share their ports, as they do on a kernel that reuses them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wire {
    /// The end that connects.
    pub client: SocketAddr,
    /// The end that listens.
    pub server: SocketAddr,
    /// Which connection between them, from 1.
    pub attempt: u32,
}

/// What happened on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening<'a> {
    /// SYN, SYN and ACK, ACK.
    Opened,
    /// SYN, answered by RST.
    Refused,
    /// Octets, sent and received.
    Data(StreamDirection, &'a [u8]),
    /// FIN, acknowledged.
    Finished(StreamDirection),
    /// RST.
    Reset(StreamDirection),
}

/// Octets of payload in a segment on an Ethernet: 1,500 less IPv4 and TCP headers.
const SEGMENT_IPV4: u16 = 1_460;
/// As above less the IPv6 header.
const SEGMENT_IPV6: u16 = 1_440;
/// So large a window (64 MiB) that no burst of a run fills it.
const WINDOW: u16 = u16::MAX;
const WINDOW_SCALE: u8 = 10;
const HOP_LIMIT: u8 = 64;

/// Next sequence number of client and server.
#[derive(Debug, Clone, Copy)]
struct Progress {
    next: [u32; 2],
}

/// Writes a capture with honest Ethernet, IP and TCP headers.
///
/// Octets are shown where both ends have them: every segment is acknowledged at once.
#[derive(Debug)]
pub struct Recorder<W> {
    writer: Writer<W>,
    epoch: Duration,
    connections: BTreeMap<Wire, Progress>,
    packet: Vec<u8>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    syn: bool,
    ack: bool,
    psh: bool,
    fin: bool,
    rst: bool,
}

const SYN: Flags = Flags {
    syn: true,
    ack: false,
    psh: false,
    fin: false,
    rst: false,
};
const ACK: Flags = Flags {
    syn: false,
    ack: true,
    psh: false,
    fin: false,
    rst: false,
};
const SYN_ACK: Flags = Flags { syn: true, ..ACK };
const PSH_ACK: Flags = Flags { psh: true, ..ACK };
const FIN_ACK: Flags = Flags { fin: true, ..ACK };
const RST_ACK: Flags = Flags { rst: true, ..ACK };

impl<W: Write> Recorder<W> {
    /// Begins a capture of a run that started at `epoch` since 1970.
    ///
    /// # Errors
    /// Errors of `inner`.
    pub fn new(inner: W, resolution: Resolution, epoch: Duration) -> io::Result<Self> {
        Ok(Self {
            writer: Writer::new(inner, LinkType::ETHERNET, resolution)?,
            epoch,
            connections: BTreeMap::new(),
            packet: Vec::new(),
        })
    }

    /// Writes what happened on `wire` at `time` since the start of the run.
    ///
    /// # Errors
    /// What the file says; ends of different IP versions.
    pub fn record(
        &mut self,
        time: Duration,
        wire: &Wire,
        happening: Happening<'_>,
    ) -> io::Result<()> {
        use StreamDirection::{FromClient, FromServer};

        let time = self.epoch + time;
        match happening {
            Happening::Opened => {
                self.connections.insert(
                    *wire,
                    Progress {
                        next: initial(wire),
                    },
                );
                self.send(time, wire, FromClient, SYN, &[])?;
                self.send(time, wire, FromServer, SYN_ACK, &[])?;
                self.send(time, wire, FromClient, ACK, &[])
            }
            Happening::Refused => {
                self.connections.insert(
                    *wire,
                    Progress {
                        next: initial(wire),
                    },
                );
                self.send(time, wire, FromClient, SYN, &[])?;
                self.send(time, wire, FromServer, RST_ACK, &[])
            }
            Happening::Data(direction, octets) => {
                let size = usize::from(segment_size(wire));
                let mut segments = octets.chunks(size).peekable();
                while let Some(segment) = segments.next() {
                    let flags = if segments.peek().is_none() {
                        PSH_ACK
                    } else {
                        ACK
                    };
                    self.send(time, wire, direction, flags, segment)?;
                }
                if octets.is_empty() {
                    return Ok(());
                }
                self.send(time, wire, direction.opposite(), ACK, &[])
            }
            Happening::Finished(direction) => {
                self.send(time, wire, direction, FIN_ACK, &[])?;
                self.send(time, wire, direction.opposite(), ACK, &[])
            }
            Happening::Reset(direction) => self.send(time, wire, direction, RST_ACK, &[]),
        }
    }

    /// Writes out what is buffered and gives back what was written to.
    ///
    /// # Errors
    /// What the file says.
    pub fn finish(self) -> io::Result<W> {
        self.writer.finish()
    }

    fn send(
        &mut self,
        time: Duration,
        wire: &Wire,
        direction: StreamDirection,
        flags: Flags,
        payload: &[u8],
    ) -> io::Result<()> {
        let progress = self.connections.entry(*wire).or_insert_with(|| Progress {
            next: initial(wire),
        });
        let (source, destination) = match direction {
            StreamDirection::FromClient => (wire.client, wire.server),
            StreamDirection::FromServer => (wire.server, wire.client),
        };
        let own = &mut progress.next[direction.index()];
        let mut header = TcpHeader::new(source.port(), destination.port(), *own, WINDOW);
        *own = own
            .wrapping_add(payload.len() as u32)
            .wrapping_add(u32::from(flags.syn || flags.fin));
        header.syn = flags.syn;
        header.ack = flags.ack;
        header.psh = flags.psh;
        header.fin = flags.fin;
        header.rst = flags.rst;
        if flags.ack {
            header.acknowledgment_number = progress.next[direction.opposite().index()];
        }
        if flags.rst {
            header.window_size = 0;
        }
        if flags.syn {
            let options = [
                TcpOptionElement::MaximumSegmentSize(segment_size(wire)),
                TcpOptionElement::Noop,
                TcpOptionElement::WindowScale(WINDOW_SCALE),
            ];
            header.set_options(&options).map_err(io::Error::other)?;
        }
        self.packet.clear();
        frame(&mut self.packet, source, destination, header, payload)?;
        self.writer.packet(time, &self.packet)
    }
}

/// Puts Ethernet, IP and TCP around `payload`.
fn frame(
    packet: &mut Vec<u8>,
    source: SocketAddr,
    destination: SocketAddr,
    mut tcp: TcpHeader,
    payload: &[u8],
) -> io::Result<()> {
    let ethernet = |ether_type| Ethernet2Header {
        source: hardware_address(source.ip()),
        destination: hardware_address(destination.ip()),
        ether_type,
    };
    let length = tcp.header_len() + payload.len();
    match (source.ip(), destination.ip()) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let mut ip = Ipv4Header::new(
                u16::try_from(length).map_err(io::Error::other)?,
                HOP_LIMIT,
                IpNumber::TCP,
                source.octets(),
                destination.octets(),
            )
            .map_err(io::Error::other)?;
            ip.dont_fragment = true;
            ip.header_checksum = ip.calc_header_checksum();
            tcp.checksum = tcp
                .calc_checksum_ipv4(&ip, payload)
                .map_err(io::Error::other)?;
            ethernet(EtherType::IPV4).write(packet)?;
            ip.write(packet)?;
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let ip = Ipv6Header {
                traffic_class: 0,
                flow_label: Ipv6FlowLabel::ZERO,
                payload_length: u16::try_from(length).map_err(io::Error::other)?,
                next_header: IpNumber::TCP,
                hop_limit: HOP_LIMIT,
                source: source.octets(),
                destination: destination.octets(),
            };
            tcp.checksum = tcp
                .calc_checksum_ipv6(&ip, payload)
                .map_err(io::Error::other)?;
            ethernet(EtherType::IPV6).write(packet)?;
            ip.write(packet)?;
        }
        _ => {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("a connection from {source} to {destination} mixes IPv4 and IPv6"),
            ));
        }
    }
    tcp.write(packet)?;
    packet.extend_from_slice(payload);
    Ok(())
}

/// Initial sequence numbers: any will do, but a later attempt on the same ports must start further on.
const fn initial(wire: &Wire) -> [u32; 2] {
    let attempt = wire.attempt.wrapping_mul(0x0100_0000);
    [
        attempt.wrapping_add(0x1000),
        attempt.wrapping_add(0x0080_1000),
    ]
}

const fn segment_size(wire: &Wire) -> u16 {
    match wire.client {
        SocketAddr::V4(_) => SEGMENT_IPV4,
        SocketAddr::V6(_) => SEGMENT_IPV6,
    }
}

/// A locally administered address that shows whose it is.
fn hardware_address(address: IpAddr) -> [u8; 6] {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            [0x02, 0x00, a, b, c, d]
        }
        IpAddr::V6(address) => {
            let octets = address.octets();
            [0x02, 0x06, octets[12], octets[13], octets[14], octets[15]]
        }
    }
}
