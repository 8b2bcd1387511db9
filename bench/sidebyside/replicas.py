"""What the proxies stand in front of: an nginx that answers calls, and a server of silent event streams."""

import asyncio
import sys
from pathlib import Path

from .calls import reply_body
from .peers import render, user_directive
from .processes import Child, free_port, poll_until

STREAM_HEAD = (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
               b"Transfer-Encoding: chunked\r\n\r\n")


def start_call_replicas(machine, executable, count=3):
    """Starts one nginx that listens as `count` replicas; returns it and their ports."""
    ports = [free_port() for _ in range(count)]
    values = {
        "DIR": machine.directory, "FILES": machine.files, "USER": user_directive(), "REPLY": reply_body(),
        "BULK": machine.directory / "bulk", "LISTEN": "\n        ".join(f"listen 127.0.0.1:{port} backlog=4096;" for port in ports),
    }
    config = render("replica.conf.in", values, machine.directory / "replica.conf")
    child = Child("the replica", [executable, "-p", machine.directory, "-e", machine.directory / "replica.log",
                                  "-c", config], machine.load_cpu, machine.directory / "replica-output.log")
    try:
        for port in ports:
            child.wait_for_port(port)
    except BaseException:
        child.stop()
        raise
    return child, ports


def start_stream_replica(machine):
    """Starts the server of silent event streams; returns it and its port."""
    run = Path(__file__).resolve().parent.parent / "run"
    child = Child("the stream replica", [sys.executable, run, "--serve-streams"], machine.load_cpu,
                  machine.directory / "streams.log")

    def port():
        child.require_alive()
        text = child.log.read_text()
        return int(text) if text.endswith("\n") else None
    try:
        return child, poll_until(port, 10, "the stream replica's port")
    except BaseException:
        child.stop()
        raise


def serve_streams():
    """Answers every request with the head of an event stream, at once, and then says nothing more."""
    async def serve(reader, writer):
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(STREAM_HEAD)
            await reader.read(1)  # silence, until the proxy leaves
        except (OSError, asyncio.IncompleteReadError):
            pass
        writer.close()

    async def main():
        server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=4096)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    asyncio.run(main())
