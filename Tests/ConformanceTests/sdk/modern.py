"""Clients of mcp 2.3 with either protocol: calls, progress, queries in rounds, and cancellation by disconnecting.

In the stateless protocol (2026-07-28) a client's calls must be spread over several replicas. In the revisions with
sessions (--mode legacy) all calls of a session must reach one replica.
"""

import collections
import json
import random
import time
import urllib.request

import anyio
import httpx2
import mcp_types as types
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

import report


def connected(options, http: httpx2.AsyncClient, **callbacks) -> Client:
    transport = streamable_http_client(options.url, http_client=http)
    mode = options.mode
    return Client(transport, mode=mode, read_timeout_seconds=options.call_timeout, **callbacks)


def http(options) -> httpx2.AsyncClient:
    timeout = httpx2.Timeout(30, read=300)
    return httpx2.AsyncClient(verify=report.tls(options), timeout=timeout, trust_env=False)


async def answer(_context, params: types.ElicitRequestParams) -> types.ElicitResult:
    return types.ElicitResult(action="accept", content={"name": f"re:{params.message}"})


async def calls_of_one_client(index: int, options, found, spread: collections.Counter) -> set[str]:
    """Which replicas answered."""
    met: set[str] = set()
    async with http(options) as own, connected(options, own) as client:
        stateless = client.protocol_version >= "2026-07-28"
        found.expect(stateless != (options.mode == "legacy"), f"client {index} negotiated {client.protocol_version}")
        for number in range(1, options.calls + 1):
            token = f"{index}.{number}.{random.getrandbits(64):x}"
            answered = await client.call_tool("whoami", {"token": token})
            replica, counted, returned = answered.content[0].text.split(" ")
            met.add(replica)
            spread[replica] += 1
            right = returned == token and int(counted) == (0 if stateless else number)
            if found.expect(right, f"client {index} call {number}: got {answered.content[0].text!r}"):
                found.results["right"] += 1
    found.expect(stateless or len(met) == 1, f"the session of client {index} met {sorted(met)}")
    return met


async def a_client_alone(options, found, spread: collections.Counter) -> None:
    """Runs alone: with other clients, round robin may give one client the same replicas again."""
    met = await calls_of_one_client(options.clients, options, found, spread)
    found.expect(len(met) >= options.replicas, f"a client alone met only {sorted(met)}")


async def progress(options, found) -> None:
    steps = []

    async def note(done: float, _total, _message) -> None:
        steps.append(done)

    async with http(options) as own, connected(options, own) as client:
        answered = await client.call_tool("count", {"n": 5, "pause": 0.02}, progress_callback=note)
    found.expect(answered.content[0].text.endswith("counted 5") and steps == [1, 2, 3, 4, 5], f"{answered.content}, {steps}")


async def rounds(options, found) -> None:
    """A question (`input_required`) and its answer are two requests: with one key for the fleet, any two replicas will do."""
    async with http(options) as own, connected(options, own, elicitation_callback=answer) as client:
        for number in range(6):
            answered = await client.call_tool("confirm", {"question": str(number)})
            received = answered.content[0].text
            found.expect(received.endswith(f"received re:{number}"), f"confirm {number}: {received!r}")


async def leaving_is_cancelling(options, found) -> None:
    """Closes the stream of a call. One of the replicas, queried directly, must have cancelled its handler."""
    delays = []
    for number in range(6):
        key = f"{options.seed}.{number}"
        reported = anyio.Event()

        async def note(_done, _total, _message) -> None:
            reported.set()

        async with http(options) as own, connected(options, own) as client:
            async with anyio.create_task_group() as tasks:

                async def linger() -> None:
                    await client.call_tool("linger", {"key": key}, progress_callback=note)

                tasks.start_soon(linger)
                await reported.wait()
                left = time.perf_counter()
                tasks.cancel_scope.cancel()
            while not await anyio.to_thread.run_sync(reached, key, options.replica):
                if time.perf_counter() - left > 5:
                    found.fault(f"call {key} still runs 5 s after its client left")
                    break
                await anyio.sleep(0.005)
            delays.append((time.perf_counter() - left) * 1000)
    found.results["longestCancelMilliseconds"] = round(max(delays), 3)


def reached(key: str, replicas: list[str]) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for replica in replicas:
        with direct.open(f"{replica}/cancelled", timeout=5) as answered:
            if key in json.load(answered):
                return True
    return False


async def main(options, found) -> None:
    random.seed(options.seed)
    calls = (options.clients + (options.mode != "legacy")) * options.calls
    found.results.update(mode=options.mode, clients=options.clients, calls=calls, right=0)
    spread: collections.Counter[str] = collections.Counter()

    async def one(function, *arguments) -> None:
        try:
            await function(*arguments)
        except Exception as error:
            found.fault(f"{function.__name__}: {report.explain(error)}")

    async with anyio.create_task_group() as tasks:
        for index in range(options.clients):
            tasks.start_soon(one, calls_of_one_client, index, options, found, spread)
    await one(progress, options, found)
    if options.mode != "legacy":
        await one(a_client_alone, options, found, spread)
        await one(rounds, options, found)
        if options.replica:
            await one(leaving_is_cancelling, options, found)
    found.results["spread"] = dict(spread)
    right = found.results["right"]
    found.expect(right == calls, f"{right} of {calls} calls right")
    found.expect(len(spread) >= options.replicas, f"{len(spread)} of {options.replicas} replicas were used")


if __name__ == "__main__":
    arguments = report.parser(__doc__)
    arguments.add_argument("--mode", default="2026-07-28", help="2026-07-28, auto (probes), or legacy (revisions with sessions)")
    arguments.add_argument("--clients", type=int, default=10)
    arguments.add_argument("--calls", type=int, default=20)
    arguments.add_argument("--replicas", type=int, default=1, help="how many a client alone must meet")
    arguments.add_argument("--replica", action="append", default=[], help="base URL of a replica, to ask it directly")
    report.run(main, arguments.parse_args(), report.Report())
