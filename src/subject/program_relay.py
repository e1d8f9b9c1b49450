"""Stands for an API program of a speaker under test: relays its pipes to the scenario that is being played.

Started as `./program NAME` in the directory of the configuration; the socket is there too.
One read is passed on as one write, so that what the scenario wrote at once arrives at once.
"""

import os
import select
import socket
import sys

scenario = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
scenario.connect(os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), "programs.socket"))
scenario.sendall((sys.argv[1] + "\n").encode())

sources = [scenario.fileno(), 0]
while scenario.fileno() in sources:
    for ready in select.select(sources, [], [])[0]:
        try:
            octets = os.read(ready, 65536)
        except BlockingIOError:
            continue
        if not octets:
            sources.remove(ready)
            if ready == 0:
                scenario.shutdown(socket.SHUT_WR)
            continue
        target = scenario.fileno() if ready == 0 else 1
        while octets:
            try:
                octets = octets[os.write(target, octets) :]
            except BlockingIOError:
                select.select([], [target], [])
            except BrokenPipeError:
                sys.exit(0)
