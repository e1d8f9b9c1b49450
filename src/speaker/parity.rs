//! ExaBGP 5.0.15's habits that this speaker keeps, each with its reason or with where ExaBGP has it, and the departures from
//! them. Everything else follows the RFC. `lockstep help parity` prints this table; `qa/differential/run` and the tests of
//! `tests/differential` hold the speaker to it.

use std::fmt::Write as _;

/// What is kept for parity, by area.
pub const KEPT: &[(&str, &[&str])] = &[
    (
        "OPEN",
        &[
            "Each capability stands in an optional parameter of its own, in ExaBGP's order (`capabilities.py new`): goldens fix it.",
            "Multisession is sent as two capabilities of one octet, flags and Session Id, and again under Cisco's code (`ms.py extract`).",
            "The first OPEN of a process claims the Restart State bit, later ones do not (`peer.py FORCE_GRACEFUL`): it cannot know whether it restarted, and a wrong claim costs the peer little.",
            "With `peer-as auto` any AS is accepted; with `local-as auto` our OPEN waits for the peer's and repeats its AS (`protocol.py new_open`).",
        ],
    ),
    (
        "NOTIFICATION",
        &[
            "The data is a text in English where the RFC defines none (`notification.py Notify`): users grep for it. The texts are ExaBGP's, in `speaker/session`. Where an RFC defines the data, the RFC is followed.",
            "An unknown message type is answered 1/3 with `can not decode message of type \"255\"` (`protocol.py read_message`).",
            "No OPEN within `exabgp_bgp_openwait` is answered 1/1, not 4/0 (`peer.py _read_open`).",
            "An UPDATE with routes of a family that was not negotiated is answered 3/9 (`mprnlri.py unpack`); RFC 4760 section 7 leaves it open.",
            "A second KEEPALIVE on a session with hold time 0 is answered 2/6 (`timer.py check_ka`).",
            "Where we announced graceful restart, a teardown closes without a NOTIFICATION (`peer.py _main`).",
            "When the speaker ends, sessions close without a NOTIFICATION (`loop.py shutdown`).",
        ],
    ),
    (
        "Timers",
        &[
            "The first periodic KEEPALIVE is counted from the moment the session is established, and an UPDATE does not put the next one off (`keepalive.py`, `timer.py SendTimer`).",
            "The delay before the next connection: 0, 1, 2, 3, 4, 5, 7 … 60 s (`delay.py`).",
        ],
    ),
    (
        "Collision",
        &[
            "It is decided when the connection is accepted, with the identifier of the OPEN received on the other connection (`peer.py handle_connection`): `speaker/collision.rs`.",
        ],
    ),
    (
        "Adj-RIB-Out",
        &[
            "A route is remembered as announced when it is queued, not when it is sent (`cache.py update_cache`).",
            "Changes leave by attribute set in the order in which each set was first used, then by family; a change that replaces another of the same route and attributes takes its place (`outgoing.py _update_rib`).",
            "The next hop belongs to the attribute set only where it is an attribute: flow specifications, VPLS and SR policies of one set wait together.",
            "Refreshed routes leave before queued changes, between BoRR and EoRR of every family asked for, each in an UPDATE of its own (`outgoing.py updates`).",
            "Families are walked in the order of a CPython set (`cache.py cached_changes`): `rib/order.rs`.",
            "The first batch of a session leaves out withdraws (`peer.py _main include_withdraw`).",
            "`group-updates` packs IPv4 unicast and MVPN only, ordered by path identifier, prefix length and prefix (`outgoing.py updates`, `update/__init__.py _split_nlris`).",
            "`flush adj-rib out` sends BoRR and EoRR where route refresh is configured, whether the peer knows them or not (`loop.py neighbor_rib_resend`).",
            "`rate-limit` counts turns per second, each of one message (`loop.py _rate_limited`).",
            "End-of-RIB goes out for each negotiated family in the order of the peer's OPEN, once there is no route left to send; without a negotiated family a KEEPALIVE stands for it (`protocol.py new_eors`).",
        ],
    ),
    (
        "UPDATE",
        &[
            "MP_REACH_NLRI and MP_UNREACH_NLRI come last (`update/__init__.py _mp_messages`); RFC 7606 section 5.1 wants them first.",
            "NEXT_HOP is sent beside MP_REACH_NLRI where the next hop is IPv4, but for flow specification, VPLS and SR policy.",
            "Withdraws of families other than unicast and multicast carry attributes (`_carries_attributes`).",
            "AS4_PATH stands right after AS_PATH (`aspath.py pack`).",
        ],
    ),
    (
        "NLRI and attributes",
        &[
            "The habits of text, JSON and octets stand in the files of the families and attributes, each under \"Parity\": the bottom-of-stack bit of VPLS labels and SR policies' binding SIDs, extended communities sorted, AS numbers above 65535 in communities of type 1, hidden kinds shown in hexadecimal, 13 bits of an interface group.",
            "An attribute in octets (`attribute [ CODE FLAGS VALUE ]`) is sent as it stands, MP_REACH_NLRI and MP_UNREACH_NLRI included (`generic.py`). Only LOCAL_PREF and AIGP are left out where the session has no place for them, as they are when written in words.",
        ],
    ),
    (
        "Configuration",
        &[
            "Words behind the last value of a statement, a statement that `}` cuts off, and a template that is not defined are ignored. ExaBGP says nothing; here each is a warning with its place.",
            "Of a keyword that is repeated in a route the first counts for an attribute and the last for anything else; extended communities are joined. Of several next hops of an IPv4 unicast route the first is NEXT_HOP; of any other route the last stands in MP_REACH_NLRI (`attributes.py add`, `scope.py nlri_nexthop`).",
            "A program is looked for in /etc/exabgp, beside the configuration and in PATH, and the last that is found counts. Without it the configuration is refused (`process/parser.py run`).",
        ],
    ),
    (
        "Reload",
        &[
            "A session is established anew where `bgp/neighbor.py __eq__` finds a difference. A changed description, source-interface, md5-base64, manual-eor, add-path, nexthop, operational, api or route leaves it up; routes, operational messages and what programs hear change at once, the rest with the next session. `tests/differential/reloads.jsonl` has every statement.",
            "Configured OPERATIONAL messages are sent again at each reload (`neighbor/__init__.py _init_neighbor`).",
            "A program that runs keeps its command and its encoder until it is started again: at SIGUSR2, or when it has ended (`processes.py start`).",
        ],
    ),
    (
        "API",
        &[
            "When the speaker ends, programs are told `down` with `stop, message [shutting down]` for each session, then `shutdown` (`loop.py shutdown`).",
            "`reload`, `restart` and `shutdown` are answered before they are done.",
            "Routes that a command announces go to no neighbor where one of those that it is for cannot say `next-hop self` (`neighbor.py remove_self`).",
        ],
    ),
];

