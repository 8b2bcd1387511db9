"""Sessions of the official client that share one HTTP/2 connection, everything at once: calls, event streams, progress,
requests of the server, large results.

Nothing here is timed: where an event must arrive at once, the replica waits for the client's answer to it before it goes
on, so a proxy that holds one stream's events back for another's never sees the end of the call.
"""

import collections

import anyio

import report
import sdk_v1
from server_requests import elicit, sample

STEPS = 3


class Listener:
    """Records the messages on a session's GET stream."""

    def __init__(self):
        self.sending, self.arriving = anyio.create_memory_object_stream[str](1000)

    async def __call__(self, params) -> None:
        await self.sending.send(params.data)


async def called(tracked: sdk_v1.TrackedSession, tool: str, **arguments) -> str:
    answered = await tracked.session.call_tool(tool, arguments)
    assert not answered.isError, f"{tool}: {answered.content[0].text}"
    return answered.content[0].text


async def numbered_calls(tracked: sdk_v1.TrackedSession, listener: Listener, options) -> None:
    for number in range(options.calls):
        fault = await tracked.whoami(f"{tracked.identity()}.{number}")
        assert fault is None, fault


async def notifications(tracked: sdk_v1.TrackedSession, listener: Listener, options) -> None:
    # The client opens its GET stream at any time. Messages sent before that are stored for a Last-Event-ID.
    with anyio.fail_after(60):
        while not listener.arriving.statistics().current_buffer_used:
            await called(tracked, "notify", text="first")
    while listener.arriving.statistics().current_buffer_used:
        assert await listener.arriving.receive() == "first"
    for number in range(STEPS):
        await called(tracked, "notify", text=f"event {number}")
        while (event := await listener.arriving.receive()) == "first":
            pass
        assert event == f"event {number}", f"sent event {number}, the stream brought {event}"


async def progress(tracked: sdk_v1.TrackedSession, listener: Listener, options) -> None:
    key = f"lockstep {tracked.identity()}"
    sending, arriving = anyio.create_memory_object_stream[float](STEPS)

    async def call() -> None:
        # The session reads nothing while it waits for a callback, so the callback only passes on what it received.
        async def step(progress: float, total: float | None, message: str | None) -> None:
            await sending.send(progress)

        answered = await tracked.session.call_tool("lockstep", {"key": key, "n": STEPS}, progress_callback=step)
        assert answered.content[0].text.endswith(f"counted {STEPS}"), answered.content[0].text

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call)
        for number in range(1, STEPS + 1):
            step = await arriving.receive()
            assert step == number, f"step {step} in place of {number}"
            await called(tracked, "advance", key=key)


async def server_requests(tracked: sdk_v1.TrackedSession, listener: Listener, options) -> None:
    for tool, answer in (("ask", "re:"), ("elicit", "accept re:")):
        answered = await called(tracked, tool, question=tracked.identity())
        assert answered.endswith(f"received {answer}{tracked.identity()}"), answered


async def large_results(tracked: sdk_v1.TrackedSession, listener: Listener, options) -> None:
    sent = f"{tracked.identity()} " * 10_000
    async with sdk_v1.uploading:
        assert await called(tracked, "bytes", n=3_000_000) == "x" * 3_000_000, "the result differs"
        assert await called(tracked, "echo", text=sent) == sent, "the echo differs"


CHECKS = (numbered_calls, notifications, progress, server_requests, large_results)


async def main(options, found) -> None:
    found.results.update(sessions=options.sessions, checked=0, passed=0)
    spread: collections.Counter[str] = collections.Counter()
    opened = [anyio.Event() for _ in range(options.sessions)]
    done = [anyio.Event() for _ in range(options.sessions)]

    async def attempt(check, tracked, listener, name: str) -> None:
        found.results["checked"] += 1
        try:
            await check(tracked, listener, options)
            found.results["passed"] += 1
        except Exception as error:
            found.fault(f"{name}: {check.__name__}: {report.explain(error)}")

    async def hold(index: int, client) -> None:
        listener = Listener()
        callbacks = {"logging_callback": listener, "sampling_callback": sample, "elicitation_callback": elicit}
        try:
            async with sdk_v1.streamable(options, client, **callbacks) as tracked:
                opened[index].set()
                await sdk_v1.all_set(opened)  # all sessions open before any asks: round robin spreads them
                async with anyio.create_task_group() as tasks:
                    for check in CHECKS:
                        tasks.start_soon(attempt, check, tracked, listener, f"session {index}")
                spread[tracked.replica or "none"] += 1
                done[index].set()
                # A session that ends cancels its GET stream; if that is just writing, httpcore closes the connection.
                await sdk_v1.all_set(done)
        except Exception as error:
            found.fault(f"session {index}: {report.explain(error)}")
        finally:
            opened[index].set()
            done[index].set()

    async with sdk_v1.http(options) as client:
        async with anyio.create_task_group() as tasks:
            for index in range(options.sessions):
                tasks.start_soon(hold, index, client)
        connections = client._transport._pool.connections  # httpx has no public API for it
        found.results["connections"] = len(connections)
        found.expect(len(connections) == 1 or not options.http2, f"{len(connections)} connections: {connections}")
    sdk_v1.expect_version(options, found)
    found.results["spread"] = dict(spread)
    checks = options.sessions * len(CHECKS)
    found.expect(found.results["passed"] == checks, f"{found.results['passed']} of {checks} checks passed")
    found.expect(len(spread) >= options.replicas, f"{len(spread)} of {options.replicas} replicas were used")


if __name__ == "__main__":
    arguments = report.parser(__doc__)
    arguments.add_argument("--sessions", type=int, default=4)
    arguments.add_argument("--calls", type=int, default=10)
    arguments.add_argument("--replicas", type=int, default=1)
    report.run(main, arguments.parse_args(), report.Report())
