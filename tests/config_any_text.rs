//! Whatever a configuration holds, it is understood or refused.

use lockstep::config;
use proptest::prelude::*;

/// Words that make a configuration go somewhere.
const WORDS: &[&str] = &[
    "neighbor",
    "process",
    "template",
    "127.0.0.1",
    "::1",
    "10.0.0.0/24",
    "10.0.0.0/0",
    "{",
    "}",
    ";",
    ";\n",
    "\n",
    "family",
    "ipv4",
    "ipv6",
    "unicast",
    "flow",
    "l2vpn",
    "vpls",
    "api",
    "processes",
    "[",
    "]",
    "(",
    ")",
    ",",
    "static",
    "route",
    "next-hop",
    "self",
    "split",
    "/24",
    "/32",
    "rd",
    "1:1",
    "label",
    "3",
    "match",
    "then",
    "scope",
    "source",
    "discard",
    "rate-limit",
    "announce",
    "mup",
    "mup-isd",
    "mcast-vpn",
    "sr-policy",
    "local-as",
    "peer-as",
    "1",
    "router-id",
    "1.2.3.4",
    "local-address",
    "inherit",
    "t",
    "capability",
    "graceful-restart",
    "add-path",
    "send/receive",
    "nexthop",
    "operational",
    "asm",
    "afi",
    "safi",
    "advisory",
    "\"",
    "'",
    "\\",
    "\\u00e9",
    "#",
    "run",
    "encoder",
    "json",
    "as-path",
    "community",
    "attribute",
    "0x20",
    "0xc0",
    "0x00",
    "processes-match",
    "^a(",
    "watchdog",
    "withdraw",
    "extended-community",
    "target:1:1",
    "attributes",
    "nlri",
    "aggregator",
    "bgp-prefix-sid",
    "interface-set",
    "all",
    "é",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in "(?s).{0,200}") {
        if let Err(error) = config::parse("any", &text) {
            prop_assert!(!error.mistakes().is_empty());
            prop_assert!(!error.render().is_empty());
        }
    }

    #[test]
    fn any_words(words in proptest::collection::vec(proptest::sample::select(WORDS), 0..60)) {
        if let Err(error) = config::parse("any", &words.join(" ")) {
            prop_assert!(!error.render().is_empty());
        }
    }

    #[test]
    fn any_words_in_a_neighbor(words in proptest::collection::vec(proptest::sample::select(WORDS), 0..40)) {
        let text = format!(
            "neighbor 127.0.0.1 {{ router-id 1.2.3.4; local-address 127.0.0.1; local-as 1; peer-as 1; static {{ {} }} }}",
            words.join(" ")
        );
        if let Err(error) = config::parse("any", &text) {
            prop_assert!(!error.render().is_empty());
        }
    }

    #[test]
    fn a_scenario_with_a_piece_cut_out(at in 0usize..2000, length in 1usize..40) {
        let text = include_str!("../scenarios/conf-flow/speaker.conf");
        let (start, end) = (at.min(text.len()), (at + length).min(text.len()));
        if text.is_char_boundary(start) && text.is_char_boundary(end) {
            let cut = format!("{}{}", &text[..start], &text[end..]);
            if let Err(error) = config::parse("cut", &cut) {
                prop_assert!(!error.render().is_empty());
            }
        }
    }
}
