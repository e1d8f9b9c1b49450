#!/usr/bin/env python3
"""A BGP speaker of one session that announces the prefixes of its configuration: enough to be under test.

It connects to its peer, again after 5 s where the session ends, and keeps a session alive; SIGTERM ends it with 6/2.
"""

import json
import select
import signal
import socket
import sys
import time

HEADER = b"\xff" * 16
RETRY = 5


def message(kind, body=b""):
    return HEADER + (19 + len(body)).to_bytes(2, "big") + bytes([kind]) + body


def opening(own):
    number = own["as"].to_bytes(2, "big")
    hold = own["hold-time"].to_bytes(2, "big")
    return message(1, b"\x04" + number + hold + socket.inet_aton(own["local"]) + b"\x00")


def update(own, prefix):
    network, length = prefix.split("/")
    octets = socket.inet_aton(network)[: (int(length) + 7) // 8]
    attributes = bytes.fromhex("40010100") + b"\x40\x02\x04\x02\x01" + own["as"].to_bytes(2, "big")
    attributes += b"\x40\x03\x04" + socket.inet_aton(own["local"])
    body = b"\x00\x00" + len(attributes).to_bytes(2, "big") + attributes + bytes([int(length)]) + octets
    return message(2, body)


def session(own):
    stream = socket.create_connection((own["peer"], 179), timeout=10, source_address=(own["local"], 0))
    stream.sendall(opening(own))
    received, hold, announced = b"", own["hold-time"], False
    sent = heard = time.monotonic()
    while True:
        wait = min(sent + hold / 3, heard + hold) - time.monotonic()
        ready, _, _ = select.select([stream], [], [], max(wait, 0))
        if ready:
            octets = stream.recv(65536)
            if not octets:
                print("the peer closed", flush=True)
                return
            received += octets
            heard = time.monotonic()
        while len(received) >= 19 and len(received) >= int.from_bytes(received[16:18], "big"):
            length = int.from_bytes(received[16:18], "big")
            kind, body, received = received[18], received[19:length], received[length:]
            if kind == 1:
                hold = min(hold, int.from_bytes(body[3:5], "big"))
                stream.sendall(message(4))
            elif kind == 3:
                print(f"error: NOTIFICATION {body[0]}/{body[1]}", flush=True)
                return
            elif kind == 4 and not announced:
                announced = True
                for prefix in own["announce"]:
                    stream.sendall(update(own, prefix))
                print("established", flush=True)
        now = time.monotonic()
        if now >= heard + hold:
            stream.sendall(message(3, b"\x04\x00"))
            print("error: hold timer expired", flush=True)
            return
        if now >= sent + hold / 3:
            stream.sendall(message(4))
            sent = now


def main():
    if sys.argv[1:] == ["--version"]:
        print("minimal 1.0")
        return
    with open(sys.argv[1]) as file:
        own = json.load(file)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while True:
        try:
            session(own)
        except OSError as error:
            print(f"error: {error}", flush=True)
        time.sleep(RETRY)


if __name__ == "__main__":
    main()
