#!/usr/bin/env bash
# Searches on real daemons: runs of 5 virtual seconds and the recovery after them, with one or two resets each, per second on
# one core and on two, and how many calls stop in the tracer. Then every byte of a session of BIRD, both ways.
# Usage: hunt.sh [SEEDS]: how many plans for each daemon, 60 if not said. LOCKSTEP is the program, built here if not said.
set -euo pipefail
cd "$(dirname "$0")/../.."
seeds=${1:-60}
if [ -z "${LOCKSTEP:-}" ]; then
    export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/qa/bench/target}
    cargo build --release --quiet --bin lockstep
    LOCKSTEP=$CARGO_TARGET_DIR/release/lockstep
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sample=5

# A session that stays for 5 s.
cp -r scenarios/daemons/session-ipv4 "$work/five"
echo "    at 5s" >>"$work/five/scenario"

# explore SCENARIO SPEAKER ARGUMENT…: sets runs, wall (seconds) and verdict.
explore() {
    local scenario=$1 speaker=$2
    shift 2
    command time -f '%e' -o "$work/time" "$LOCKSTEP" explore "$scenario" --speaker "$speaker" --scenario-dir "$work" \
        --quiet --out "$work/findings" "$@" >"$work/out" 2>"$work/err" || true
    if ! runs=$(awk '/ runs, / { print $1; exit }' "$work/out") || [ -z "$runs" ]; then
        cat "$work/out" "$work/err" >&2
        exit 1
    fi
    wall=$(tail -1 "$work/time")
    verdict=$(awk '/ runs, / { sub(/^.*\/s, /, ""); print; exit }' "$work/out")
}

# sampled SPEAKER: sets calls and virtual (seconds), the means of some of the plans.
sampled() {
    local seed plan
    : >"$work/calls"
    for ((seed = 1; seed <= sample; seed++)); do
        plan=$("$LOCKSTEP" explore five --scenario-dir "$work" --seeds 1 --from "$seed" --faults reset --print)
        printf '%s\nspeaker %s\n' "$plan" "$1" >"$work/plan"
        "$LOCKSTEP" replay "$work/plan" --scenario-dir "$work" --allow-untriggered -vv 2>/dev/null |
            awk '$4 == "calls" { calls += $5 } { if ($1 ~ /^[0-9.]+$/) last = $1 } END { print calls, last }' >>"$work/calls"
    done
    read -r calls virtual < <(awk '{ a += $1; b += $2 } END { print a / NR, b / NR }' "$work/calls")
}

calc() { awk "BEGIN { print $1 }"; }

printf '%-9s %8s %8s %6s %9s %9s   %s\n' speaker "runs/s" "2 cores" goal "virtual s" "calls/run" verdict
for one in bird:700 frr:300 gobgp:700 openbgpd:500 exabgp:100; do
    speaker=${one%:*} goal=${one#*:}
    "$LOCKSTEP" speakers "$speaker" >/dev/null 2>&1 || { echo "$speaker is not installed"; continue; }
    explore five "$speaker" --faults reset --seeds "$seeds" --jobs 1
    long=$(calc "$wall / $runs") said=$verdict
    sampled "$speaker"
    explore five "$speaker" --faults reset --seeds $((2 * seeds)) --jobs 2
    both=$(calc "$runs / $wall")
    printf '%-9s %8.1f %7.2fx %6d %9.1f %9.0f   %s\n' "$speaker" "$(calc "1 / $long")" "$(calc "$both * $long")" \
        "$goal" "$virtual" "$calls" "$said"
    calc "1 / $long" >>"$work/rates"
done
if [ -f "$work/rates" ]; then
    awk '{ sum += log($1) } END { printf "geometric mean %.1f runs/s of one core   expected: 400\n", exp(sum / NR) }' "$work/rates"
fi
if "$LOCKSTEP" speakers bird >/dev/null 2>&1; then
    explore five bird --every-byte
    printf 'every byte of a session of bird, both ways: %d runs, %.1f s   expected: within 60 s; %s\n' "$runs" "$wall" "$verdict"
fi
