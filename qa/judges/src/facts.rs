//! What a codec told of an UPDATE, as lines that can be compared.

use std::net::{IpAddr, Ipv4Addr};

use crate::Visitor;

/// Lines, one for each value; sorted before comparison, since codecs differ in the order in which they tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Facts(pub Vec<String>);

impl Facts {
    /// The lines in order.
    pub fn sorted(mut self) -> Vec<String> {
        self.0.sort();
        self.0
    }
}

fn route(address: IpAddr, length: u8, path: Option<u32>) -> String {
    match path {
        Some(path) => format!("{address}/{length} path {path}"),
        None => format!("{address}/{length}"),
    }
}

impl Visitor for Facts {
    fn origin(&mut self, origin: u8) {
        self.0.push(format!("origin {origin}"));
    }

    fn segment(&mut self, kind: u8, asns: impl Iterator<Item = u32>) {
        let asns: Vec<u32> = asns.collect();
        self.0.push(format!("segment {kind} {asns:?}"));
    }

    fn next_hop(&mut self, address: IpAddr) {
        self.0.push(format!("next-hop {address}"));
    }

    fn med(&mut self, med: u32) {
        self.0.push(format!("med {med}"));
    }

    fn local_pref(&mut self, preference: u32) {
        self.0.push(format!("local-pref {preference}"));
    }

    fn atomic_aggregate(&mut self) {
        self.0.push("atomic-aggregate".to_owned());
    }

    fn aggregator(&mut self, asn: u32, speaker: Ipv4Addr) {
        self.0.push(format!("aggregator {asn} {speaker}"));
    }

    fn community(&mut self, community: u32) {
        self.0.push(format!("community {community:08x}"));
    }

    fn large_community(&mut self, parts: [u32; 3]) {
        self.0.push(format!("large-community {parts:?}"));
    }

    fn originator_id(&mut self, id: Ipv4Addr) {
        self.0.push(format!("originator-id {id}"));
    }

    fn cluster(&mut self, id: Ipv4Addr) {
        self.0.push(format!("cluster {id}"));
    }

    fn announce(&mut self, address: IpAddr, length: u8, path: Option<u32>) {
        let route = route(address, length, path);
        self.0.push(format!("announce {route}"));
    }

    fn withdraw(&mut self, address: IpAddr, length: u8, path: Option<u32>) {
        let route = route(address, length, path);
        self.0.push(format!("withdraw {route}"));
    }
}
