"""Event streams on one session after another, so that every replica is used: what arrives, when, and how they end.

Nothing here is timed: where an event must arrive at once, the replica waits for the client's answer to it before it goes
on, so a proxy that holds it back never sees the end of the call.
"""

import collections
import contextlib
import statistics
import time

import anyio
import httpx

import report
import sdk_v1
import wire

CHECKS = {}


def check(function):
    CHECKS[function.__name__] = function
    return function


async def at_last(attempt, deadline: float = 60):
    """The first value of `attempt()` that is not None; a failure after `deadline` seconds."""
    with anyio.fail_after(deadline):
        while (value := await attempt()) is None:
            await anyio.sleep(0.02)
        return value


@contextlib.asynccontextmanager
async def hearing(session: wire.Session, found):
    """The session's GET stream. The previous one was closed just now: 409 until the replica has noticed it."""
    asked = time.perf_counter()
    while True:
        sent = time.perf_counter()
        async with session.listening() as stream:
            now = time.perf_counter()
            if stream.status_code == 200:
                found.results["heads"].append((now - sent) * 1000)
                found.results["reopened"].append((sent - asked) * 1000)
                yield stream
                return
            assert stream.status_code == 409, f"GET gave {stream.status_code}"
            assert now - asked < 3, "GET still gives 409, 3 s after the stream before it was closed"
        await anyio.sleep(0.005)


@check
async def notification_on_the_get_stream(session: wire.Session, options, found) -> None:
    async with hearing(session, found) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream"), stream.headers["content-type"]
        arriving = wire.events(stream)
        for sent in ("one", "two", "three"):
            status, _ = await session.call("notify", text=sent)
            assert status == 200, f"notify gave {status}"
            event = await anext(arriving)
            assert event.message["params"]["data"] == sent, f"sent {sent}, the stream brought {event.message}"


@check
async def one_get_stream_at_a_time(session: wire.Session, options, found) -> None:
    async with hearing(session, found):
        async with session.listening() as second:
            assert second.status_code == 409, f"second GET gave {second.status_code}, not 409"
    async with hearing(session, found):
        pass


@check
async def missed_notifications_are_replayed(session: wire.Session, options, found) -> None:
    async with hearing(session, found) as stream:
        await session.call("notify", text="seen")
        seen = await anext(wire.events(stream))
    for sent in ("missed 1", "missed 2"):
        await session.call("notify", text=sent)
    async with session.listening(Last_Event_ID=seen.identity) as stream:
        assert stream.status_code == 200, f"GET with Last-Event-ID gave {stream.status_code}"
        arriving = wire.events(stream)
        replayed = [(await anext(arriving)).message["params"]["data"] for _ in range(2)]
    assert replayed == ["missed 1", "missed 2"], f"replayed {replayed}"


@check
async def progress_arrives_at_once(session: wire.Session, options, found) -> None:
    key = f"lockstep {session.id}"
    steps = []
    params = wire.call("lockstep", "token", {"key": key, "n": 5})
    async with session.sending("tools/call", params) as (number, response):
        assert response.status_code == 200, f"call gave {response.status_code}"
        async for event in wire.events(response):
            if event.message is None:
                continue
            if event.message.get("method") == "notifications/progress":
                steps.append(event.message["params"]["progress"])
                status, _ = await session.call("advance", key=key)
                assert status == 200, f"advance gave {status}"
            elif event.message.get("id") == number:
                break
        else:
            raise AssertionError("the stream ended without a response")
    assert steps == [1, 2, 3, 4, 5], f"steps {steps}"
    assert wire.text(event.message).endswith("counted 5"), event.message


@check
async def a_cut_call_is_resumed(session: wire.Session, options, found) -> None:
    key = f"cut {session.id}"
    params = wire.call("lockstep", "token", {"key": key, "n": 4})
    async with session.sending("tools/call", params) as (number, response):
        arriving = wire.events(response)
        priming = await anext(arriving)
        assert priming.message is None and priming.identity, "2025-11-25 begins with a priming event"
        first = await anext(arriving)
    # The connection is cut here. A disconnect is not a cancellation: the tool waits for its gates, then answers.
    for _ in range(2):
        assert (await session.call("advance", key=key))[0] == 200
    last, steps, answers = first.identity, [first.message["params"]["progress"]], []
    opened = 0

    async def resume():
        """One GET from the last event on: True once the answer is there, None if the stream ended before it."""
        nonlocal last, opened
        async with session.listening(Last_Event_ID=last) as stream:
            assert stream.status_code == 200, f"resuming gave {stream.status_code}"
            async for event in wire.events(stream):
                last = event.identity or last
                if event.message is None:
                    opened += 1
                    if opened == 1:  # live again: let the tool finish while this stream is open
                        for _ in range(2):
                            await session.call("advance", key=key)
                elif event.message.get("method") == "notifications/progress":
                    steps.append(event.message["params"]["progress"])
                else:
                    answers.append(event.message)
                    return True
        return None

    await at_last(resume)
    assert steps == [1, 2, 3, 4], f"steps {steps}"
    assert answers[0]["id"] == number and wire.text(answers[0]).endswith("counted 4"), answers


