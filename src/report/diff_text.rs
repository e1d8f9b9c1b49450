//! What a comparison found, for a person.

use std::fmt::Write as _;

use super::style::style;

use super::hexdump;
use super::summary::summary;
use super::tree::tree;
use crate::bgp::attribute::WireContext;
use crate::bgp::dissect;
use crate::capture::StreamDirection;
use crate::compare::{
    Class, ComparedItem, ComparedItemKind, Difference, FieldDifference, Pairing, Report, Side,
    telling,
};

/// How much to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextOptions {
    /// Differences to show in full; the rest get a line each.
    pub full: usize,
    /// Differences to show at all.
    pub limit: usize,
    /// Write in colour.
    pub colours: bool,
}

/// The outcome of comparing the captures that the user calls `names`.
#[must_use]
pub fn text(report: &Report, names: [&str; 2], options: TextOptions) -> String {
    let mut out = String::new();
    for problem in &report.problems {
        let _ = writeln!(
            out,
            "{} {problem}",
            paint("problem:", true, options.colours)
        );
    }
    for (name, unread) in names.iter().zip(&report.unread) {
        if !unread.is_empty() {
            let label = paint("not read:", true, options.colours);
            let _ = writeln!(out, "{label} {name}: {}", unread.join(", "));
        }
    }
    for pairing in &report.pairings {
        let label = paint("paired:", false, options.colours);
        let _ = writeln!(out, "{label} {}", paired(pairing));
    }
    if !report.ignored.is_empty() {
        let label = paint("not compared:", false, options.colours);
        let _ = writeln!(out, "{label} {}", report.ignored.join(", "));
    }
    let _ = writeln!(out, "{}", headline(report));
    for (number, difference) in report.differences.iter().take(options.limit).enumerate() {
        if number < options.full {
            out.push('\n');
            out.push_str(&full(difference, names, number == 0, options.colours));
        } else {
            if number == options.full {
                out.push_str("\nfurther differences\n");
            }
            let _ = writeln!(out, "  {}", line(difference));
        }
    }
    let all: u64 = report.counts.values().sum();
    let shown = report.differences.len().min(options.limit) as u64;
    if all > shown {
        let _ = writeln!(out, "  … and {} more", all - shown);
    }
    out
}

/// Which connections were compared with each other, and why.
fn paired(pairing: &Pairing) -> String {
    let mut text = format!("{} in A with {} in B: ", pairing.left, pairing.right);
    text.push_str(&pairing.reasons.join(", "));
    if pairing.swapped {
        text.push_str("; the other end opened it");
    }
    for (side, own, other) in [(Side::Left, "A", "B"), (Side::Right, "B", "A")] {
        let before = pairing.before(side);
        if before > 0 {
            let messages = count(before, "message");
            let _ = write!(
                text,
                "; {own} begins mid-session, after {messages} of {other}"
            );
        }
    }
    text
}

/// One line: how much is the same, and what differs how often.
#[must_use]
pub fn headline(report: &Report) -> String {
    let mut text = format!(
        "{}, {} the same",
        count(report.connections, "connection"),
        count(report.matched, "message"),
    );
    if report.equivalent > 0 {
        let _ = write!(text, " ({} of them in other bytes)", report.equivalent);
    }
    if report.is_same() {
        text.push_str(match (report.is_complete(), report.matched) {
            (true, _) => "; nothing differs",
            (false, 0) => "; nothing was compared",
            (false, _) => "; nothing differs in what was read, which is not all",
        });
        return text;
    }
    let classes: Vec<String> = report
        .counts
        .iter()
        .map(|(class, count)| format!("{count} {class}"))
        .collect();
    let all = report.counts.values().sum();
    let _ = write!(
        text,
        "; {}: {}",
        count(all, "difference"),
        classes.join(", ")
    );
    text
}

