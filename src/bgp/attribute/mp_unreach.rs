//! MP_UNREACH_NLRI (RFC 4760 section 4).

use crate::bgp::family::Family;
use crate::bgp::nlri::Nlri;

/// Withdrawn NLRI of one family; none at all is an End-of-RIB (RFC 4724 section 2).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MpUnreach {
    /// The family.
    pub family: Family,
    /// The routes.
    pub nlri: Vec<Nlri>,
}
