#!/usr/bin/env bash
# Idle virtual seconds: how many of a session that only sends KEEPALIVE pass in a second of one core, side by side.
# Usage: idle.sh LOCKSTEP [OTHER]   two programs, of two versions; they take turns, three times, and the best of each counts.
# A hold time of 180 s (a KEEPALIVE a minute) and of 3 s (one a second).
set -euo pipefail
cd "$(dirname "$0")/../.."
[ $# -ge 1 ] || { sed -n '3p' "$0" | cut -c3- >&2; exit 2; }
programs=()
for program in "$@"; do programs+=("$(realpath "$program")"); done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
seconds=43000 times=4

# scenario HOLD-TIME: an eBGP session with that hold time.
scenario() {
    mkdir -p "$work/idle-$1"
    cat >"$work/idle-$1/scenario" <<SCENARIO
about    Nothing happens.
config   idle.conf
peer 127.0.0.1
    expect eor
SCENARIO
    cat >"$work/idle-$1/idle.conf" <<CONF
neighbor 127.0.0.1 {
    router-id 10.0.0.2;
    local-address 127.0.0.1;
    local-as 65000;
    peer-as 65000;
    hold-time $1;
    family { ipv4 unicast; }
}
CONF
}

# plan HOLD-TIME
plan() { printf 'scenario idle-%s\nmode %s\nwatch %ss\n' "$1" "$mode" "$seconds" >"$work/hold-$1-$mode.plan"; }

# measure PROGRAM PLAN: virtual seconds for each second of user and system time.
measure() {
    local user system
    command time -f '%U %S' -o "$work/time" bash -c '
        for at in $(seq "$1"); do "$2" replay --scenario-dir "$4" "$3" >/dev/null || exit 1; done
    ' - "$times" "$1" "$2" "$work" || return 1
    read -r user system < <(tail -1 "$work/time")
    awk "BEGIN { printf \"%.0f\", $seconds * $times / ($user + $system + 0.001) }"
}

scenario 180
scenario 3
printf '%-36s' "idle virtual seconds a core second"
for program in "${programs[@]}"; do printf ' %20s' "${program: -20}"; done
echo
for mode in sync async; do
    plan 180
    plan 3
    for name in hold-180 hold-3; do
        declare -A best=()
        for _ in 1 2 3; do
            for program in "${programs[@]}"; do
                rate=$(measure "$program" "$work/$name-$mode.plan")
                [ "$rate" -le "${best[$program]:-0}" ] || best[$program]=$rate
            done
        done
        printf '%-36s' "$name $mode"
        for program in "${programs[@]}"; do printf ' %20s' "${best[$program]}"; done
        echo
    done
done
