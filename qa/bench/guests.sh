#!/usr/bin/env bash
# Real daemons in virtual time, on one core: 400 virtual seconds of an idle session with each daemon that is installed, the
# five of them in one world under five faults, the suite on the real ExaBGP; and where the time goes: starting, or the calls
# that stop in the tracer.
# Usage: guests.sh      RUNS is how often each is run (3); the least time counts. CPU is the core (0).
set -euo pipefail
cd "$(dirname "$0")/../.."
runs=${RUNS:-3}
core=${CPU:-0}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/qa/bench/target}
cargo build --release --quiet --bin lockstep
lockstep=$CARGO_TARGET_DIR/release/lockstep
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A scenario of the session alone, and one in which it stays for 400 s.
for name in start idle; do
    cp -r scenarios/daemons/session-ipv4 "$work/$name"

done
echo "    at 400s" >>"$work/idle/scenario"

# least COMMAND…: sets wall and spent (user and system), seconds.
least() {
    local run seconds user system
    wall=""
    for ((run = 0; run < runs; run++)); do
        command time -f '%e %U %S' -o "$work/time" taskset -c "$core" "$@" >"$work/out" 2>"$work/err" || {
            cat "$work/out" "$work/err" >&2
            return 1
        }
        read -r seconds user system < <(tail -1 "$work/time")
        if [ -z "$wall" ] || awk "BEGIN { exit !($seconds < $wall) }"; then
            wall=$seconds
            spent=$(awk "BEGIN { print $user + $system }")
        fi
    done
}

# calls SCENARIO: how many calls were answered in a run of it.
calls() {
    printf 'scenario %s\nspeaker %s\n' "$1" "$speaker" >"$work/plan"
    "$lockstep" replay "$work/plan" --scenario-dir "$work" -vv | awk '$4 == "calls" { print $5 }'
}

printf '%-10s %12s %12s %10s %10s   %s\n' speaker "start, s" "400 s, s" "calls" "400 s" expected
for speaker in bird exabgp frr gobgp openbgpd; do
    "$lockstep" speakers "$speaker" >/dev/null 2>&1 || { echo "$speaker is not installed"; continue; }
    goal=1
    [ "$speaker" = exabgp ] && goal=2
    run() { least "$lockstep" run "$1" --scenario-dir "$work" --speaker "$speaker"; }
    run start
    start=$wall before=$(calls start)
    run idle
    after=$(calls idle)
    printf '%-10s %12.2f %12.2f %10d %10d   within %s s\n' "$speaker" "$start" "$wall" "$before" "$after" "$goal"
done

if "$lockstep" run five-daemons --scenario-dir scenarios/topologies >/dev/null 2>&1; then
    cat >"$work/five" <<PLAN
scenario five-daemons
mode async
fault frr/10.0.2.1#1 sent byte 200: reset
fault gobgp/10.0.3.1<1 received byte 150: reset
fault openbgpd/10.0.5.2<1 sent byte 100: reset
fault bird/10.0.8.2#1 sent byte 120: reset
partition gobgp openbgpd at 300s for 20s
PLAN
    runs=1 least "$lockstep" replay "$work/five" --scenario-dir scenarios/topologies
    printf '%-35s %8.2f s wall %8.2f s of a core   within 7 s\n' "five daemons, five faults, 600 s" "$wall" "$spent"
fi

if "$lockstep" speakers exabgp >/dev/null 2>&1; then
    runs=1 least "$lockstep" run --speaker exabgp
    printf '%-35s %8.2f s wall %8.2f s of a core   within 60 s\n' "the suite on the real ExaBGP" "$wall" "$spent"
fi
