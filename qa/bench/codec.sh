#!/usr/bin/env bash
# Races our codec against netgauze-bgp-pkt, rustbgpd-wire, bgpkit-parser and routecore: the same UPDATEs, one thread,
# every side looking at every value (sums are compared), beside a plain copy of the octets.
#
# usage: qa/bench/codec.sh [COUNT] [ROUNDS]     (200,000 UPDATEs and 7 rounds)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../judges"
exec cargo run --release --quiet --bin codec -- "$@"
