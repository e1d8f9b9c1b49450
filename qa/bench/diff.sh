#!/usr/bin/env bash
# Two captures of the same session, compared by `lockstep diff`, by `cmp`, and as people do today: tshark to text, then diff.
# Usage: diff.sh [UPDATES] [UPDATES-IN-A-WRITE]. RUNS is how often each fast one is run (3).
# A million UPDATEs as tshark's text take 6 GB of disk, and diff holds some 11 GB of memory: TSHARK_UPDATES gives
# tshark a capture of fewer (its time grows with their number), 0 leaves it out.
set -euo pipefail
cd "$(dirname "$0")"
updates=${1:-1000000}
burst=${2:-30}
runs=${RUNS:-3}
tshark_updates=${TSHARK_UPDATES:-$updates}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
cargo build --release --quiet --bins
cargo build --release --quiet --manifest-path ../../Cargo.toml --bin lockstep
bin=$CARGO_TARGET_DIR/release
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$bin/diff-generate" "$work/a.pcap" "$updates" 1 "$burst"
"$bin/diff-generate" "$work/b.pcap" "$updates" 2 "$burst"
"$bin/diff-generate" "$work/c.pcap" "$updates" 3 "$burst" $((updates / 2))
cp "$work/a.pcap" "$work/a-again.pcap"
echo "captures: $updates UPDATEs, $(stat -c %s "$work/a.pcap") and $(stat -c %s "$work/b.pcap") octets"

# Prints the least wall time in seconds and the most memory in KiB of `runs` runs; the exit status is the command's business.
measure() {
    local label=$1 best="" most=0 run seconds memory
    shift
    for ((run = 0; run < runs; run++)); do
        command time -f '%e %M' -o "$work/time" "$@" >"$work/out" 2>"$work/err" || true
        read -r seconds memory < <(tail -1 "$work/time")
        if [ -z "$best" ] || awk "BEGIN { exit !($seconds < $best) }"; then best=$seconds; fi
        if [ "$memory" -gt "$most" ]; then most=$memory; fi
    done
    printf '%-44s %9.2f s %9d KiB   %s\n' "$label" "$best" "$most" "$(head -1 "$work/out" | cut -c1-80)"
}

cat "$work"/*.pcap >/dev/null
measure "cmp (of identical files)" cmp "$work/a.pcap" "$work/a-again.pcap"
measure "lockstep diff (same messages)" "$bin/lockstep" diff "$work/a.pcap" "$work/b.pcap"
measure "lockstep diff (one changed)" "$bin/lockstep" diff "$work/a.pcap" "$work/c.pcap"
measure "lockstep diff --canonical (one changed)" "$bin/lockstep" diff --canonical "$work/a.pcap" "$work/c.pcap"
if [ "$tshark_updates" -gt 0 ] && command -v tshark >/dev/null; then
    runs=1
    for seed in 1 2; do "$bin/diff-generate" "$work/t$seed.pcap" "$tshark_updates" "$seed" "$burst"; done
    cat >"$work/today" <<'TODAY'
for side in t1 t2; do tshark -r "$1/$side.pcap" -Y bgp -O bgp -T text >"$1/$side.txt" 2>/dev/null; done
diff "$1/t1.txt" "$1/t2.txt"
TODAY
    echo "of $tshark_updates UPDATEs:"
    measure "tshark to text, then diff" bash "$work/today" "$work"
fi
