#!/usr/bin/env bash
# A table sent over the kernel's loopback to one passive peer, by this speaker in both modes, by the real ExaBGP and by BIRD:
# once from a configuration, once through an API process. 15 of 100 routes have a set of attributes of their own.
# Usage: send.sh [ROUTES] [ROUTES-THROUGH-THE-API]. Set EXABGP=no or BIRD=no to leave one out; EXABGP_API for fewer of its API routes.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
routes=${1:-100000}
api=${2:-$routes}
exabgp_api=${EXABGP_API:-10000}
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
        for (i = 0; i < routes; i++) {
            set = (i * 7919) % sets
            printf "%s%d.%d.%d.0/24 next-hop 192.0.2.%d med %d community [ 65000:%d 65001:%d ]%s\n", before,
                1 + int(i / 65536), int(i / 256) % 256, i % 256, 1 + set % 250, set, set % 65536, int(set / 65536), after
        }
    }'
}

neighbor() {
    cat <<EOF
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
EOF
}

{
    neighbor "static {
$(table "$routes" "        route " ";")
    }"
} >"$work/static.conf"
table "$api" "announce route " "" >"$work/commands"
table "$exabgp_api" "announce route " "" >"$work/commands.few"
for size in "" .few; do
    # Answers are read, as a program must, beside the writing.
    cat >"$work/program$size" <<EOF
#!/bin/sh
exec 3<&0
cat <&3 >/dev/null &
cat "$work/commands$size"
wait
EOF
    chmod 755 "$work/program$size"
    {
        printf 'process announcer {\n    run %s/program%s;\n    encoder text;\n}\n' "$work" "$size"
        neighbor "api {
        processes [ announcer ];
    }"
    } >"$work/api$size.conf"
done
{
    echo "router id 10.0.0.1;"
    echo "protocol device { }"
    echo "protocol static { ipv4;"
    table "$routes" "" "" | awk '{
        gsub(/65000:|65001:/, "")
        printf "route %s blackhole { bgp_med = %s; bgp_community.add((65000, %s)); bgp_community.add((65001, %s)); bgp_next_hop = %s; };\n", $1, $5, $8, $9, $3
    }'
    echo "}"
    echo "protocol bgp { local 127.0.0.1 as 65000; neighbor 127.0.0.1 port $port as 65000; multihop; rr client; ipv4 { import none; export all; }; }"
} >"$work/bird.conf"
chmod -R a+rX "$work"

# send LABEL ROUTES COMMAND…: the time from the start of COMMAND to the last route, and the rate on the wire.
send() {
    local label=$1 count=$2 start done seconds total updates memory
    shift 2
    "$bin/send-sink" $port "$count" >"$work/sink" 2>&1 &
    local sink=$!
    until grep -q listening "$work/sink"; do sleep 0.02; done
    start=$(date +%s.%N)
    command time -f '%M %U %S' -o "$work/memory" \
        env exabgp_tcp_port=$port exabgp_tcp_bind= exabgp_tcp_attempts=1 exabgp_api_cli=false exabgp_log_level=CRITICAL \
        exabgp_daemon_user="$(id -un)" "$@" >"$work/log" 2>&1 &
    local speaker=$!
    if ! wait $sink; then
        printf '%-36s %s\n' "$label" "$(tail -1 "$work/sink")"
    fi
    read -r done seconds total updates < <(tail -1 "$work/sink")
    # BIRD goes on for ever; the others end with their one attempt.
    for _ in $(seq 50); do kill -0 $speaker 2>/dev/null || break; sleep 0.1; done
    pkill -TERM -P $speaker 2>/dev/null || true
    wait $speaker 2>/dev/null || true
    local user system
    read -r memory user system < <(tail -1 "$work/memory")
    awk -v label="$label" -v start="$start" -v done="$done" -v seconds="$seconds" -v total="$total" -v updates="$updates" -v memory="$memory" \
        -v core="$(awk "BEGIN { print $user + $system }")" 'BEGIN {
        printf "%-36s %8.2f s from start to done %8.2f s of a core %11.0f routes/s on the wire %8d UPDATEs %7.0f MiB %6.0f octets/route\n",
            label, done - start, core, total / (seconds > 0 ? seconds : 1e-9), updates, memory / 1024, memory * 1024 / total
    }'
}

echo "$routes routes from a configuration, $api through the API ($exabgp_api for ExaBGP)"
for mode in sync async; do
    send "lockstep $mode, configuration" "$routes" "$bin/lockstep" speak --mode $mode "$work/static.conf"
    send "lockstep $mode, API" "$api" "$bin/lockstep" speak --mode $mode "$work/api.conf"
done
if [ "${BIRD:-yes}" = yes ] && command -v bird >/dev/null; then
    send "BIRD, configuration" "$routes" bird -f -c "$work/bird.conf" -s "$work/bird.ctl" -P "$work/bird.pid"
fi
if [ "${EXABGP:-yes}" = yes ]; then
    exabgp=$("$root/qa/record/install" | tail -1)
    send "ExaBGP, configuration" "$routes" "$exabgp" server "$work/static.conf"
    send "ExaBGP, API" "$exabgp_api" "$exabgp" server "$work/api.few.conf"
fi
