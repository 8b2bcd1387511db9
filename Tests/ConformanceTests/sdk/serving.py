"""What every replica shares: its arguments, its kernel-chosen port, and ending with the process that started it."""

import argparse
import os
import socket
import sys
import threading

import uvicorn


def arguments(description: str, truth: bool = False) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--name", required=True, help="what the replica calls itself in its tool results")
    parser.add_argument("--port", type=int, default=0, help="0: the kernel chooses")
    parser.add_argument("--until-eof", action="store_true", help="exit when stdin ends, so that no test leaves one behind")
    if truth:
        parser.add_argument("--truth", required=True, help="file to append to what was asked and answered")
        parser.add_argument("--json", action="store_true", help="answer with JSON rather than event streams")
    return parser.parse_args()


def serve(app, options: argparse.Namespace) -> None:
    """Binds, prints `port=NNNN` as the first line of stdout, and serves `app` until the process is ended."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", options.port))
    listener.listen(512)
    print(f"port={listener.getsockname()[1]}", flush=True)
    if options.until_eof:
        threading.Thread(target=_exit_at_end_of_input, daemon=True).start()
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)
    uvicorn.Server(config).run(sockets=[listener])


def _exit_at_end_of_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)
