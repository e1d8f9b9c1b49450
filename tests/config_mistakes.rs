//! Typical mistakes in a configuration, as they are shown.

use lockstep::config;

/// A neighbor with `body` in it, which begins on line 6.
fn neighbor(body: &str) -> String {
    format!(
        "neighbor 127.0.0.1 {{\n  router-id 1.2.3.4;\n  local-address 127.0.0.1;\n  local-as 1;\n  peer-as 1;\n{body}\n}}\n"
    )
}

fn shown(text: &str) -> String {
    match config::parse("speaker.conf", text) {
        Ok(_) => panic!("no mistake was found in:\n{text}"),
        Err(error) => error.render(),
    }
}

/// Each mistake by name; the reports are in `snapshots/`.
#[test]
fn mistakes_are_shown_with_place_and_remedy() {
    let mistakes = [
        ("misspelt keyword", neighbor("  holdtime 180;")),
        (
            "misspelt section",
            neighbor("  familly {\n    ipv4 unicast;\n  }"),
        ),
        ("missing semicolon", neighbor("  hold-time 180\n  passive;")),
        (
            "unclosed quotation mark",
            neighbor("  description \"my peer;"),
        ),
        ("hold time of two seconds", neighbor("  hold-time 2;")),
        ("switch with a strange value", neighbor("  passive maybe;")),
        (
            "family twice",
            neighbor("  family {\n    ipv4 unicast;\n    ipv4 unicast;\n  }"),
        ),
        (
            "family that is none",
            neighbor("  family {\n    ipv4 unicat;\n  }"),
        ),
        (
            "route without a next hop",
            neighbor("  static {\n    route 10.0.0.0/24 med 5;\n  }"),
        ),
        (
            "bits beyond the prefix length",
            neighbor("  static {\n    route 10.0.0.1/24 next-hop self;\n  }"),
        ),
        (
            "prefix that is none",
            neighbor("  static {\n    route 10.0.0/24 next-hop self;\n  }"),
        ),
        (
            "misspelt attribute",
            neighbor("  static {\n    route 10.0.0.0/24 next-hop self local-prefrence 5;\n  }"),
        ),
        (
            "community out of range",
            neighbor("  static {\n    route 10.0.0.0/24 next-hop self community [ 1:70000 ];\n  }"),
        ),
        (
            "route of a family not offered",
            neighbor(
                "  family {\n    ipv4 unicast;\n  }\n  static {\n    route 2001:db8::/32 next-hop 2001:db8::1;\n  }",
            ),
        ),
        (
            "unknown process",
            format!(
                "process watcher {{\n  run ./w;\n  encoder json;\n}}\n{}",
                neighbor("  api {\n    processes [ wacher ];\n  }")
            ),
        ),
        (
            "process without a program",
            "process watcher {\n  encoder json;\n}\n".to_owned(),
        ),
        (
            "unknown process option",
            "process watcher {\n  run ./w;\n  encoder json;\n  respwan true;\n}\n".to_owned(),
        ),
        (
            "attribute in octets beside the same in words",
            neighbor(
                "  static {\n    route 10.0.0.0/24 next-hop self med 5 attribute [ 0x04 0x80 0x00000006 ];\n  }",
            ),
        ),
        (
            "next hop in octets",
            neighbor(
                "  static {\n    route 10.0.0.0/24 next-hop self attribute [ 0x03 0x40 0x0a000001 ];\n  }",
            ),
        ),
        (
            "neighbor without AS numbers",
            "neighbor 127.0.0.1 {\n  local-address 127.0.0.1;\n}\n".to_owned(),
        ),
        (
            "IPv6 without a router-id",
            "neighbor ::1 {\n  local-address ::1;\n  local-as 1;\n  peer-as 1;\n}\n".to_owned(),
        ),
        (
            "neighbor twice",
            format!("{}{}", neighbor(""), neighbor("")),
        ),
        (
            "brace too many",
            format!(
                "{}}}\nprocess a {{\n  run ./a;\n  encoder json;\n}}\n",
                neighbor("")
            ),
        ),
        (
            "brace missing",
            format!("neighbor 127.0.0.1 {{\n  local-as 1;\n{}", neighbor("")),
        ),
        (
            "flow that matches everything",
            neighbor("  flow {\n    route all {\n      then { discard; }\n    }\n  }"),
        ),
        (
            "split into too many",
            neighbor("  static {\n    route 0.0.0.0/0 next-hop self split /32;\n  }"),
        ),
        (
            "several mistakes",
            neighbor("  hold-time 1;\n  pasive;\n  family {\n    ipv4 unicst;\n  }"),
        ),
    ];
    for (name, text) in mistakes {
        insta::assert_snapshot!(name.replace(' ', "_"), shown(&text));
    }
}

#[test]
fn the_place_counts_characters() {
    let error = config::parse(
        "speaker.conf",
        "# ééé\nneighbor 1.1.1.1 { description \"é\"; hold-tme 3; }",
    )
    .unwrap_err();
    assert_eq!(error.mistakes()[0].place(), "speaker.conf:2:37");
}

/// What ExaBGP passes over is passed over here too, but said; what is left is the same.
#[test]
fn what_is_ignored_is_a_warning() {
    let warned = |body: &str| {
        let text = neighbor(body);
        let configuration = config::parse("speaker.conf", &text).unwrap();
        let warnings = configuration.warnings.clone();
        (
            configuration,
            config::ConfigError::warnings("speaker.conf", &text, warnings).render(),
        )
    };
    let (configuration, shown) = warned("  hold-time 30 40;");
    assert_eq!(configuration.neighbors[0].hold_time, 30);
    insta::assert_snapshot!("ignored_words", shown);
    let (configuration, shown) = warned("  family { ipv4 unicast; all }");
    assert_eq!(configuration.neighbors[0].families.len(), 1);
    insta::assert_snapshot!("ignored_statement", shown);
    let (_, shown) = warned("  inherit upstream;");
    insta::assert_snapshot!("ignored_template", shown);
    for body in [
        "add-path { ipv4 unicast limit 10; }",
        "family { ipv4 unicast limit 10; }",
        "capability { add-path send now; asn4 enable 2; }",
        "nexthop { ipv4 unicast ipv6 first; }",
        "static here { route 10.0.0.0/24 { next-hop self; watchdog svc withdraw; } }",
        "static { route 10.0.0.0/24 best { next-hop self; } }",
        "flow { route a { match { port =80 =8080; } then { discard; } } }",
        "flow { route a { match { destination-port =3128 >8080&<8088; } then { discard; } } }",
        "api x y { neighbor-changes enable z; receive { update true 1; } }",
        "operational { adm afi ipv4 safi unicast advisory \"maintenance at noon\" now; }",
    ] {
        let (configuration, _) = warned(body);
        assert!(!configuration.warnings.is_empty(), "{body}");
    }
}
