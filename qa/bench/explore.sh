#!/usr/bin/env bash
# Exploration speed: runs of api-rr with faults per second and core, on one core and on two, and its every-byte sweep in both modes.
# Usage: explore.sh [SEEDS]: how many plans, 2000 if not said; each is run in both modes.
# One core and two take turns, three times, and the best of each counts: other work on the machine only ever slows one down.
set -euo pipefail
cd "$(dirname "$0")/../.."
seeds=${1:-2000}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/qa/bench/target}
cargo build --release --quiet --manifest-path qa/bench/Cargo.toml --package lockstep
lockstep=$CARGO_TARGET_DIR/release/lockstep
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# explore ARGUMENT…: sets runs, wall and core (seconds).
explore() {
    local user system
    command time -f '%e %U %S' -o "$work/time" \
        "$lockstep" explore api-rr --quiet --out "$work/findings" "$@" >"$work/out" 2>"$work/err" || true
    if ! runs=$(awk '/ runs, / { print $1; exit }' "$work/out") || [ -z "$runs" ]; then
        cat "$work/out" "$work/err" >&2
        exit 1
    fi
    read -r wall user system < <(tail -1 "$work/time")
    core=$(awk "BEGIN { print $user + $system }")
    verdict=$(awk '/ runs, / { sub(/^.*\/s, /, ""); print; exit }' "$work/out")
}

row() { printf '%-38s %7d runs %8.2f s wall %8.2f s core %7.0f runs/s of wall %7.0f runs/s and core   %s; %s\n' "$@"; }
per() { awk "BEGIN { print $1 / ($2 > 0 ? $2 : 0.01) }"; }
# The parentheses matter: `print a > b` writes to a file.
larger() { awk "BEGIN { print ($1 > $2 ? $1 : $2) }"; }

best1=0 best2=0
for jobs in 1 2 1 2 1 2; do
    explore --seeds "$seeds" --jobs $jobs
    row "api-rr with faults, on $jobs core(s)" "$runs" "$wall" "$core" "$(per "$runs" "$wall")" "$(per "$runs" "$core")" \
        "expected: 500 runs/s and core at least" "$verdict"
    rate=$(per "$runs" "$wall")
    if [ $jobs = 1 ]; then
        best1=$(larger "$rate" "$best1")
    else
        best2=$(larger "$rate" "$best2")
    fi
done
printf '%-38s %.2f   expected: 1.8 at least\n' "from one core to two, best of three" "$(per "$best2" "$best1")"
explore --every-byte --mode both
row "every-byte sweep of api-rr, both modes" "$runs" "$wall" "$core" "$(per "$runs" "$wall")" "$(per "$runs" "$core")" \
    "expected: within 30 s of wall" "$verdict"