/// Where ExaBGP does something else, because a peer would be left with wrong routes, or a user with a surprise.
pub const DEPARTURES: &[(&str, &[&str])] = &[
    (
        "Protocol",
        &[
            "A queued change that is older than another of the same route but would leave after it is cancelled. ExaBGP sends both, so after announce A, announce B, announce A in one batch its peer is left with B.",
            "Where the first batch of a session leaves a withdraw out, it leaves the announcement before it out too. ExaBGP sends the announcement, and the route stays at the peer.",
            "A route that does not fit a message is refused when it is announced. ExaBGP logs it and sends nothing.",
            "OPEN in Established is answered 5/3 (RFC 6608). ExaBGP ignores it.",
            "A ROUTE-REFRESH with an unknown subtype is ignored (RFC 7313 section 5). ExaBGP answers 7/2.",
            "A ROUTE-REFRESH of a wrong length is answered 7/1 (RFC 7313 section 5), and a request may have outbound route filters behind it (RFC 5291). ExaBGP answers 1/2 to every other length than 23.",
            "An OPERATIONAL message must have exactly the length that its type requires; otherwise it is answered 5/0. ExaBGP rejects only messages that are too short, so extra octets would go unnoticed.",
            "An OPERATIONAL message of an unknown type is reported with its octets. ExaBGP's reader fails on it.",
            "BoRR and EoRR of the peer need no answer. ExaBGP sends its routes again at each.",
            "The delay before the next connection starts over once a session has lasted 10 seconds, or when we ended it. ExaBGP starts it over with each session that is established, and connects in a busy loop to a peer that ends each session at once.",
            "The first UPDATEs of a session wait 10 ms for what the peer sent behind its KEEPALIVE, and where programs are told of UPDATEs in both directions up to 250 ms for the peer's first one. ExaBGP's loop is as slow by itself.",
            "The hold timer expires at the hold time. ExaBGP counts whole seconds and expires up to a second late.",
            "JSON is JSON. ExaBGP leaves out a comma in type-1 sessions of MUP, writes `%s` and `%d` in the place of SRv6 SIDs and behaviors, and NaN for a bandwidth that is no number.",
            "JSON tells the family that a route has. ExaBGP calls BGP-LS-VPN `bgp-ls bgp-ls`, and takes the AFI of a MUP route of unknown type for its architecture.",
            "Several VPLS routes may stand in one attribute. ExaBGP reads one.",
            "A route target constraint is as long as its prefix length says (RFC 4684 section 4), and its route target is shown as in extended communities. ExaBGP always reads 96 bits, and shows a redirect to a 4-octet AS by the name of a Python class.",
            "Lengths inside an SRv6 service are held to the octets that there are. ExaBGP reads what is there.",
            "An IPv6 /32 may be announced to an IPv4 neighbor. ExaBGP then refuses the neighbor (`netmask.py` shares one object).",
        ],
    ),
    (
        "Configuration and API",
        &[
            "A mistake is an error. ExaBGP passes over brackets that do not match, a `}` too many with all that follows it, a match of a flow that names no value, and a sequence number below 0.",
            "What is right is accepted: an empty statement, `as-path 65000` without brackets, commas between communities, the families `ipv6 multicast` and `ipv4 rtc` (which ExaBGP offers where no family is named), `router-id` in an operational message, `route-distinguisher` of a VPLS. ExaBGP refuses each or falls over it.",
            "A route is of the family that its words name, wherever it stands. ExaBGP sends labels and route distinguishers as part of a prefix of IPv4 or IPv6 unicast for `announce { ipv4 { mpls-vpn … } }` and for a `static` block with `label` alone, loses them where a block is `split`, makes every route with a route distinguisher before a `static` block one of mpls-vpn, and gives all the prefixes of `attributes … nlri` the family of the last. Where a `family` section names unicast alone, `announce { ipv4 { mpls-vpn … } }` is refused here, and sent as malformed octets there.",
            "`announce { ipv4 { flow-vpn … } }` takes `rd` and wants it (RFC 8955 section 8). ExaBGP has no word for it and sends none.",
            "`attributes … nlri` of a configuration is announced. ExaBGP reads it and never sends it.",
            "Commands are understood as they stand: `neighbor` chooses for `show` and `announce operational` too, an advisory may have spaces, `withdraw watchdog` is one only where it begins the command. ExaBGP finds the words anywhere in the line.",
            "`help` names the commands of the development branch too.",
            "An attribute in octets is refused where another word says what is sent under its code, and so is a next hop in octets. ExaBGP leaves the second out, or falls over it.",
            "Where NEXT_HOP is sent beside MP_REACH_NLRI, both have the same next hop: of several the first for IPv4 multicast, else the last. ExaBGP puts the first into NEXT_HOP and the last into MP_REACH_NLRI, also where one is IPv4 and the other IPv6.",
            "A command cut off by `}` is an error: a flow without its last match would match more.",
            "The advisory of an OPERATIONAL message is sent whole. ExaBGP ends it at its first space, with the quotation mark in it, where a command says it.",
            "`restart` and SIGALRM take up the new configuration whole, and nothing where it has mistakes. ExaBGP keeps the old definitions of its neighbors, adds no new ones, and restarts sessions and programs under a configuration that it refused.",
            "`nexthop`, `aigp` and `software-version` mean the same whether disabled or omitted, so a change from one to the other resets no session. ExaBGP resets it.",
            "SIGUSR2 starts a program with `respawn false` again. ExaBGP ends it and leaves it ended.",
            "A reload leaves the sessions of peers in a range alone. ExaBGP closes them all.",
            "An answer waits until the program has read the answer before it, unless more than 8 wait, so that a program which calls select() on a buffered standard input sees each. ExaBGP's answers come one by one because its loop is slow.",
        ],
    ),
];

