#!/usr/bin/env bash
# What reads captures, side by side with tshark and cmp on one capture: time and memory of diff, show, decode, why, import.
# Usage: field.sh [UPDATES]      (1500000). RUNS is how often each is run (3); the least time counts.
# Memory is measured on a tenth of the capture too: it must not grow with its size.
set -euo pipefail
cd "$(dirname "$0")"
updates=${1:-1500000}
runs=${RUNS:-3}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
cargo build --release --quiet --bins
cargo build --release --quiet --manifest-path ../../Cargo.toml --bin lockstep
bin=$CARGO_TARGET_DIR/release
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$bin/diff-generate" "$work/a.pcap" "$updates" 1 30
"$bin/diff-generate" "$work/small.pcap" $((updates / 10)) 1 30
"$bin/diff-generate" "$work/import.pcap" 60000 1 30
cp "$work/a.pcap" "$work/b.pcap"
echo "captures: $updates UPDATEs, $(stat -c %s "$work/a.pcap") octets; a tenth; 60000 UPDATEs for import"

# Prints the least wall time in seconds and the most memory in KiB; the exit status is the command's business.
measure() {
    local label=$1 best="" most=0 run seconds memory
    shift
    for ((run = 0; run < runs; run++)); do
        command time -f '%e %M' -o "$work/time" "$@" >/dev/null 2>"$work/err" || true
        read -r seconds memory < <(tail -1 "$work/time")
        if [ -z "$best" ] || awk "BEGIN { exit !($seconds < $best) }"; then best=$seconds; fi
        if [ "$memory" -gt "$most" ]; then most=$memory; fi
    done
    printf '%-28s %9.2f s %9d KiB\n' "$label" "$best" "$most"
}

cat "$work"/*.pcap >/dev/null
measure cmp cmp "$work/a.pcap" "$work/b.pcap"
measure "lockstep diff" "$bin/lockstep" diff "$work/a.pcap" "$work/b.pcap"
for command in show decode why; do
    measure "lockstep $command" "$bin/lockstep" $command "$work/a.pcap"
    measure "lockstep $command (a tenth)" "$bin/lockstep" $command "$work/small.pcap"
done
measure "lockstep import (60000)" "$bin/lockstep" import "$work/import.pcap" --out "$work/import"
if command -v tshark >/dev/null; then
    runs=1
    measure "tshark -Y bgp" tshark -n -r "$work/a.pcap" -Y bgp
fi
