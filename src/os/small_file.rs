//! Files that a person wrote, or a run of this program: of a size that has a bound, as what is larger is something else.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The most octets of a scenario, a plan, a manifest or a description.
pub const TEXT: u64 = 8 << 20;
/// The most octets of a golden.
pub const GOLDEN: u64 = 256 << 20;

/// The octets of the file at `path`.
///
/// # Errors
/// What the operating system says; `FileTooLarge` where it has more than `most`.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    let file = File::open(path)?;
    if file.metadata()?.len() <= most {
        file.take(most + 1).read_to_end(&mut octets)?;
        if octets.len() as u64 <= most {
            return Ok(octets);
        }
    }
    Err(io::Error::new(
        io::ErrorKind::FileTooLarge,
        format!("it has more than {} MiB", most >> 20),
    ))
}

/// The text of the file at `path`, of at most [`TEXT`] octets.
///
/// # Errors
/// As for [`read`]; `InvalidData` where it is no text.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path, TEXT)?)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not valid UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_is_not_read_to_it() {
        let told = read(Path::new("/dev/zero"), 1 << 20).unwrap_err();
        assert_eq!(told.to_string(), "it has more than 1 MiB");
    }
}
