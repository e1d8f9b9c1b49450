//! What an UPDATE from a speaker without four-octet AS numbers means (RFC 6793 section 4.2.3).

use super::aggregator::Aggregator;
use super::as_path::{AsPath, Segment, SegmentKind};
use super::as4_aggregator::As4Aggregator;
use super::as4_path::As4Path;
use super::{AttributeValue, Attributes, PathAttribute};
use crate::bgp::message::open::AS_TRANS;

impl Attributes {
    /// Merges AS4_PATH into AS_PATH and lets AS4_AGGREGATOR stand for AGGREGATOR, as ExaBGP does on receipt.
    pub fn merge_four_octet(&mut self) {
        let aggregator = self.find::<Aggregator>().copied();
        if let (Some(aggregator), Some(_)) = (aggregator, self.find::<As4Aggregator>()) {
            if aggregator.asn != u32::from(AS_TRANS) {
                self.remove(As4Aggregator::CODE);
                self.remove(As4Path::CODE);
                return;
            }
            self.remove(Aggregator::CODE);
        }
        let Some(path) = self.find::<AsPath>() else {
            return;
        };
        let Some(As4Path(four)) = self.find::<As4Path>() else {
            return;
        };
        let merged = merge(path, four);
        self.remove(As4Path::CODE);
        self.replace(AttributeValue::AsPath(merged));
    }
}

/// The leading part of `path` that `four` does not cover, then `four` without confederation segments, which it must not have (section 6).
fn merge(path: &AsPath, four: &AsPath) -> AsPath {
    let outside = AsPath {
        segments: four
            .segments
            .iter()
            .filter(|segment| !segment.kind.is_confederation())
            .cloned()
            .collect(),
    };
    let (Some(mut wanted), false) = (
        path.length().checked_sub(outside.length()),
        outside.segments.is_empty(),
    ) else {
        return path.clone();
    };
    let mut merged = AsPath::default();
    for segment in &path.segments {
        if wanted == 0 {
            break;
        }
        let mut segment = segment.clone();
        if segment.kind == SegmentKind::Sequence {
            let kept = wanted.min(segment.asns.len());
            segment.asns = segment.asns[..kept].into();
            wanted -= kept;
        } else if segment.kind == SegmentKind::Set {
            wanted -= 1;
        }
        append(&mut merged, segment);
    }
    outside
        .segments
        .into_iter()
        .for_each(|segment| append(&mut merged, segment));
    merged
}

/// Appends a segment; neighbouring sequences become one.
fn append(path: &mut AsPath, segment: Segment) {
    let joins = matches!(
        segment.kind,
        SegmentKind::Sequence | SegmentKind::ConfedSequence
    );
    match path.segments.last_mut() {
        Some(last) if joins && last.kind == segment.kind => {
            last.asns = [&*last.asns, &*segment.asns].concat().into();
        }
        _ => path.segments.push(segment),
    }
}
