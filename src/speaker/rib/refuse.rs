//! Why a route cannot be announced.

use thiserror::Error;

use crate::bgp::error::EncodeError;
use crate::bgp::family::Family;

/// A route that cannot go on the wire. ExaBGP logs such a route and sends nothing; here the error is returned to the
/// announcer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refused {
    /// Something does not fit its field.
    #[error("the route cannot be encoded: {0}")]
    Encode(#[from] EncodeError),
    /// The family needs a next hop.
    #[error("a route of {0} needs a next-hop")]
    NoNextHop(Family),
    /// The family is not among the neighbor's.
    #[error("the route family {0} is not configured on the neighbor")]
    Family(Family),
    /// `next-hop self` where our address is of another family.
    #[error(
        "use of \"next-hop self\": the route ({0}) does not have the same family as the BGP session"
    )]
    NextHopSelf(Family),
    /// Even alone the route is longer than a message may be.
    #[error("the route needs a message of {needed} octets, which may have {limit}")]
    TooLong {
        /// Octets of the message that would carry it.
        needed: usize,
        /// Octets that a message may have.
        limit: usize,
    },
}
