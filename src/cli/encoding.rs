//! Options that declare the encoding of UPDATEs in a capture whose OPENs are missing or wrong.

use clap::Args;
use clap::builder::PossibleValuesParser;
use miette::miette;

use crate::bgp::attribute::WireContext;
use crate::bgp::family::{Families, Family};
use crate::bgp::nlri::KNOWN_FAMILIES;
use crate::compare::Declared;

/// The encoding of UPDATEs.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Encoding (default: from the OPENs, else inferred)")]
pub struct Encoding {
    /// Octets of an AS number in AS_PATH and AGGREGATOR (RFC 6793).
    #[arg(long, value_name = "OCTETS", value_parser = PossibleValuesParser::new(["2", "4"]))]
    as_width: Option<String>,
    /// Families whose NLRI carry path identifiers (RFC 7911), comma-separated: `ipv4-unicast,ipv6-unicast`, `all`,
    /// `none`.
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
    /// The first of these options that was given, as it is written.
    #[must_use]
    pub fn option(&self) -> Option<&'static str> {
        let given = [
            (self.as_width.is_some(), "--as-width"),
            (!self.add_path.is_empty(), "--add-path"),
            (self.two_octet_as, "--two-octet-as"),
            (self.path_information, "--path-information"),
        ];
        let mut given = given.iter().filter(|(is_given, _)| *is_given);
        given.next().map(|(_, option)| *option)
    }

    /// The declared encoding.
    ///
    /// # Errors
    /// An unknown family.
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

    /// The encoding of octets without a session: as declared, else four-octet AS numbers and no path identifiers.
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

/// The family named `name`.
///
/// # Errors
/// An unknown name.
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
