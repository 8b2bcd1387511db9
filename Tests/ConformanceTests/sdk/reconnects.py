"""Sessions whose clients open their GET stream again, on another connection, a moment before the old one is closed.

The replica allows one stream a session, and answers 409 until it has noticed that the one before has ended.
"""

import anyio
import httpx

import report
import wire


async def main(options, found) -> None:
    async with httpx.AsyncClient(verify=report.tls(options), timeout=options.call_timeout) as client:
        sessions = [wire.Session(client, options.url) for _ in range(options.sessions)]
        for session in sessions:
            status = await session.open()
            found.expect(status in (200, 202), f"a session was not opened: {status}")
        async with anyio.create_task_group() as group:
            for session in sessions:
                group.start_soon(reconnect, session, options, found)
        for session in sessions:
            await session.end()


async def reconnect(session: wire.Session, options, found) -> None:
    old = None
    for _ in range(options.rounds):
        client = httpx.AsyncClient(verify=report.tls(options), timeout=options.call_timeout)
        # Its connection is there before it asks for the stream.
        ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        await client.post(session.url, json=ping, headers=session.headers())
        asking = client.build_request("GET", session.url, headers=session.headers() | {"Accept": "text/event-stream"})
        async with anyio.create_task_group() as group:
            if old is not None:
                group.start_soon(leave, *old)
            stream = await client.send(asking, stream=True)
        found.results["calls"] += 1
        if found.expect(stream.status_code == 200, f"GET gave {stream.status_code}"):
            found.results["right"] += 1
        old = client, stream
    await leave(*old)


async def leave(client: httpx.AsyncClient, stream: httpx.Response) -> None:
    await anyio.sleep(0.005)
    await stream.aclose()
    await client.aclose()


parser = report.parser(__doc__)
parser.add_argument("--sessions", type=int, default=20)
parser.add_argument("--rounds", type=int, default=10)
options = parser.parse_args()
report.run(main, options, report.Report(calls=0, right=0))
