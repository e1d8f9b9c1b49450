//! `show neighbor …` and `show adj-rib …`.

use crate::bgp::text::TextError;

use super::{NeighborDetail, RouteKind, Show};
use crate::api::line::Line;

/// Parses the rest of a line after `show`.
pub fn parse(words: &mut Line<'_>) -> Result<Show, TextError> {
    let what = words.expect("what to show")?;
    match what.text {
        "neighbor" => Ok(neighbor(words)),
        "adj-rib" => {
            let which = words.expect("which Adj-RIB")?;
            match which.text {
                "in" => Ok(adj_rib(true, words)),
                "out" => Ok(adj_rib(false, words)),
                _ => Err(which.unknown("as an Adj-RIB", &["in", "out"])),
            }
        }
        _ => Err(what.unknown("to show", &["neighbor", "adj-rib"])),
    }
}

fn neighbor(words: &mut Line<'_>) -> Show {
    let (mut summary, mut extensive, mut configuration) = (false, false, false);
    let (mut limit, mut json) = (None, false);
    while let Some(word) = words.word() {
        match word.text {
            "summary" => summary = true,
            "extensive" => extensive = true,
            "configuration" => configuration = true,
            "json" => json = true,
            "text" => {}
            other => limit = Some(other.to_owned()),
        }
    }
    // Said together, the shortest is shown.
    let detail = if summary {
        Some(NeighborDetail::Summary)
    } else if extensive {
        Some(NeighborDetail::Extensive)
    } else if configuration {
        Some(NeighborDetail::Configuration)
    } else {
        None
    };
    Show::Neighbor {
        limit,
        detail,
        json,
    }
}

fn adj_rib(incoming: bool, words: &mut Line<'_>) -> Show {
    let (mut limit, mut json, mut extensive) = (None, false, false);
    let mut kind = RouteKind::All;
    while let Some(word) = words.word() {
        match word.text {
            "extensive" => extensive = true,
            "json" => json = true,
            "inet" => kind = RouteKind::Inet,
            "flow" => kind = RouteKind::Flow,
            "l2vpn" => kind = RouteKind::L2vpn,
            "routes" | "static" | "text" | "neighbor" => {}
            other => limit = limit.or_else(|| Some(other.to_owned())),
        }
    }
    Show::AdjRib {
        incoming,
        limit,
        kind,
        extensive,
        json,
    }
}