/// What cannot be compared.
pub const WITHOUT_REFERENCE: &str = "5.0.15 has neither ONLY_TO_CUSTOMER nor a word for a role (RFC 9234), and no command \
`exabgp encode`: there is nothing to compare Lockstep's with.";

/// Characters of a line of [`text`].
const WIDTH: usize = 100;

/// The whole table for a terminal.
#[must_use]
pub fn text() -> String {
    let mut out = String::from("What Lockstep keeps of ExaBGP 5.0.15\n");
    sections(KEPT, &mut out);
    out.push_str("\nWhere Lockstep departs from ExaBGP 5.0.15\n");
    sections(DEPARTURES, &mut out);
    out.push('\n');
    wrapped(WITHOUT_REFERENCE, "", &mut out);
    out
}

fn sections(table: &[(&str, &[&str])], out: &mut String) {
    for (title, habits) in table {
        let _ = writeln!(out, "\n{title}");
        for habit in *habits {
            wrapped(habit, "  ", out);
        }
    }
}

/// Appends `text` in lines of [`WIDTH`], the first marked, where there is an indent.
fn wrapped(text: &str, indent: &str, out: &mut String) {
    let (first, rest) = if indent.is_empty() {
        ("", "")
    } else {
        ("  - ", "    ")
    };
    let mut line = first.to_owned();
    let mut is_start = true;
    for word in text.split(' ') {
        let length = line.chars().count() + word.chars().count() + 1;
        if !is_start && length > WIDTH {
            let _ = writeln!(out, "{line}");
            rest.clone_into(&mut line);
            is_start = true;
        }
        if !is_start {
            line.push(' ');
        }
        line.push_str(word);
        is_start = false;
    }
    let _ = writeln!(out, "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_habit_is_printed_once_and_whole() {
        let printed = text();
        let joined: Vec<&str> = printed.split_whitespace().collect();
        let joined = joined.join(" ");
        for (title, habits) in KEPT.iter().chain(DEPARTURES) {
            assert!(!habits.is_empty(), "{title}");
            for habit in *habits {
                assert!(habit.ends_with('.'), "{habit}");
                assert_eq!(joined.matches(habit).count(), 1, "{habit}");
            }
        }
        assert!(printed.lines().all(|line| line.chars().count() <= WIDTH));
    }
}
