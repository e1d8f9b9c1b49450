//! CLUSTER_LIST (RFC 4456 section 8): four octets for each cluster that the route passed.

use std::net::Ipv4Addr;

use super::{Flags, PathAttribute, WireContext};
use crate::bgp::dissect::Dissector;
use crate::bgp::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::bgp::json::join;
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::{Reader, Writer};

/// The clusters that the route passed, the last one first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterList(pub Vec<Ipv4Addr>);

impl PathAttribute for ClusterList {
    const CODE: u8 = 0x0a;
    const FLAGS: Flags = Flags::OPTIONAL;
    const NAME: &'static str = "cluster-list";

    #[inline]
    fn decode(_: &WireContext, reader: Reader<'_>) -> Result<Self, DecodeError> {
        // RFC 7606 section 7.10: a non-zero multiple of 4.
        let (clusters, rest) = reader.peek().as_chunks::<4>();
        if clusters.is_empty() || !rest.is_empty() {
            return Err(reader.error(DecodeErrorKind::Length, 4));
        }
        Ok(Self(
            clusters.iter().map(|octets| (*octets).into()).collect(),
        ))
    }

    fn encode(&self, _: &WireContext, out: &mut Writer) -> Result<(), EncodeError> {
        for cluster in &self.0 {
            out.extend_from_slice(&cluster.octets());
        }
        Ok(())
    }

    fn dissect(_: &WireContext, fields: &mut Dissector<'_>) {
        let mut position = 0;
        while !fields.is_empty() {
            fields.ipv4(&position.to_string(), "CLUSTER_ID");
            position += 1;
        }
    }

    fn parse(words: &mut Words<'_>) -> Result<Self, TextError> {
        let span = words.span();
        let clusters = words
            .list("a cluster id")?
            .into_iter()
            .map(|word| {
                word.text.parse().map_err(|_| {
                    TextError::new(
                        word.span.clone(),
                        format!("`{}` is not a cluster id", word.text),
                    )
                    .help("write it as an IPv4 address")
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        if clusters.is_empty() {
            return Err(TextError::new(span, "the cluster list is empty"));
        }
        Ok(Self(clusters))
    }

    fn text(&self, out: &mut String) {
        out.push_str("[ ");
        join(&self.0, " ", out);
        out.push_str(" ]");
    }

    fn json(&self, out: &mut String) {
        out.push_str("[ ");
        join(self.0.iter().map(|id| format!("\"{id}\"")), ", ", out);
        out.push_str(" ]");
    }
}
