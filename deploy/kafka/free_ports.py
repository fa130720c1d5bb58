#!/usr/bin/env python3
"""Ports of 127.0.0.1 that nobody listens on now, below the range that the system takes for outgoing connections: none of these can take
the port while its server is down, nor can a client that tries it then be connected to itself.

    free_ports.py COUNT      prints so many different ones, one a line"""
import contextlib
import random
import socket
import sys


def free_ports(count):
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as limits:
        below = int(limits.read().split()[0])
    candidates = random.sample(range(10000, below), 100 + 10 * count) if below > 12000 + 10 * count else []
    free = []
    with contextlib.ExitStack() as probes:  # all of them open at once: no port comes twice
        for port in [*candidates, *[0] * count]:
            if len(free) == count:
                break
            probe = probes.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                free.append(probe.getsockname()[1])
    if len(free) < count:
        sys.exit(f"expected {count} free ports on 127.0.0.1, found {len(free)}")
    return free


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1].isdecimal():
        print("free_ports.py: expected how many ports, got " + (" ".join(sys.argv[1:]) or "nothing") + "; hint: free_ports.py 5", file=sys.stderr)
        sys.exit(2)
    print(*free_ports(int(sys.argv[1])), sep="\n")
