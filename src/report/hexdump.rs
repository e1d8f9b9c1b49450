//! Octets in rows of sixteen, some of them marked.

use std::fmt::Write as _;

use super::style::style;
use crate::bgp::hex;
use similar::{Algorithm, DiffOp, capture_diff_slices};

const ROW: usize = 16;
/// Messages longer than this are compared octet by octet in place, without a search for what moved.
const SEARCHED: usize = 4_096;

/// For each octet of both, whether the other side has it too.
#[must_use]
pub fn marks(left: &[u8], right: &[u8]) -> [Vec<bool>; 2] {
    let mut marks = [vec![true; left.len()], vec![true; right.len()]];
    if left.len().max(right.len()) > SEARCHED {
        for (at, (a, b)) in left.iter().zip(right).enumerate() {
            marks[0][at] = a != b;
            marks[1][at] = a != b;
        }
        return marks;
    }
    for operation in capture_diff_slices(Algorithm::Myers, left, right) {
        if let DiffOp::Equal {
            old_index,
            new_index,
            len,
        } = operation
        {
            marks[0][old_index..old_index + len].fill(false);
            marks[1][new_index..new_index + len].fill(false);
        }
    }
    marks
}

/// `octets` in rows, each after `indent` and its offset; the marked ones in bold red, and underlined by carets.
#[must_use]
pub fn rows(octets: &[u8], marked: &[bool], indent: &str, colours: bool) -> String {
    let mut out = String::new();
    let is_marked = |at: usize| marked.get(at).copied().unwrap_or(false);
    let mut skipped = false;
    for start in (0..octets.len()).step_by(ROW) {
        let row = start..(start + ROW).min(octets.len());
        let any = row.clone().any(is_marked);
        // Of what is the same, the first rows and those beside a difference are enough.
        let near = (start.saturating_sub(ROW)..row.end + ROW).any(is_marked);
        if start > ROW && !near && !marked.is_empty() {
            if !skipped {
                let _ = writeln!(out, "{indent}   …");
            }
            skipped = true;
            continue;
        }
        skipped = false;
        let _ = write!(out, "{indent}{start:04x} ");
        let mut carets = String::new();
        for at in row.clone() {
            let gap = if at - start == ROW / 2 { "  " } else { " " };
            out.push_str(gap);
            carets.push_str(gap);
            let octet = hex::text(&octets[at..=at]);
            if is_marked(at) {
                let shown = style(octet).red().bold().force_styling(colours);
                let _ = write!(out, "{shown}");
                carets.push_str("^^");
            } else {
                out.push_str(&octet);
                carets.push_str("  ");
            }
        }
        out.push('\n');
        if any {
            let _ = writeln!(out, "{indent}     {}", carets.trim_end());
        }
    }
    out
}
