#!/usr/bin/env python3
"""Plays TCP scripts on Linux, over a path that cuts, loses and delays: the kernel's part of tests/conformance.

Usage (as root): play.py SCRIPTS [NAME...]   (all at once, each in a process of its own)

tests/conformance/scripts.txt has the scripts, and says what each step means. Each runs in a network namespace of its
own. Its one TUN device mirrors: what is sent to 10.9.0.2 comes back as if from 10.9.0.2, so both ends of a connection
are sockets of this process, and every packet passes through here. What each end observed is printed, with the time
since the script began.

The kernel's timers round up to ticks that are the coarser the longer they run. A script begins where ticks of 2 s
begin, as a simulated world does at time zero, so that both round alike.

Exit status 77: namespaces or TUN devices are not allowed here.
"""
import ctypes
import errno
import fcntl
import heapq
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN_NO_PI = 0x1001
HERE, THERE, PORT = "10.9.0.1", "10.9.0.2", 1790
FIN, RST = 1, 4
TICK = 0.004
COARSE = 512
NOT_ALLOWED = 77
# No script takes so many seconds.
LONGEST = 200


class NotAllowed(Exception):
    pass


class Path:
    """The mirror. The server is whoever has the port 1790."""

    def __init__(self):
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
            raise NotAllowed
        try:
            self.tun = os.open("/dev/net/tun", os.O_RDWR)
            fcntl.ioctl(self.tun, TUNSETIFF, struct.pack("16sH22x", b"mirror", IFF_TUN_NO_PI))
        except OSError as error:
            raise NotAllowed from error
        for command in (f"addr add {HERE}/24 dev mirror", "link set mirror up", "link set lo up"):
            subprocess.run(["ip", *command.split()], check=True)
        self.cut = set()
        self.unreachable = set()
        self.lose = {"client": [], "server": []}
        self.latency = 0.0
        self.waiting = []
        self.count = 0
        threading.Thread(target=self.carry, daemon=True).start()

    def carry(self):
        while True:
            pause = max(0, self.waiting[0][0] - time.monotonic()) if self.waiting else None
            readable, _, _ = select.select([self.tun], [], [], pause)
            if readable:
                self.packet(os.read(self.tun, 65536))
            while self.waiting and self.waiting[0][0] <= time.monotonic():
                os.write(self.tun, heapq.heappop(self.waiting)[2])

    def packet(self, packet):
        if packet[0] >> 4 != 4 or packet[9] != 6:
            return
        head = (packet[0] & 15) * 4
        flags = packet[head + 13]
        octets = len(packet) - head - (packet[head + 12] >> 4) * 4
        port = struct.unpack("!H", packet[head : head + 2])[0]
        source = "server" if port == PORT else "client"
        lost = source in self.cut or source in self.unreachable
        if octets or flags & (FIN | RST):
            counts = [nth - 1 for nth in self.lose[source]]
            lost |= 0 in counts
            self.lose[source] = [nth for nth in counts if nth > 0]
        if source in self.unreachable:
            self.answer(packet)
        if not lost:
            mirrored = packet[:12] + packet[16:20] + packet[12:16] + packet[20:]
            self.deliver(mirrored)

    def deliver(self, packet):
        if not self.latency:
            os.write(self.tun, packet)
            return
        self.count += 1
        heapq.heappush(self.waiting, (time.monotonic() + self.latency, self.count, packet))

    def answer(self, packet):
        """ICMP: host unreachable, from the router."""
        body = struct.pack("!BBHI", 3, 1, 0, 0) + packet[:28]
        body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 1, 0, 64, 1, 0,
                           socket.inet_aton(THERE), packet[12:16])
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        self.deliver(head + body)


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def sides(words):
    return set(words) or {"client", "server"}


