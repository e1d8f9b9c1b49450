"""Two network namespaces with a cable between them, a capture of one end, BIRD, and a BGP peer of a few lines."""
import ctypes
import os
import select
import signal
import socket
import struct
import subprocess
import threading
import time

ETH_P_ALL = 3
PACKET_OTHERHOST = 3
SO_TIMESTAMPNS = 35
CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


def run(*command, check=True):
    return subprocess.run(command, check=check, capture_output=True, text=True)


class Namespace:
    """A host: a namespace with one end of the cable."""

    def __init__(self, name, address):
        self.name, self.address = name, address
        run("ip", "netns", "add", name)
        self.ip("link", "set", "lo", "up")

    def ip(self, *words, check=True):
        return run("ip", "-n", self.name, *words, check=check)

    def sysctl(self, name, value):
        run("ip", "netns", "exec", self.name, "sysctl", "-qw", f"{name}={value}")

    def start(self, *command, **more):
        return subprocess.Popen(
            ["ip", "netns", "exec", self.name, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more
        )

    def inside(self, what):
        """Runs `what` in a thread that lives in the namespace, and gives what it returns."""
        out = {}

        def body():
            handle = os.open(f"/run/netns/{self.name}", os.O_RDONLY)
            if LIBC.setns(handle, CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            os.close(handle)
            out["value"] = what()

        thread = threading.Thread(target=body)
        thread.start()
        thread.join()
        return out.get("value")

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_STREAM, protocol=0):
        return self.inside(lambda: socket.socket(family, kind, protocol))


class World:
    """`west` (192.0.2.1) and `east` (192.0.2.2); what passes `west`'s end of the cable is captured, or `east`'s."""

    def __init__(self, key, path, where="west", mtu=(1500, 1500)):
        self.directory = f"/tmp/why-{os.getpid()}-{key}"
        os.makedirs(self.directory, exist_ok=True)
        self.west = Namespace(f"why-w{key}-{os.getpid() % 10000}", "192.0.2.1")
        self.east = Namespace(f"why-e{key}-{os.getpid() % 10000}", "192.0.2.2")
        run("ip", "link", "add", "wire", "netns", self.west.name, "type", "veth", "peer", "name", "wire", "netns", self.east.name)
        for host, size in ((self.west, mtu[0]), (self.east, mtu[1])):
            host.ip("address", "add", f"{host.address}/24", "dev", "wire")
            host.ip("link", "set", "wire", "mtu", str(size), "up")
            # Segments as they are on the wire: what the kernel leaves to be cut up by the card passes any MTU.
            host.ip("link", "set", "wire", "gso_max_segs", "1")
        self.children = []
        self.capture = Capture(getattr(self, where), path)
        time.sleep(0.3)

    def bird(self, host, text, name="bird", arguments=()):
        """BIRD on `host`; `text` is the protocol."""
        configuration = f"{self.directory}/{name}.conf"
        with open(configuration, "w") as file:
            file.write(f"router id {host.address};\nprotocol device {{ scan time 10; }}\n{text}\n")
        check = run("bird", "-p", "-c", configuration, check=False)
        if check.returncode:
            raise SystemExit(check.stderr)
        control = f"{self.directory}/{name}.ctl"
        child = host.start("bird", "-f", "-c", configuration, "-s", control, "-P", f"{self.directory}/{name}.pid", *arguments)
        self.children.append(child)
        return Bird(child, configuration, control, f"{self.directory}/{name}.pid")

    def close(self):
        time.sleep(0.5)
        for child in self.children:
            child.send_signal(signal.SIGCONT)
            child.kill()
            child.wait()
        self.capture.close()
        for host in (self.west, self.east):
            run("ip", "netns", "del", host.name, check=False)
        subprocess.run(["rm", "-rf", self.directory])


class Bird:
    def __init__(self, child, configuration, control, pid_file):
        self.child, self.configuration, self.control, self.pid_file = child, configuration, control, pid_file

    def ask(self, *words):
        return run("birdc", "-s", self.control, *words, check=False).stdout

    def replace(self, old, new):
        with open(self.configuration) as file:
            text = file.read()
        with open(self.configuration, "w") as file:
            file.write(text.replace(old, new))
        return self.ask("configure")

    def wait_up(self, seconds=20):
        for _ in range(seconds * 10):
            if "Established" in self.ask("show", "protocols"):
                return
            time.sleep(0.1)
        raise SystemExit("the session never came up: " + self.ask("show", "protocols", "all"))

    def pid(self):
        with open(self.pid_file) as file:
            return int(file.read())

    def signal(self, number):
        os.kill(self.pid(), number)


class Capture:
    """Packets of one end of the cable, with the kernel's own times, to a pcap file (nanoseconds)."""

    def __init__(self, host, path):
        def opened():
            sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            sniffer.bind(("wire", 0))
            sniffer.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            sniffer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
            return sniffer

        self.sniffer = host.inside(opened)
        self.file = open(path, "wb")
        self.file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
        self.over = False
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self):
        while not self.over:
            ready, _, _ = select.select([self.sniffer], [], [], 0.2)
            if not ready:
                continue
            try:
                data, ancillary, _, source = self.sniffer.recvmsg(65536, 256)
            except OSError:
                # The device has gone, or a packet could not be copied.
                continue
            # ARP and IPv6 say nothing here, and a frame for another address does not arrive.
            if data[12:14] != b"\x08\x00" or source[2] == PACKET_OTHERHOST:
                continue
            seconds = nanoseconds = 0
            for _, kind, value in ancillary:
                if kind == SO_TIMESTAMPNS:
                    seconds, nanoseconds = struct.unpack("qq", value)
            self.file.write(struct.pack("<IIII", seconds, nanoseconds, len(data), len(data)) + data)

    def close(self):
        self.over = True
        self.thread.join()
        self.file.close()
        self.sniffer.close()