/// One difference, with everything that helps to understand it.
fn full(difference: &Difference, names: [&str; 2], first: bool, colours: bool) -> String {
    let mut out = String::new();
    let title = if first {
        "first divergence"
    } else {
        "divergence"
    };
    let _ = writeln!(
        out,
        "{}: {}",
        paint(title, false, colours),
        place(difference)
    );
    let fields = difference.fields();
    let _ = write!(
        out,
        "  {}",
        paint(&difference.class.to_string(), true, colours)
    );
    match telling(&fields) {
        Some(field) => {
            let _ = writeln!(out, ": {}", in_words(field));
        }
        None => out.push_str(&aside(difference)),
    }
    for entry in &difference.context {
        let _ = writeln!(out, "  =  {}", message_text(entry, &difference.contexts[0]));
    }
    let sides = [
        ("A", names[0], &difference.left, &difference.contexts[0]),
        ("B", names[1], &difference.right, &difference.contexts[1]),
    ];
    for (sign, _, entries, context) in sides {
        for entry in entries {
            let _ = writeln!(out, "  {sign}  {}", message_text(entry, context));
        }
        let more = difference.messages.saturating_sub(entries.len() as u64);
        if !entries.is_empty() && more > 0 {
            let _ = writeln!(out, "  {sign}  … and {more} more");
        }
        if entries.is_empty() {
            let _ = writeln!(out, "  {sign}  nothing");
        }
    }
    if fields.len() > 1 {
        out.push_str("  fields that differ\n");
        for field in &fields {
            let _ = writeln!(out, "     {}", in_words(field));
        }
    }
    octets(difference, &fields, colours, &mut out);
    out
}

/// Hex and field tree of each side.
fn octets(difference: &Difference, fields: &[FieldDifference], colours: bool, out: &mut String) {
    if matches!(
        difference.class,
        Class::Timing | Class::Reordered | Class::ConnectionMissing | Class::ConnectionExtra
    ) {
        return;
    }
    let marks = match (&difference.left[..], &difference.right[..]) {
        ([left], [right]) if !left.octets.is_empty() && !right.octets.is_empty() => {
            hexdump::marks(&left.octets, &right.octets)
        }
        _ => [vec![], vec![]],
    };
    let ranges = [
        fields
            .iter()
            .filter_map(|field| field.left.as_ref())
            .map(|field| field.range.clone())
            .collect::<Vec<_>>(),
        fields
            .iter()
            .filter_map(|field| field.right.as_ref())
            .map(|field| field.range.clone())
            .collect(),
    ];
    let sides = [("A", &difference.left), ("B", &difference.right)];
    for (at, (sign, entries)) in sides.into_iter().enumerate() {
        for entry in entries.iter().filter(|entry| !entry.octets.is_empty()) {
            let _ = writeln!(out, "  {sign}  message {}, octets", entry.index + 1);
            out.push_str(&hexdump::rows(&entry.octets, &marks[at], "     ", colours));
            if entry.kind == ComparedItemKind::Message {
                let _ = writeln!(out, "  {sign}  decoded");
                let node = dissect::message(&difference.contexts[at], &entry.octets);
                out.push_str(&tree(&node, &entry.octets, &ranges[at], "     ", colours));
            }
        }
    }
}

/// One difference in a line.
#[must_use]
pub fn line(difference: &Difference) -> String {
    let entry = difference
        .left
        .first()
        .map(|entry| (entry, &difference.contexts[0]))
        .or_else(|| {
            difference
                .right
                .first()
                .map(|entry| (entry, &difference.contexts[1]))
        });
    let what = entry.map_or_else(String::new, |(entry, context)| message_text(entry, context));
    format!("{}: {what}", title(difference))
}

/// Where it is and in what way the two differ.
#[must_use]
pub fn title(difference: &Difference) -> String {
    format!("{}: {}", place(difference), difference.class)
}

/// In what way the two differ, and at which message, where the connection is known.
#[must_use]
pub fn short_title(difference: &Difference) -> String {
    let (who, number) = (sender(difference), number(difference));
    format!("{}: message {number} from the {who}", difference.class)
}

