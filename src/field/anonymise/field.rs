//! Fields of BGP that hold addresses, AS numbers or names, whatever is around them.

use super::key::Key;

impl Key {
    /// An address, two, or one behind a route distinguisher, told by their length.
    pub(super) fn addresses(&self, octets: &mut [u8]) {
        match octets.len() {
            4 => self.prefix(octets, 32, false),
            16 => self.prefix(octets, 128, true),
            32 => octets
                .chunks_mut(16)
                .for_each(|one| self.prefix(one, 128, true)),
            12 | 24 | 48 => {
                let width = if octets.len() == 12 { 12 } else { 24 };
                for one in octets.chunks_mut(width) {
                    let (rd, address) = one.split_at_mut(8);
                    self.distinguisher(rd);
                    self.addresses(address);
                }
            }
            _ => self.scramble(octets),
        }
    }

    /// An AS number of two octets or four.
    pub(super) fn as_number(&self, octets: &mut [u8]) {
        match octets {
            [high, low] => {
                let asn = u16::from_be_bytes([*high, *low]);
                let other = self.asn(u32::from(asn)) as u16;
                [*high, *low] = other.to_be_bytes();
            }
            [a, b, c, d] => {
                let asn = u32::from_be_bytes([*a, *b, *c, *d]);
                [*a, *b, *c, *d] = self.asn(asn).to_be_bytes();
            }
            _ => self.scramble(octets),
        }
    }

    /// A number that somebody assigned, of two octets or four.
    fn assigned(&self, octets: &mut [u8]) {
        match octets {
            [high, low] => {
                let value = u16::from_be_bytes([*high, *low]);
                let other = self.number(u32::from(value), 16) as u16;
                [*high, *low] = other.to_be_bytes();
            }
            [a, b, c, d] => {
                let value = u32::from_be_bytes([*a, *b, *c, *d]);
                [*a, *b, *c, *d] = self.number(value, 32).to_be_bytes();
            }
            _ => self.scramble(octets),
        }
    }

    /// A community (RFC 1997): AS number and value; well-known ones stay.
    pub(super) fn community(&self, octets: &mut [u8]) {
        if octets.len() != 4 {
            return self.scramble(octets);
        }
        if octets[..2] == [0xff, 0xff] || octets[..2] == [0, 0] && octets[2..] == [0, 0] {
            return;
        }
        let (asn, value) = octets.split_at_mut(2);
        self.as_number(asn);
        self.assigned(value);
    }

    /// A part of a large community (RFC 8092).
    pub(super) fn large_part(&self, octets: &mut [u8]) {
        self.assigned(octets);
    }

    /// A route distinguisher (RFC 4364 section 4.2).
    pub(super) fn distinguisher(&self, octets: &mut [u8]) {
        let [0, kind, value @ ..] = octets else {
            return self.scramble(octets);
        };
        if value.len() != 6 || value.iter().all(|octet| *octet == 0) {
            return self.scramble(value);
        }
        self.administered(*kind, value);
    }

    /// Six octets: an administrator, and a number that it assigned; `kind` says how long each is.
    fn administered(&self, kind: u8, value: &mut [u8]) {
        match kind {
            0 => {
                let (asn, number) = value.split_at_mut(2);
                self.as_number(asn);
                self.assigned(number);
            }
            1 => {
                let (address, number) = value.split_at_mut(4);
                self.addresses(address);
                self.assigned(number);
            }
            2 => {
                let (asn, number) = value.split_at_mut(4);
                self.as_number(asn);
                self.assigned(number);
            }
            _ => self.scramble(value),
        }
    }

    /// An extended community (RFC 4360), of eight octets or (RFC 5701) of twenty.
    pub(super) fn extended_community(&self, octets: &mut [u8]) {
        if octets.len() == 20 {
            self.addresses(&mut octets[2..18]);
            return self.assigned(&mut octets[18..]);
        }
        if octets.len() != 8 {
            return self.scramble(octets);
        }
        let (kind, value) = octets.split_at_mut(2);
        match (kind[0], kind[1]) {
            // Traffic rates: an AS number, and what is to be done (RFC 8955 section 7).
            (0x80, 0x06 | 0x0c) => self.as_number(&mut value[..2]),
            // Traffic action, marking: no names.
            (0x80, 0x07 | 0x09) => {}
            // Colour, encapsulation, and other opaque ones of IANA's.
            (0x03 | 0x43, _) => {}
            (0x80, 0x08) => self.administered(0, value),
            (0x81, 0x08) => self.administered(1, value),
            (0x82, 0x08) => self.administered(2, value),
            (0x00..=0x02, _) => self.administered(kind[0], value),
            (0x40..=0x42, _) => self.administered(kind[0] - 0x40, value),
            _ => self.scramble(value),
        }
    }

    /// A prefix of a flow specification, its type and lengths before it.
    pub(super) fn flow_prefix(&self, octets: &mut [u8], is_ipv6: bool) {
        let (length, offset, prefix) = match octets {
            [_, length, offset, prefix @ ..] if is_ipv6 => (*length, *offset, prefix),
            [_, length, prefix @ ..] => (*length, 0, prefix),
            _ => return,
        };
        if offset == 0 {
            self.prefix(prefix, usize::from(length), is_ipv6);
        } else {
            self.scramble(prefix);
        }
    }

