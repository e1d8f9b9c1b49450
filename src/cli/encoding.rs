//! What the user says of how the UPDATEs of a capture are written, where its OPENs are missing or are not to be believed.

use clap::Args;
use clap::builder::PossibleValuesParser;
use miette::miette;

use crate::bgp::attribute::WireContext;
use crate::bgp::family::{Families, Family};
use crate::bgp::nlri::KNOWN_FAMILIES;
use crate::compare::Declared;

/// How UPDATEs are written.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Encoding (default: from the OPENs, else inferred)")]
pub struct Encoding {
    /// Octets of an AS number in AS_PATH and AGGREGATOR (RFC 6793).
    #[arg(long, value_name = "OCTETS", value_parser = PossibleValuesParser::new(["2", "4"]))]
    as_width: Option<String>,
    /// Families whose NLRI carry path identifiers (RFC 7911), comma-separated: `ipv4-unicast,ipv6-unicast`, `all`, `none`.
    #[arg(long, value_name = "FAMILY[,…]", value_delimiter = ',')]
    add_path: Vec<String>,
    /// The same as `--as-width 2`.
    #[arg(long, conflicts_with = "as_width")]
    two_octet_as: bool,
    /// The same as `--add-path all`.
    #[arg(short = 'i', long, conflicts_with = "add_path")]
    path_information: bool,
}

impl Encoding {
    /// What is declared.
    ///
    /// # Errors
    /// A family that is not known.
    pub fn declared(&self) -> miette::Result<Declared> {
        let four_octet_as = match self.as_width.as_deref() {
            _ if self.two_octet_as => Some(false),
            Some(width) => Some(width == "4"),
            None => None,
        };
        let all = || KNOWN_FAMILIES.iter().copied().collect();
        let add_path = match &self.add_path[..] {
            _ if self.path_information => Some(all()),
            [] => None,
            [one] if one.trim() == "all" => Some(all()),
            [one] if one.trim() == "none" => Some(Families::new()),
            names => Some(
                names
                    .iter()
                    .map(|name| family(name))
                    .collect::<Result<_, _>>()?,
            ),
        };
        Ok(Declared {
            four_octet_as,
            add_path,
        })
    }

    /// How octets without a session are read: as declared, else with four-octet AS numbers and without path identifiers.
    ///
    /// # Errors
    /// As for [`Self::declared`].
    pub fn context(&self) -> miette::Result<WireContext> {
        let declared = self.declared()?;
        Ok(WireContext {
            four_octet_as: declared.four_octet_as.unwrap_or(true),
            add_path: declared.add_path.unwrap_or_default(),
            extended_message: true,
            bgpsec: true,
        })
    }
}

/// The family that the user calls `name`.
///
/// # Errors
/// There is none.
pub fn family(name: &str) -> miette::Result<Family> {
    let plain = name.trim().replace('/', " ");
    plain.parse().map_err(|_| {
        let known: Vec<_> = KNOWN_FAMILIES.iter().map(ToString::to_string).collect();
        miette!(
            help = format!("the families are {}", known.join(", ")),
            "`{name}` is not a family"
        )
    })
}
