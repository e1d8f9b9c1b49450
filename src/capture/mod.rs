//! pcap and pcapng in and out, TCP reassembly, BGP framing.