    /// The value of a TLV of the prefix SID attribute (RFC 8669, RFC 9252).
    pub(super) fn prefix_sid(&self, kind: u8, value: &mut [u8]) {
        match (kind, value) {
            // Label index, originator SRGB: no names.
            (1 | 3, _) => {}
            (5 | 6, [_, sub_tlvs @ ..]) => {
                let mut rest = sub_tlvs;
                while let [sub, high, low, after @ ..] = rest {
                    let length = usize::from(u16::from_be_bytes([*high, *low])).min(after.len());
                    let (inside, next) = after.split_at_mut(length);
                    match (*sub, inside) {
                        (1, [_, sid @ ..]) if sid.len() >= 16 => self.addresses(&mut sid[..16]),
                        (_, inside) => self.scramble(inside),
                    }
                    rest = next;
                }
            }
            (_, value) => self.scramble(value),
        }
    }

    /// A sub-TLV of the tunnel encapsulation attribute (RFC 9012, RFC 9830), its type and length before it.
    pub(super) fn tunnel(&self, octets: &mut [u8]) {
        let (kind, value) = match octets {
            [kind, _, _, value @ ..] if *kind >= 128 => (*kind, value),
            [kind, _, value @ ..] => (*kind, value),
            _ => return,
        };
        match (kind, value) {
            // Colour, preference, priority, explicit null, a binding SID that is a label.
            (4 | 12 | 14 | 15, _) => {}
            (13, value) if value.len() <= 6 => {}
            (13, value) if value.len() >= 18 => self.addresses(&mut value[2..18]),
            (6, value) if value.len() >= 6 => self.addresses(&mut value[6..]),
            (129 | 130, [_, name @ ..]) => self.text(name),
            (128, [_, segments @ ..]) => {
                let mut rest = segments;
                while let [kind, length, after @ ..] = rest {
                    let length = usize::from(*length).min(after.len());
                    let (inside, next) = after.split_at_mut(length);
                    match (*kind, inside) {
                        // Weight, and a segment that is a label.
                        (1 | 9, _) => {}
                        (13, [_, _, sid @ ..]) if sid.len() >= 16 => self.addresses(&mut sid[..16]),
                        (_, [_, _, inside @ ..]) => self.scramble(inside),
                        _ => {}
                    }
                    rest = next;
                }
            }
            (_, value) => self.scramble(value),
        }
    }

    /// The value of a BGPsec_PATH attribute (RFC 8205 section 3).
    pub(super) fn secure_path(&self, value: &mut [u8]) {
        let [high, low, rest @ ..] = value else {
            return;
        };
        let length = usize::from(u16::from_be_bytes([*high, *low])).saturating_sub(2);
        let (segments, blocks) = rest.split_at_mut(length.min(rest.len()));
        for segment in segments.chunks_exact_mut(6) {
            self.as_number(&mut segment[2..]);
        }
        let mut rest = blocks;
        while let [high, low, _, after @ ..] = rest {
            let length = usize::from(u16::from_be_bytes([*high, *low])).saturating_sub(3);
            let (mut signatures, next) = after.split_at_mut(length.min(after.len()));
            while signatures.len() >= 22 {
                let (identifier, after) = signatures.split_at_mut(20);
                self.scramble(identifier);
                let length = usize::from(u16::from_be_bytes([after[0], after[1]]));
                let length = length.min(after.len() - 2);
                let (signature, after) = after[2..].split_at_mut(length);
                self.scramble(signature);
                signatures = after;
            }
            rest = next;
        }
    }

    /// The value of a TLV of a BGP-LS NLRI (RFC 9552 section 5.2).
    pub(super) fn descriptor(&self, code: u16, value: &mut [u8]) {
        match code {
            // Link identifiers, topologies, route types: numbers of the IGP's own.
            258 | 263 | 264 => {}
            512 => self.as_number(value),
            259..=262 | 513 | 514 | 516 => self.addresses(value),
            265 => {
                if let [length, prefix @ ..] = value {
                    let is_ipv6 = *length > 32;
                    self.prefix(prefix, usize::from(*length), is_ipv6);
                }
            }
            518 => value.chunks_mut(16).for_each(|sid| self.addresses(sid)),
            // A router identifier of OSPF, with that of a pseudonode; of IS-IS six octets, with one.
            515 if value.len() == 4 || value.len() == 8 => {
                value.chunks_mut(4).for_each(|one| self.addresses(one));
            }
            _ => self.scramble(value),
        }
    }

    /// The value of a TLV of the BGP-LS attribute (RFC 9552 section 5.3): names, router identifiers, addresses; other
    /// values are of the IGP.
    pub(super) fn link_state(&self, code: u16, value: &mut [u8]) {
        match code {
            1026 | 1098 => self.text(value),
            1028..=1031 | 1156 => self.addresses(value),
            1027 => self.scramble(value),
            // Metrics, bandwidths, flags, labels.
            1024 | 1088..=1095 | 1152..=1155 => {}
            _ => self.scramble(value),
        }
    }
}