fn place(difference: &Difference) -> String {
    let id = difference.stream.connection;
    let address = id.peer.sender(difference.stream.direction);
    let (who, number) = (sender(difference), number(difference));
    format!("connection {id}, from the {who} {address}, message {number}")
}

const fn sender(difference: &Difference) -> &'static str {
    match difference.stream.direction {
        StreamDirection::FromClient => "client",
        StreamDirection::FromServer => "server",
    }
}

/// The message's number, from 1.
fn number(difference: &Difference) -> u64 {
    let first = difference.left.first().or_else(|| difference.right.first());
    first.map_or(0, |entry| entry.index + 1)
}

/// What there is to say of a difference that has no field of its own.
fn aside(difference: &Difference) -> String {
    match (
        difference.class,
        difference.left.first(),
        difference.right.first(),
    ) {
        (Class::Timing, Some(left), Some(right)) => {
            let apart = left.since_open.abs_diff(right.since_open);
            let word = if right.since_open > left.since_open {
                "later"
            } else {
                "earlier"
            };
            format!(": B is {} {word}\n", seconds(apart))
        }
        (Class::Reordered, Some(left), Some(right)) => format!(
            ": message {} of A is message {} of B\n",
            left.index + 1,
            right.index + 1
        ),
        (Class::Missing, ..) if difference.right.is_empty() => ": B has nothing here\n".to_owned(),
        (Class::Missing, ..) => ": lost from the capture that is B\n".to_owned(),
        (Class::Extra, ..) if difference.left.is_empty() => ": A has nothing here\n".to_owned(),
        (Class::Extra, ..) => ": lost from the capture that is A\n".to_owned(),
        _ => "\n".to_owned(),
    }
}

/// `LOCAL_PREF › Attribute Value (RFC 4271 section 5.1.5): 100 in A, 200 in B`.
#[must_use]
pub fn in_words(field: &FieldDifference) -> String {
    let mut text = field.name.clone();
    if let Some((rfc, section)) = field
        .source
        .rsplit_once(' ')
        .filter(|(rfc, _)| rfc.contains(' '))
    {
        let _ = write!(text, " ({rfc} section {section})");
    } else if !field.source.is_empty() {
        let _ = write!(text, " ({})", field.source);
    }
    let side = |field: &Option<crate::compare::Field>| match field {
        Some(field) if field.value.is_empty() => "there".to_owned(),
        Some(field) => field.value.clone(),
        None => "absent".to_owned(),
    };
    let _ = write!(
        text,
        ": {} in A, {} in B",
        side(&field.left),
        side(&field.right)
    );
    text
}

/// An entry in one line: when, and what it says.
#[must_use]
pub fn message_text(entry: &ComparedItem, context: &WireContext) -> String {
    let what = match entry.kind {
        ComparedItemKind::Message => summary(context, &entry.octets),
        ComparedItemKind::Junk(reason) => format!(
            "{} octets that are not a BGP message: {reason}",
            entry.octets.len()
        ),
        ComparedItemKind::Gap(lost) => format!("{lost} octets that are not in the capture"),
        ComparedItemKind::Finished => "FIN".to_owned(),
        ComparedItemKind::Reset => "RST".to_owned(),
    };
    format!("{:>13}  {what}", format!("+{}", seconds(entry.since_open)))
}

/// Nanoseconds as seconds.
#[must_use]
pub fn seconds(nanoseconds: u64) -> String {
    format!(
        "{}.{:06} s",
        nanoseconds / 1_000_000_000,
        nanoseconds % 1_000_000_000 / 1_000
    )
}

fn count(number: u64, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ if what.ends_with("ch") => format!("{number} {what}es"),
        _ => format!("{number} {what}s"),
    }
}

fn paint(text: &str, alarming: bool, colours: bool) -> String {
    let styled = style(text).bold();
    let styled = if alarming { styled.red() } else { styled };
    styled.force_styling(colours).to_string()
}
