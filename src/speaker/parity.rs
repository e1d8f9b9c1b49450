//! ExaBGP 5.0.15's habits that this speaker keeps for byte parity, each with its reason and where the reference has it.
//! Everything else follows the RFC; so do the departures listed at the end, where the reference's habit would leave a peer with wrong routes.
//!
//! # OPEN
//! - Each capability stands in an optional parameter of its own, in the reference's order (`capabilities.py new`): goldens fix it.
//! - Multisession is sent as two capabilities of one octet, flags and Session Id, and again under Cisco's code (`ms.py extract`).
//! - The first OPEN of a process claims the Restart State bit, later ones do not (`peer.py FORCE_GRACEFUL`): it cannot know
//!   whether it restarted, and a wrong claim costs the peer little.
//! - With `peer-as auto` any AS is accepted; with `local-as auto` our OPEN waits for the peer's and repeats its AS (`protocol.py new_open`).
//!
//! # NOTIFICATION
//! - The data is a text in English where the RFC defines none (`notification.py Notify`): users grep for it. The texts
//!   are the reference's, in [`super::session`]. Where an RFC defines the data, the RFC is followed.
//! - An unknown message type is answered 1/3 with `can not decode message of type "255"` (`protocol.py read_message`).
//! - No OPEN within `exabgp_bgp_openwait` is answered 1/1, not 4/0 (`peer.py _read_open`).
//! - An UPDATE with routes of a family that was not negotiated is answered 3/9 (`mprnlri.py unpack`); RFC 4760 section 7 leaves it open.
//! - A second KEEPALIVE on a session with hold time 0 is answered 2/6 (`timer.py check_ka`).
//! - Where we announced graceful restart, a teardown closes without a NOTIFICATION (`peer.py _main`).
//! - When the speaker ends, sessions close without a NOTIFICATION (`loop.py shutdown`).
//!
//! # Timers
//! - The first periodic KEEPALIVE is counted from the moment the session is established, and an UPDATE does not put the next
//!   one off (`keepalive.py`, `timer.py SendTimer`).
//! - The delay before the next connection: 0, 1, 2, 3, 4, 5, 7 … 60 s (`delay.py`).
//!
//! # Collision
//! - It is decided when the connection is accepted, with the identifier of the OPEN received on the other connection
//!   (`peer.py handle_connection`): [`super::collision::decide_on_accept`].
//!
//! # Adj-RIB-Out
//! - A route is remembered as announced when it is queued, not when it is sent (`cache.py update_cache`).
//! - Changes leave by attribute set in the order in which each set was first used, then by family; a change that replaces another
//!   of the same route and attributes takes its place (`outgoing.py _update_rib`).
//! - The next hop belongs to the attribute set only where it is an attribute: flow specifications, VPLS and SR policies of one set wait together.
//! - Refreshed routes leave before queued changes, between BoRR and EoRR of every family asked for, each in an UPDATE of its own (`outgoing.py updates`).
//! - Families are walked in the order of a CPython set (`cache.py cached_changes`): `rib/order.rs`.
//! - The first batch of a session leaves out withdraws (`peer.py _main include_withdraw`).
//! - `group-updates` packs IPv4 unicast and MVPN only, ordered by path identifier, prefix length and prefix (`outgoing.py updates`, `update/__init__.py _split_nlris`).
//! - `flush adj-rib out` sends BoRR and EoRR where route refresh is configured, whether the peer knows them or not (`loop.py neighbor_rib_resend`).
//! - `rate-limit` counts turns per second, each of one message (`loop.py _rate_limited`).
//! - End-of-RIB goes out for each negotiated family in the order of the peer's OPEN, once there is no route left to send; without
//!   a negotiated family a KEEPALIVE stands for it (`protocol.py new_eors`).
//!
//! # UPDATE
//! - MP_REACH_NLRI and MP_UNREACH_NLRI come last (`update/__init__.py _mp_messages`); RFC 7606 section 5.1 wants them first.
//! - NEXT_HOP is sent beside MP_REACH_NLRI where the next hop is IPv4, but for flow specification, VPLS and SR policy.
//! - Withdraws of families other than unicast and multicast carry attributes (`_carries_attributes`).
//! - AS4_PATH stands right after AS_PATH (`aspath.py pack`).
//!
//! # NLRI and attributes
//! The habits of text, JSON and octets stand in the files of the families and attributes, each under "Parity":
//! the bottom-of-stack bit of VPLS labels and SR policies' binding SIDs, extended communities sorted, AS numbers above 65535 in
//! communities of type 1, hidden kinds shown in hexadecimal, 13 bits of an interface group. `qa/differential/run` holds them to
//! what the real ExaBGP makes of random routes.
//!
//! # Departures
//! - A queued change that is older than another of the same route but would leave after it is cancelled. The reference sends both,
//!   so after announce A, announce B, announce A in one batch its peer is left with B.
//! - Where the first batch of a session leaves a withdraw out, it leaves the announcement before it out too. The reference sends
//!   the announcement, and the route stays at the peer.
//! - A route that does not fit a message is refused when it is announced. The reference logs it and sends nothing.
//! - OPEN in Established is answered 5/3 (RFC 6608). The reference ignores it.
//! - A ROUTE-REFRESH with an unknown subtype is ignored (RFC 7313 section 5). The reference answers 7/2.
//! - A ROUTE-REFRESH of a wrong length is answered 7/1 (RFC 7313 section 5), and a request may have outbound route filters behind
//!   it (RFC 5291). The reference answers 1/2 to every other length than 23.
//! - The length of an OPERATIONAL message is held to the octets that there are and to those that its type has: too many are
//!   answered 5/0, as too few are. The reference looks for too few alone, so what a peer meant by the rest would go unseen.
//! - An OPERATIONAL message of an unknown type is told with its octets. The reference's reader falls over it.
//! - BoRR and EoRR of the peer need no answer. The reference sends its routes again at each.
//! - The hold timer expires at the hold time. The reference counts whole seconds and expires up to a second late.
//! - JSON is JSON. The reference leaves out a comma in type-1 sessions of MUP, writes `%s` and `%d` in the place of SRv6 SIDs and
//!   behaviors, and NaN for a bandwidth that is no number.
//! - JSON tells the family that a route has. The reference calls BGP-LS-VPN `bgp-ls bgp-ls`, and takes the AFI of a MUP route of
//!   unknown type for its architecture.
//! - Several VPLS routes may stand in one attribute. The reference reads one.
//! - A route target constraint has as many bits as it says (RFC 4684 section 4), and its target is told as anywhere else. The
//!   reference reads 96, and tells a redirection of a 4-octet AS by the name of a class.
//! - Lengths inside an SRv6 service are held to the octets that there are. The reference reads what is there.
//! - An IPv6 /32 may be announced to an IPv4 neighbor. The reference then refuses the neighbor (`netmask.py` shares one object).
//!
//! Of the configuration and the API, where `qa/differential` shows them:
//! - A mistake is told. The reference passes over words behind a statement's last, a statement that `}` cuts off, a template
//!   that is not there, brackets that do not match, a match of a flow that names no value, and a sequence number below 0.
//! - What is right is taken: an empty statement, `as-path 65000` without brackets, the family `ipv6 multicast`, `router-id` in
//!   an operational message, `route-distinguisher` of a VPLS. The reference knows each and falls over it.
//! - A route is of the family that its words name, wherever it stands. The reference sends labels and route distinguishers as
//!   part of a prefix of IPv4 or IPv6 unicast for `announce { ipv4 { mpls-vpn … } }` and for a `static` block with `label` alone, loses them
//!   where a block is `split`, makes every route with a route distinguisher before a `static` block one of mpls-vpn,
//!   and gives all the prefixes of `attributes … nlri` the family of the last.
//! - `announce { ipv4 { flow-vpn … } }` takes `rd` and wants it (RFC 8955 section 8). The reference has no word for it and sends none.
//! - `attributes … nlri` of a configuration is announced. The reference reads it and never sends it.
//! - Commands are understood as they stand: `neighbor` chooses for `show` and `announce operational` too, an advisory may have spaces,
//!   `withdraw watchdog` is one only where it begins the command. The reference finds the words anywhere in the line.
//! - `help` names the commands of the development branch too.
//!
//! 5.0.15 knows neither ONLY_TO_CUSTOMER nor a word for a role (RFC 9234), and has no command `exabgp encode`: there is nothing to
//! hold Lockstep's to.