class Script:
    """One script, played."""

    def __init__(self, steps, ticks):
        take_precedence()
        self.path = Path()
        self.ticks = ticks
        self.ends = {}
        self.options = []
        self.listener = None
        self.steps = steps
        self.story = []

    def play(self):
        wait_for_tick(self.ticks)
        self.begun = time.monotonic()
        for step in self.steps:
            words = step.split()
            background = words[-1] == "&"
            if background:
                words.pop()
            if words[0].startswith(("client", "server")):
                entry = [" ".join(words), None]
                self.story.append(entry)
                if background:
                    threading.Thread(target=self.observe, args=(entry, words), daemon=True).start()
                    time.sleep(0.001)
                else:
                    self.observe(entry, words)
            else:
                getattr(self, "do_" + words[0])(*words[1:])
        for what, seen in self.story:
            print(f"{what}: {seen or 'waits'}")

    def observe(self, entry, words):
        end, call, *rest = words
        try:
            outcome = getattr(self, "end_" + call)(end, *rest)
        except OSError as error:
            outcome = errno.errorcode[error.errno]
        entry[1] = f"{outcome} at {time.monotonic() - self.begun:.3f}"

    # Steps of the path.

    def do_set(self, name, value):
        if name == "keepalive":
            self.options.append((socket.SOL_SOCKET, socket.SO_KEEPALIVE, int(value)))
        elif name == "user_timeout_ms":
            self.options.append((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(value)))
        elif name == "send_buffer":
            # Linux doubles it, for what it keeps beside the octets.
            self.options.append((socket.SOL_SOCKET, socket.SO_SNDBUF, int(value)))
        elif name == "receive_buffer":
            self.options.append((socket.SOL_SOCKET, socket.SO_RCVBUF, int(value)))
        elif name == "rto_min_ms":
            sysctl("tcp_rto_min_us", int(value) * 1000)
        elif name == "local_port_first":
            sysctl("ip_local_port_range", f"{value} 60999")
        elif name == "local_port_last":
            first = open("/proc/sys/net/ipv4/ip_local_port_range").read().split()[0]
            sysctl("ip_local_port_range", f"{first} {value}")
        else:
            sysctl("tcp_" + name, value)

    def do_latency(self, seconds):
        self.path.latency = float(seconds)

    def do_wait(self, seconds):
        time.sleep(float(seconds))

    def do_cut(self, *words):
        self.path.cut |= sides(words)

    def do_unreachable(self, *words):
        self.path.unreachable |= sides(words)

    def do_mend(self, *words):
        self.path.cut -= sides(words)
        self.path.unreachable -= sides(words)

    def do_lose(self, side, nth):
        self.path.lose[side].append(int(nth))

    def do_listen(self, backlog="5"):
        self.listener = self.socket()
        self.listener.bind((HERE, PORT))
        self.listener.listen(int(backlog))

    def do_unlisten(self):
        self.listener.close()

    def do_open(self):
        self.do_listen()
        self.end_connect("client")
        self.end_accept("server")

    # Calls of an end.

    def socket(self):
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for option in self.options:
            made.setsockopt(*option)
        return made

    def end_connect(self, end, *words):
        made = self.socket()
        given = dict(zip(words[::2], words[1::2]))
        if "from" in given:
            made.bind((HERE, int(given["from"])))
        self.ends[end] = made
        made.connect((THERE, int(given.get("to", PORT))))
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return "connected"

    def end_accept(self, end):
        made, _ = self.listener.accept()
        for option in self.options:
            made.setsockopt(*option)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.ends[end] = made
        return "accepted"

    def end_write(self, end, octets):
        return self.ends[end].send(b"x" * int(octets), socket.MSG_NOSIGNAL)

    def end_read(self, end):
        return len(self.ends[end].recv(65536))

    def end_receive(self, end, octets):
        """Reads until there were so many octets."""
        wanted = int(octets)
        while wanted > 0:
            count = len(self.ends[end].recv(min(wanted, 65536)))
            if count == 0:
                return "end of file"
            wanted -= count
        return octets

    def end_fill(self, end):
        """Writes what is taken, for three seconds."""
        end_of_it = time.monotonic() + 3
        while time.monotonic() < end_of_it:
            try:
                self.ends[end].send(b"x" * 10_000, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
            except BlockingIOError:
                time.sleep(0.01)
        return "full"

    def end_drain(self, end):
        """Reads what there is, and what follows at once."""
        try:
            while self.ends[end].recv(1 << 20, socket.MSG_DONTWAIT):
                pass
        except BlockingIOError:
            pass
        return "drained"

    def end_writable(self, end):
        poll = select.poll()
        poll.register(self.ends[end], select.POLLOUT)
        poll.poll()
        return "writable"

    def end_room(self, end, other):
        """The part of a full send buffer that is free when it becomes writable as `other` reads, in quarters."""
        full = self.queued(end)
        poll = select.poll()
        poll.register(self.ends[end], select.POLLOUT)
        while not poll.poll(0):
            self.ends[other].recv(4096)
            time.sleep(0.001)
        return f"{(full - self.queued(end)) * 4 // full}/4"

    def queued(self, end):
        return struct.unpack("i", fcntl.ioctl(self.ends[end], termios.TIOCOUTQ, b"\0" * 4))[0]

    def end_ready(self, end):
        poll = select.poll()
        names = {"IN": select.POLLIN, "OUT": select.POLLOUT, "RDHUP": select.POLLRDHUP,
                 "HUP": select.POLLHUP, "ERR": select.POLLERR}
        poll.register(self.ends[end], select.POLLIN | select.POLLOUT | select.POLLRDHUP)
        found = dict(poll.poll(0)).get(self.ends[end].fileno(), 0)
        return "+".join(name for name, bit in names.items() if found & bit) or "nothing"

    def end_error(self, end):
        number = self.ends[end].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return errno.errorcode[number] if number else "none"

    def end_shutdown(self, end):
        self.ends[end].shutdown(socket.SHUT_WR)
        return "done"

    def end_close(self, end):
        self.ends.pop(end).close()
        return "done"

    def end_abort(self, end):
        made = self.ends.pop(end)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        made.close()
        return "done"


def sysctl(name, value):
    with open(f"/proc/sys/net/ipv4/{name}", "w") as file:
        file.write(str(value))


def take_precedence():
    """Other processes of a busy machine must not make the path slow."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(10))
    except OSError:
        pass


def wait_for_tick(ticks):
    """Waits until a coarse tick of the kernel's timers begins, the one after so many, where it says what its ticks are."""
    try:
        lines = open("/proc/timer_list").read().split("\n")
        now = next(int(line.split()[2]) for line in lines if line.startswith("now at")) / 1e9
        jiffies = next(int(line.split()[1]) for line in lines if line.startswith("jiffies:"))
    except (OSError, StopIteration):
        return
    begin = now + (COARSE * (1 + ticks) - jiffies % COARSE) * TICK
    if begin - time.monotonic() < 0.05:
        begin += COARSE * TICK
    time.sleep(max(0, begin - time.monotonic()))


def scripts(path):
    found, steps = {}, None
    for line in open(path):
        line = line.split("#")[0].strip()
        if line.startswith("script "):
            steps = found[line.split()[1]] = []
        elif line:
            steps.append(line)
    return found


def main():
    if sys.argv[1] == "--one":
        signal.alarm(LONGEST)
        try:
            Script(scripts(sys.argv[2])[sys.argv[3]], int(sys.argv[4])).play()
        except NotAllowed:
            sys.exit(NOT_ALLOWED)
        return
    known = scripts(sys.argv[1])
    names = sys.argv[2:] or list(known)
    command = [sys.executable, __file__, "--one", sys.argv[1]]
    # Not all in the same tick.
    start = lambda at, name: subprocess.Popen([*command, name, str(at // 10)], stdout=subprocess.PIPE, text=True)
    running = [(name, start(at, name)) for at, name in enumerate(names)]
    status = 0
    for name, process in running:
        story, _ = process.communicate()
        if process.returncode < 0:
            print(f"{name} did not end: signal {-process.returncode}", file=sys.stderr)
        status = max(status, abs(process.returncode))
        print(f"script {name}")
        for line in story.splitlines():
            print("    " + line)
    sys.exit(status)


if __name__ == "__main__":
    main()
