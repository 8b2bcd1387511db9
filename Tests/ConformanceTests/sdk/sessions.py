"""Many sessions of the official client at once, their calls interleaved in a shuffled order.

Half the sessions share one HTTP client, so that calls of different sessions follow each other on one connection; the
other half have one each. Within a session calls are made one after another: the replica numbers them, so one that went to
another replica, or never arrived, or arrived twice, shows.

Over HTTP/2 no session leaves before all calls are made: leaving cancels what its tasks write, and where that is half a
record, anyio gives up the whole connection (`TLSStream._broken`) and with it the calls of the other sessions.
"""

import collections
import random

import anyio

import report
import sdk_v1


async def main(options, found) -> None:
    results = found.results
    results.update(sessions=options.sessions, calls=options.sessions * options.calls, opened=0, right=0, whole=0)
    connect = sdk_v1.legacy if options.legacy else sdk_v1.streamable
    random.seed(options.seed)
    order = [index for index in range(options.sessions) for _ in range(options.calls)]
    random.shuffle(order)
    queues = [anyio.create_memory_object_stream(options.calls) for _ in range(options.sessions)]
    at_once = anyio.Semaphore(options.at_once)
    settled = [anyio.Event() for _ in range(options.sessions)]
    done = [anyio.Event() for _ in range(options.sessions)]
    spread: collections.Counter[str] = collections.Counter()

    async def hold(index: int, shared) -> None:
        client = {} if options.legacy or index % 2 else {"client": shared}
        right = 0
        try:
            async with connect(options, **client) as tracked:
                results["opened"] += 1
                settled[index].set()
                async for token in queues[index][1]:
                    try:
                        fault = await tracked.whoami(token)
                    except Exception as error:
                        fault = report.explain(error)
                    finally:
                        at_once.release()
                    if fault is None:
                        right += 1
                    else:
                        found.fault(f"session {index}: {fault}")
                spread[tracked.replica or "none"] += 1
                done[index].set()
                if options.http2:
                    await sdk_v1.all_set(done)
        except Exception as error:
            found.fault(f"session {index}: {report.explain(error)}")
        finally:
            settled[index].set()
            done[index].set()
            results["right"] += right
            results["whole"] += right == options.calls
            queues[index][1].close()

    async with sdk_v1.http(options) as shared, anyio.create_task_group() as tasks:
        for index in range(options.sessions):
            tasks.start_soon(hold, index, shared)
        await sdk_v1.all_set(settled)
        for number, index in enumerate(order):
            await at_once.acquire()
            try:
                await queues[index][0].send(f"{index}.{number}.{random.getrandbits(64):x}")
            except anyio.BrokenResourceError:
                at_once.release()
        for sending, _ in queues:
            sending.close()
    results["spread"] = dict(spread)
    if not options.legacy:
        sdk_v1.expect_version(options, found)
    found.expect(results["whole"] == options.sessions, f"only {results['whole']} of {options.sessions} sessions whole")
    found.expect(len(spread) >= options.replicas, f"{len(spread)} of {options.replicas} replicas were used")


if __name__ == "__main__":
    arguments = report.parser(__doc__)
    arguments.add_argument("--legacy", action="store_true", help="HTTP+SSE (2024-11-05) instead of Streamable HTTP")
    arguments.add_argument("--sessions", type=int, default=50)
    arguments.add_argument("--calls", type=int, default=20)
    arguments.add_argument("--at-once", type=int, default=16)
    arguments.add_argument("--replicas", type=int, default=1, help="how many must have been given a session")
    report.run(main, arguments.parse_args(), report.Report())
