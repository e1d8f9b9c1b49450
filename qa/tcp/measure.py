#!/usr/bin/env python3
"""Measures what Linux's TCP does on a path that misbehaves, for tests/conformance/linux.txt.

Usage (as root): measure.py [CASE...]   (all cases, at once, take about three minutes)

Each case runs in a network namespace of its own. Its one TUN device mirrors: what is sent to 10.9.0.2 comes back as
if from 10.9.0.2, so both ends of a connection are sockets of this process, and every packet passes through here,
where it is counted, dropped or answered. Times are in seconds.
"""
import ctypes
import errno
import fcntl
import os
import select
import socket
import struct
import subprocess
import sys
import threading
import time

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN_NO_PI = 0x1001
HERE, THERE, PORT = "10.9.0.1", "10.9.0.2", 1790


class Path:
    """The mirror: `drop` decides on each packet, which is (time, flags, octets, source port)."""

    def __init__(self):
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
            sys.exit("cannot make a network namespace")
        self.tun = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(self.tun, TUNSETIFF, struct.pack("16sH22x", b"mirror", IFF_TUN_NO_PI))
        for command in (f"addr add {HERE}/24 dev mirror", "link set mirror up", "link set lo up"):
            subprocess.run(["ip", *command.split()], check=True)
        self.drop = lambda packet: False
        self.answer = None
        self.packets = []
        threading.Thread(target=self.carry, daemon=True).start()

    def carry(self):
        while True:
            packet = os.read(self.tun, 65536)
            if packet[0] >> 4 != 4 or packet[9] != 6:
                continue
            head = (packet[0] & 15) * 4
            flags = packet[head + 13]
            octets = len(packet) - head - (packet[head + 12] >> 4) * 4
            port = struct.unpack("!H", packet[head : head + 2])[0]
            seen = (time.monotonic(), flags, octets, port)
            self.packets.append(seen)
            if self.drop(seen):
                if self.answer:
                    self.answer(packet)
                continue
            os.write(self.tun, packet[:12] + packet[16:20] + packet[12:16] + packet[20:])

    def unreachable(self, packet):
        """ICMP: host unreachable, from the router."""
        body = struct.pack("!BBHI", 3, 1, 0, 0) + packet[:28]
        body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 1, 0, 64, 1, 0,
                           socket.inet_aton(THERE), packet[12:16])
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        os.write(self.tun, head + body)

    def open(self):
        listener = socket.socket()
        listener.bind((HERE, PORT))
        listener.listen(5)
        client = socket.create_connection((THERE, PORT))
        server, _ = listener.accept()
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client, server


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def sysctl(name, value):
    with open(f"/proc/sys/net/ipv4/{name}", "w") as file:
        file.write(str(value))


def outage(seconds):
    """How long after the path is mended what was written at the beginning of the outage arrives."""
    path = Path()
    client, server = path.open()
    client.send(b"hello")
    server.recv(100)
    time.sleep(0.5)
    path.drop = lambda packet: True
    client.send(b"late")
    time.sleep(seconds)
    path.drop = lambda packet: False
    mended = time.monotonic()
    server.recv(100)
    return time.monotonic() - mended


def syns():
    path = Path()
    path.drop = lambda packet: True
    begun = time.monotonic()
    try:
        socket.create_connection((THERE, PORT))
    except OSError as error:
        print("syn-error", errno.errorcode[error.errno], flush=True)
    end = time.monotonic() - begun
    times = [f"{seen - begun:.1f}" for seen, *_ in path.packets]
    return " ".join(times) + f" {end:.1f}"


def retries(count):
    path = Path()
    sysctl("tcp_retries2", count)
    client, _server = path.open()
    path.drop = lambda packet: True
    begun = time.monotonic()
    client.send(b"lost")
    try:
        client.recv(1)
    except OSError as error:
        return f"{time.monotonic() - begun:.2f} {errno.errorcode[error.errno]}"


def unreachable(count):
    path = Path()
    sysctl("tcp_retries2", count)
    client, _server = path.open()
    path.answer = path.unreachable
    path.drop = lambda packet: True
    begun = time.monotonic()
    client.send(b"lost")
    try:
        client.recv(1)
    except OSError as error:
        return f"{time.monotonic() - begun:.2f} {errno.errorcode[error.errno]}"


def lost(following):
    """How long a lost segment takes when so many follow it at once."""
    path = Path()
    client, server = path.open()
    client.send(b"hello")
    server.recv(100)
    time.sleep(0.5)
    dropped = []
    path.drop = lambda packet: packet[2] == 4 and not dropped and not dropped.append(1)
    begun = time.monotonic()
    client.send(b"lost")
    for _ in range(following):
        client.send(b"follows")
    server.recv(1000)
    return time.monotonic() - begun


def window():
    """When a closed window is probed, from the first probe on."""
    path = Path()
    client, _server = path.open()
    client.setblocking(False)
    full = time.monotonic()
    while time.monotonic() < full + 1:
        try:
            client.send(b"x" * 10000)
            full = time.monotonic()
        except BlockingIOError:
            time.sleep(0.01)
    time.sleep(25)
    port = client.getsockname()[1]
    probes = [seen for seen, flags, octets, source in path.packets if source == port and octets == 0 and seen > full + 0.1]
    return " ".join(f"{later - first:.2f}" for first, later in zip(probes, probes[1:]))


CASES = {
    "outage-5": lambda: outage(5),
    "outage-20": lambda: outage(20),
    "outage-30": lambda: outage(30),
    "outage-60": lambda: outage(60),
    "syns": syns,
    "retries-3": lambda: retries(3),
    "retries-5": lambda: retries(5),
    "unreachable-3": lambda: unreachable(3),
    "lost-then-0": lambda: lost(0),
    "lost-then-1": lambda: lost(1),
    "lost-then-3": lambda: lost(3),
    "window-probes": window,
}

if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--one":
        result = CASES[sys.argv[2]]()
        print(sys.argv[2], f"{result:.3f}" if isinstance(result, float) else result)
    else:
        names = sys.argv[1:] or list(CASES)
        running = [subprocess.Popen([sys.executable, __file__, "--one", name]) for name in names]
        sys.exit(max(process.wait() for process in running))
