"""Sessions that stay open during restarts of the proxy or a replica, driven by lines on stdin.

    open N      opens N more sessions
    call        every session calls `whoami` once; those that fail are let go
    gone NAME   sends requests in each session of replica NAME until it gets 404 (at most --within seconds)
    moved NAME  every session of replica NAME calls `whoami`: another replica must answer it, under the same id
    begin NAME SECONDS   begins a call of `sleep` in each session of replica NAME, and a second later answers
    begin NAME SECONDS outside   the same outside of the SDK, which waits for its timeout after a stream that could be resumed
    finish      waits for those calls: how many were answered rightly, and how long the longest took since its beginning
    ask NAME    sends one request in each session of replica NAME, outside of the SDK: by which status is it answered
    keep N      N sessions at a time are opened, make ten calls each and are ended, over and over; answers at once
    kept        ends that: how many calls were right, and the sessions that were opened by the replica that had them
    end         ends, with the exit status

Each line is answered by one line of JSON on stdout.
"""

import collections
import itertools
import json
import os
import sys
import time

import anyio

import report
import sdk_v1
import wire


class OpenSessions:
    def __init__(self, options, tasks):
        self.options, self.tasks = options, tasks
        self.open_sessions: list[sdk_v1.TrackedSession] = []
        self.number = 0
        self.closing = anyio.Event()
        self.begun: list[tuple[str, float]] = []
        self.pending = 0
        self.ended = anyio.Event()
        self.kept: dict = {"right": 0, "wrong": [], "spread": collections.Counter()}
        self.keeping = 0

    async def keep(self, *, task_status) -> None:
        """One session, open until the end. Calls find out whether it still works."""
        try:
            async with sdk_v1.streamable(self.options) as tracked:
                task_status.started(tracked)
                await self.closing.wait()
        except Exception as error:
            print(f"a session ended: {report.explain(error)}", file=sys.stderr)

    async def open(self, count: int) -> dict:
        opened, faults = [], []

        async def one() -> None:
            try:
                tracked = await self.tasks.start(self.keep)
                fault = await self.whoami(tracked)
                opened.append(tracked)
                if fault is not None:
                    faults.append(fault)
            except Exception as error:
                faults.append(report.explain(error))

        async with anyio.create_task_group() as tasks:
            for _ in range(count):
                tasks.start_soon(one)
        self.open_sessions += opened
        return {"right": len(opened) - len(faults), "wrong": faults, "spread": self.spread(opened)}

    async def call(self) -> dict:
        right, faults = [], []

        async def one(tracked: sdk_v1.TrackedSession) -> None:
            fault = await self.whoami(tracked)
            if fault is None:
                right.append(tracked)
            else:
                faults.append(f"{tracked.replica}: {fault}")

        async with anyio.create_task_group() as tasks:
            for tracked in self.open_sessions:
                tasks.start_soon(one, tracked)
        lost = [tracked for tracked in self.open_sessions if tracked not in right]
        self.open_sessions = right
        return {"right": len(right), "wrong": faults, "spread": self.spread(right), "lost": self.spread(lost)}

    async def gone(self, replica: str) -> dict:
        mine = [tracked for tracked in self.open_sessions if tracked.replica == replica]
        statuses: collections.Counter[int] = collections.Counter()
        late, longest, started = [], 0.0, time.monotonic()

        async def one(tracked: sdk_v1.TrackedSession, client) -> None:
            nonlocal longest
            session = wire.Session(client, self.options.url)
            session.id = tracked.identity()
            while time.monotonic() - started < self.options.within:
                try:
                    status, _ = await session.request("ping", {})
                except Exception as error:
                    status = type(error).__name__
                statuses[status] += 1
                if status == 404:
                    longest = max(longest, time.monotonic() - started)
                    return
                await anyio.sleep(0.05)
            late.append(f"no 404 within {self.options.within} s, last {status}")

        async with sdk_v1.http(self.options) as client, anyio.create_task_group() as tasks:
            for tracked in mine:
                tasks.start_soon(one, tracked, client)
        self.open_sessions = [tracked for tracked in self.open_sessions if tracked.replica != replica]
        return {"right": len(mine) - len(late), "wrong": late, "spread": {replica: len(mine)},
                "statuses": {str(status): count for status, count in statuses.items()},
                "longestMilliseconds": round(longest * 1000)}

    async def moved(self, replica: str) -> dict:
        mine = [tracked for tracked in self.open_sessions if tracked.replica == replica]
        right, faults = [], []

        async def one(tracked: sdk_v1.TrackedSession) -> None:
            identity, tracked.replica, tracked.calls = tracked.identity(), None, 0
            fault = await self.whoami(tracked)
            if fault is None and tracked.replica == replica:
                fault = f"{replica} answered"
            if fault is None and tracked.identity() != identity:
                fault = f"the id {identity} has become {tracked.identity()}"
            if fault is None:
                right.append(tracked)
            else:
                faults.append(fault)

        async with anyio.create_task_group() as tasks:
            for tracked in mine:
                tasks.start_soon(one, tracked)
        return {"right": len(right), "wrong": faults, "spread": self.spread(right)}

    async def begin(self, replica: str, seconds: float, outside: bool = False) -> dict:
        mine = [tracked for tracked in self.open_sessions if tracked.replica == replica]
        self.begun, self.pending, self.ended = [], len(mine), anyio.Event()

        async def one(tracked: sdk_v1.TrackedSession) -> None:
            started = time.monotonic()
            try:
                if outside:
                    async with sdk_v1.http(self.options) as client:
                        session = wire.Session(client, self.options.url)
                        session.id, session.ids = tracked.identity(), itertools.count(1_000_000)
                        status, said = await session.call("sleep", seconds=seconds)
                        said = said or f"status {status} and no answer"
                else:
                    said = (await tracked.session.call_tool("sleep", {"seconds": seconds})).content[0].text
                fault = "" if said == replica else f"expected {replica}, got {said}"
            except Exception as error:
                fault = report.explain(error)
            self.begun.append((fault, time.monotonic() - started))
            self.pending -= 1
            if self.pending == 0:
                self.ended.set()

        for tracked in mine:
            self.tasks.start_soon(one, tracked)
        await anyio.sleep(1)
        return {"calls": len(mine), "wrong": []}

    async def finish(self) -> dict:
        with anyio.move_on_after(self.options.call_timeout + 5):
            await self.ended.wait()
        faults = [fault for fault, _ in self.begun if fault]
        faults += ["a call hangs"] * self.pending
        longest = max((taken for _, taken in self.begun), default=0.0)
        return {"right": len(self.begun) - len([fault for fault in faults if fault != "a call hangs"]), "wrong": faults,
                "longestMilliseconds": round(longest * 1000)}

    async def ask(self, replica: str) -> dict:
        mine = [tracked for tracked in self.open_sessions if tracked.replica == replica]
        statuses: collections.Counter[str] = collections.Counter()
        longest = 0.0

        async def one(tracked: sdk_v1.TrackedSession, client) -> None:
            nonlocal longest
            session, started = wire.Session(client, self.options.url), time.monotonic()
            session.id = tracked.identity()
            try:
                status, _ = await session.request("ping", {})
            except Exception as error:
                status = type(error).__name__
            statuses[str(status)] += 1
            longest = max(longest, time.monotonic() - started)

        async with sdk_v1.http(self.options) as client, anyio.create_task_group() as tasks:
            for tracked in mine:
                tasks.start_soon(one, tracked, client)
        return {"calls": len(mine), "wrong": [], "statuses": dict(statuses), "longestMilliseconds": round(longest * 1000)}

    async def keep_working(self) -> None:
        """Sessions one after another, until `kept`."""
        try:
            while not self.closing.is_set():
                async with sdk_v1.streamable(self.options) as tracked:
                    for _ in range(10):
                        fault = await self.whoami(tracked)
                        if fault is None:
                            self.kept["right"] += 1
                        else:
                            self.kept["wrong"].append(f"{tracked.replica}: {fault}")
                        await anyio.sleep(0.05)
                    self.kept["spread"][tracked.replica or "none"] += 1
        except Exception as error:
            self.kept["wrong"].append(report.explain(error))
        finally:
            self.keeping -= 1
            if self.keeping == 0:
                self.ended.set()

    async def start_keeping(self, count: int) -> dict:
        self.keeping, self.ended = count, anyio.Event()
        for _ in range(count):
            self.tasks.start_soon(self.keep_working)
        return {"sessions": count, "wrong": []}

    async def stop_keeping(self) -> dict:
        self.closing.set()
        with anyio.move_on_after(self.options.call_timeout + 15):
            await self.ended.wait()
        if self.keeping:
            self.kept["wrong"].append(f"{self.keeping} sessions do not end")
        return self.kept | {"spread": dict(self.kept["spread"])}

    async def whoami(self, tracked: sdk_v1.TrackedSession) -> str | None:
        self.number += 1
        try:
            return await tracked.whoami(str(self.number))
        except Exception as error:
            return report.explain(error)

    @staticmethod
    def spread(sessions) -> dict[str, int]:
        return dict(collections.Counter(tracked.replica or "none" for tracked in sessions))