MARKER = b"\xff" * 16


def message(kind, body=b""):
    return MARKER + struct.pack("!HB", 19 + len(body), kind) + body


def open_message(asn=65002, hold=90, identifier="192.0.2.2", version=4, capabilities=((1, b"\0\1\0\1"),)):
    options = b"".join(bytes([2, 2 + len(value), code, len(value)]) + value for code, value in capabilities)
    return message(1, struct.pack("!BHH", version, asn, hold) + socket.inet_aton(identifier) + bytes([len(options)]) + options)


def attributes(asn=65002, next_hop="192.0.2.2", extra=b""):
    return (
        b"\x40\x01\x01\x00"
        + b"\x40\x02\x04\x02\x01" + struct.pack("!H", asn)
        + b"\x40\x03\x04" + socket.inet_aton(next_hop)
        + extra
    )


def update(prefixes, asn=65002, next_hop="192.0.2.2", extra=b""):
    path = attributes(asn, next_hop, extra)
    return message(2, b"\0\0" + struct.pack("!H", len(path)) + path + b"".join(prefixes))


def prefix(number):
    return b"\x18\x0a" + struct.pack("!H", number)


def notification(code, subcode, data=b""):
    return message(3, bytes([code, subcode]) + data)


KEEPALIVE = message(4)


class Peer:
    """An end that says what it is told to; the kernel's TCP does the rest."""

    def __init__(self, host, to=None, receive_buffer=None, ttl=None, listen=True):
        self.host = host
        if to is None:
            listener = host.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if receive_buffer:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            listener.bind((host.address, 179))
            listener.listen(8)
            listener.settimeout(40)
            self.listener = listener
            self.socket, _ = listener.accept()
            if not listen:
                listener.close()
        else:
            self.listener = None
            self.socket = host.socket()
            if receive_buffer:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            self.socket.bind((host.address, 0))
            for _ in range(100):
                try:
                    self.socket.connect((to, 179))
                    break
                except ConnectionRefusedError:
                    time.sleep(0.1)
                    self.socket.close()
                    self.socket = host.socket()
                    if receive_buffer:
                        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
                    self.socket.bind((host.address, 0))
        self.socket.settimeout(20)
        self.buffer = b""

    def again(self):
        self.socket, _ = self.listener.accept()
        self.socket.settimeout(20)
        self.buffer = b""

    def say(self, *messages):
        self.socket.sendall(b"".join(messages))

    def hear(self):
        while len(self.buffer) < 19 or len(self.buffer) < struct.unpack("!H", self.buffer[16:18])[0]:
            more = self.socket.recv(65536)
            if not more:
                return None
            self.buffer += more
        length = struct.unpack("!H", self.buffer[16:18])[0]
        heard, self.buffer = self.buffer[:length], self.buffer[length:]
        return heard

    def hear_until(self, kind):
        while True:
            heard = self.hear()
            if heard is None or heard[18] == kind:
                return heard

    def up(self, **open_fields):
        """OPEN and KEEPALIVE, both ways."""
        self.say(open_message(**open_fields))
        self.hear_until(1)
        self.say(KEEPALIVE)
        self.hear_until(4)

    def wait_for_input(self):
        """Until there is something to read that nobody reads."""
        self.buffer = b""
        while not self.socket.recv(1, socket.MSG_PEEK):
            time.sleep(0.01)
        time.sleep(0.02)

    def keep(self, seconds, every=1.0):
        """Goes on as a speaker would, for a time."""
        end = time.time() + seconds
        while time.time() < end:
            time.sleep(min(every, max(0, end - time.time())))
            self.say(KEEPALIVE)

    def linger(self):
        """Waits until the other end has closed too."""
        try:
            while self.socket.recv(65536):
                pass
        except OSError:
            pass
        self.socket.close()