@check
async def a_stream_the_server_ends_early_is_resumed_by_the_client(session, options, found) -> None:
    async with sdk_v1.streamable(options) as tracked:
        key = f"late {tracked.identity()}"
        answers = []

        async def call():
            answered = await tracked.session.call_tool("come_back", {"key": key})
            answers.append(answered.content[0].text)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(call)
            await tracked.session.call_tool("advance", {"key": key})
        assert answers and answers[0].endswith("answered late"), answers


@check
async def large_results_arrive_whole(session: wire.Session, options, found) -> None:
    status, result = await session.call("bytes", n=3_000_000)
    assert status == 200 and result == "x" * 3_000_000, f"{status}, {len(result or '')} characters"
    sent = "y" * 3_000_000
    status, result = await session.call("echo", text=sent)
    assert status == 200 and result == sent, f"{status}, {len(result or '')} characters"


@check
async def an_unknown_session_gets_404(session: wire.Session, options, found) -> None:
    real = session.id
    try:
        # Not the last character: its low bits may be padding that decoders ignore.
        middle = len(real) // 2
        forged = real[:middle] + ("A" if real[middle] != "A" else "B") + real[middle + 1 :]
        for session.id in (forged, "0" * 32, real + "x"):
            status, message = await session.request("tools/list", {})
            assert status == 404, f"session {session.id!r} gave {status}"
            assert (message or {}).get("error"), f"no JSON-RPC error in the 404: {message}"
            async with session.listening() as stream:
                assert stream.status_code == 404, f"GET of session {session.id!r} gave {stream.status_code}"
    finally:
        session.id = real


@check
async def delete_then_404(session: wire.Session, options, found) -> None:
    async with hearing(session, found) as stream:
        status = await session.end()
        assert status == 200, f"DELETE gave {status}"
        with anyio.fail_after(60):  # the session's stream ends with it
            async for _ in stream.aiter_bytes():
                pass
    status, _ = await session.request("tools/list", {})
    assert status == 404, f"a call after DELETE gave {status}"
    async with session.listening() as stream:
        assert stream.status_code == 404, f"a GET after DELETE gave {stream.status_code}"


async def main(options, found) -> None:
    found.results.update(checked=0, passed=0, heads=[], reopened=[])
    spread: collections.Counter[str] = collections.Counter()
    async with sdk_v1.http(options) as client:
        for number in range(options.sessions):
            session = wire.Session(client, options.url)
            status = await session.open()
            if not found.expect(status == 202, f"session {number}: opening ended with {status}"):
                continue
            _, who = await session.call("whoami", token="first")
            spread[(who or "none").split(" ")[0]] += 1
            for name, function in CHECKS.items():
                found.results["checked"] += 1
                try:
                    with anyio.fail_after(options.call_timeout):
                        await function(session, options, found)
                    found.results["passed"] += 1
                except (Exception, httpx.StreamError) as error:
                    found.fault(f"session {number}: {name}: {report.explain(error)}")
    heads = found.results.pop("heads")
    found.results["medianHeadMilliseconds"] = round(statistics.median(heads), 3) if heads else None
    found.results["longestReopenMilliseconds"] = round(max(found.results.pop("reopened"), default=0), 3)
    found.results["spread"] = dict(spread)
    # The checks' own requests without a session take turns too, so few sessions may not use every replica.
    found.expect(len(spread) >= min(2, options.replicas), f"{len(spread)} of {options.replicas} replicas were used")


if __name__ == "__main__":
    arguments = report.parser(__doc__)
    arguments.add_argument("--sessions", type=int, default=6)
    arguments.add_argument("--replicas", type=int, default=1)
    report.run(main, arguments.parse_args(), report.Report())