async def main(options, found) -> None:
    async with anyio.create_task_group() as tasks:
        sessions_open = OpenSessions(options, tasks)
        while True:
            line = await anyio.to_thread.run_sync(sys.stdin.readline, abandon_on_cancel=True)
            match line.split():
                case ["open", count]:
                    said = await sessions_open.open(int(count))
                case ["call"]:
                    said = await sessions_open.call()
                case ["gone", replica]:
                    said = await sessions_open.gone(replica)
                case ["moved", replica]:
                    said = await sessions_open.moved(replica)
                case ["begin", replica, seconds, *how]:
                    said = await sessions_open.begin(replica, float(seconds), how == ["outside"])
                case ["finish"]:
                    said = await sessions_open.finish()
                case ["ask", replica]:
                    said = await sessions_open.ask(replica)
                case ["keep", count]:
                    said = await sessions_open.start_keeping(int(count))
                case ["kept"]:
                    said = await sessions_open.stop_keeping()
                case _:
                    break
            for fault in said["wrong"]:
                found.fault(fault)
            said["wrongCount"] = len(said["wrong"])
            said["wrong"] = said["wrong"][:20]
            print(json.dumps(said), flush=True)
        # Sessions of a stopped replica cannot be ended with DELETE; the results have been printed.
        os._exit(1 if found.wrong else 0)


if __name__ == "__main__":
    arguments = report.parser(__doc__)
    arguments.add_argument("--within", type=float, default=20, help="seconds in which a lost session must get its 404")
    report.run(main, arguments.parse_args(), report.Report())
