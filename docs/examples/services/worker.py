"""Counts in the store once a second, and says that it is ready once the store answered."""

import os
import socket
import time


def notify(state):
    """sd_notify(3): a datagram to the socket in NOTIFY_SOCKET."""
    path = os.environ.get("NOTIFY_SOCKET")
    if path:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.connect("\0" + path[1:] if path.startswith("@") else path)
            channel.send(state.encode())


host, port = os.environ["STORE"].rsplit(":", 1)
with socket.create_connection((host, int(port))) as store:
    is_ready = False
    while True:
        store.sendall(b"INCR counted\r\n")
        answer = store.recv(64)
        if not answer.startswith(b":"):
            raise SystemExit(f"the store went away, or said {answer!r}")
        print("counted", int(answer[1:]))
        if not is_ready:
            notify("READY=1")
            is_ready = True
        time.sleep(1)
