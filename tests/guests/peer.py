#!/usr/bin/env python3
"""What a guest talks to: peer.py listen FILE | connect SOCKET.

listen takes a free TCP port of 127.0.0.1, writes its number to FILE and waits for one connection;
connect connects to a unix socket.  Either then sends a line and prints the line that comes back.
"""
import os
import socket
import sys
import time

LIMIT = 120  # seconds


def accepted(path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(LIMIT)
        with open(path + ".new", "w", encoding="ascii") as file:
            print(server.getsockname()[1], file=file)
        os.rename(path + ".new", path)
        return server.accept()[0]


def connected(path):
    """Tries again while the socket has a name but does not listen yet."""
    deadline = time.monotonic() + LIMIT
    while True:
        client = socket.socket(socket.AF_UNIX)
        try:
            client.connect(path)
            return client
        except ConnectionRefusedError:
            client.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


with {"listen": accepted, "connect": connected}[sys.argv[1]](sys.argv[2]) as peer:
    peer.settimeout(LIMIT)
    peer.sendall(b"from the host\n")
    print(peer.makefile(encoding="ascii").readline(), end="")
