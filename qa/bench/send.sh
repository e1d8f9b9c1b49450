#!/usr/bin/env bash
# A table sent over the kernel's loopback to one passive peer, by this speaker in both modes, by the real ExaBGP and by BIRD:
# once from a configuration, once through an API process, which writes a prepared file and reads its answers beside it.
# 15 of 100 routes have a set of attributes of their own. Closes with what is expected of this speaker, and whether it is so.
#
# Usage: send.sh [ROUTES] [ROUTES-THROUGH-THE-API]
#   RUNS=3          how often each of ours is run, in turn: the median counts, the best is told beside it
#   EXABGP=no       leaves ExaBGP out; BIRD=no leaves BIRD out
#   EXABGP_API=N    so many routes through the API of ExaBGP (10,000 if not said: it takes some 10 s for them)
#   ACK=no          commands are not answered
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
routes=${1:-100000}
api=${2:-$routes}
runs=${RUNS:-3}
exabgp_api=${EXABGP_API:-10000}
[ "${ACK:-yes}" = no ] && ack=false || ack=true
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
cargo build --release --quiet --bin send-sink
cargo build --release --quiet --package lockstep
bin=$CARGO_TARGET_DIR/release
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
port=17900

# The words of N routes, each line after a prefix of its own.
table() {
    awk -v routes="$1" -v before="$2" -v after="$3" 'BEGIN {
        sets = int(routes * 0.15)
        if (sets < 1) sets = 1
        for (i = 0; i < routes; i++) {
            set = (i * 7919) % sets
            printf "%s%d.%d.%d.0/24 next-hop 192.0.2.%d med %d community [ 65000:%d 65001:%d ]%s\n", before,
                1 + int(i / 65536), int(i / 256) % 256, i % 256, 1 + set % 250, set, set % 65536, int(set / 65536), after
        }
    }'
}

neighbor() {
    cat <<END
neighbor 127.0.0.1 {
    local-address 127.0.0.1;
    router-id 10.0.0.1;
    local-as 65000;
    peer-as 65000;
    family {
        ipv4 unicast;
    }
    $1
}
END
}

# static NAME N: a configuration of N routes.
static() {
    neighbor "static {
$(table "$2" "        route " ";")
    }" >"$work/$1.conf"
}

# commands NAME N: a configuration with a program that announces N routes.
commands() {
    table "$2" "announce route " "" >"$work/$1.commands"
    # Answers are read, as a program must, beside the writing.
    cat >"$work/$1.program" <<END
#!/bin/sh
exec 3<&0
cat <&3 >/dev/null &
cat "$work/$1.commands"
wait
END
    chmod 755 "$work/$1.program"
    {
        printf 'process announcer {\n    run %s/%s.program;\n    encoder text;\n}\n' "$work" "$1"
        neighbor "api {
        processes [ announcer ];
    }"
    } >"$work/$1.conf"
}

# bird NAME N: BIRD's configuration of N routes.
bird() {
    {
        echo "router id 10.0.0.1;"
        echo "protocol device { }"
        echo "protocol static { ipv4;"
        table "$2" "" "" | awk '{
            gsub(/65000:|65001:/, "")
            printf "route %s blackhole { bgp_med = %s; bgp_community.add((65000, %s)); bgp_community.add((65001, %s)); bgp_next_hop = %s; };\n", $1, $5, $8, $9, $3
        }'
        echo "}"
        echo "protocol bgp { local 127.0.0.1 as 65000; neighbor 127.0.0.1 port $port as 65000; multihop; rr client; ipv4 { import none; export all; }; }"
    } >"$work/$1.conf"
}

static static "$routes"
static static.one 1
commands api "$api"
commands api.one 1
commands api.few "$exabgp_api"
bird bird "$routes"
bird bird.one 1
chmod -R a+rX "$work"

# send SPEAKER KIND ROUTES COMMAND…: adds a line to the records: SPEAKER KIND, routes, seconds from the start of COMMAND to
# the last route, seconds from the start of the session to the last route, seconds of a core, KiB.
send() {
    local who=$1 kind=$2 count=$3 start done seconds total updates memory user system
    shift 3
    "$bin/send-sink" $port "$count" >"$work/sink" 2>&1 &
    local sink=$!
    until grep -q listening "$work/sink"; do sleep 0.02; done
    start=$(date +%s.%N)
    command time -f '%M %U %S' -o "$work/memory" \
        env exabgp_tcp_port=$port exabgp_tcp_bind= exabgp_tcp_attempts=1 exabgp_api_cli=false exabgp_api_ack=$ack \
        exabgp_log_level=CRITICAL exabgp_daemon_user="$(id -un)" "$@" >"$work/log" 2>&1 &
    local speaker=$!
    wait $sink || true
    # BIRD goes on for ever; the others end with their one attempt.
    for _ in $(seq 50); do kill -0 $speaker 2>/dev/null || break; sleep 0.1; done
    pkill -TERM -P $speaker 2>/dev/null || true
    wait $speaker 2>/dev/null || true
    read -r done seconds total updates < <(tail -1 "$work/sink")
    if [ "${total:-0}" != "$count" ]; then
        echo "$who, $kind: $(tail -1 "$work/sink")" >&2
        return
    fi
    read -r memory user system < <(tail -1 "$work/memory")
    awk -v who="$who" -v kind="$kind" -v start="$start" -v done="$done" -v seconds="$seconds" -v total="$total" \
        -v memory="$memory" -v core="$(awk "BEGIN { print $user + $system }")" \
        'BEGIN { print who, kind, total, done - start, (seconds > 0 ? seconds : 1e-6), core, memory }' >>"$work/records"
}

ours() {
    for mode in sync async; do
        send $mode "$1" "$2" "$bin/lockstep" speak --mode $mode "$work/$3.conf"
    done
}

echo "$routes routes from a configuration, $api through the API ($exabgp_api for ExaBGP); answers to commands: $ack;" \
    "$(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg)"
ours configuration 1 static.one
ours API 1 api.one
for _ in $(seq "$runs"); do
    ours configuration "$routes" static
    ours API "$api" api
done
if [ "${BIRD:-yes}" = yes ] && command -v bird >/dev/null; then
    command_of_bird() { printf '%s\n' bird -f -c "$work/$1.conf" -s "$work/bird.ctl" -P "$work/bird.pid"; }
    mapfile -t one < <(command_of_bird bird.one)
    mapfile -t all < <(command_of_bird bird)
    send BIRD configuration 1 "${one[@]}"
    send BIRD configuration "$routes" "${all[@]}"
fi
if [ "${EXABGP:-yes}" = yes ]; then
    exabgp=$("$root/qa/record/install" | tail -1)
    send ExaBGP configuration 1 "$exabgp" server "$work/static.one.conf"
    send ExaBGP API 1 "$exabgp" server "$work/api.one.conf"
    send ExaBGP configuration "$routes" "$exabgp" server "$work/static.conf"
    send ExaBGP API "$exabgp_api" "$exabgp" server "$work/api.few.conf"
fi
echo "load $(cut -d' ' -f1-3 /proc/loadavg) at the end"
awk -f send.awk "$work/records"
