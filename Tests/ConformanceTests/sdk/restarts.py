"""Sessions that stay open during restarts of the proxy or a replica, driven by lines on stdin.

    open N      opens N more sessions
    call        every session calls `whoami` once; those that fail are let go
    gone NAME   sends requests in each session of replica NAME until it gets 404 (at most --within seconds)
    moved NAME  every session of replica NAME calls `whoami`: another replica must answer it, under the same id
    end         ends, with the exit status

Each line is answered by one line of JSON on stdout.
"""

import collections
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
    arguments.add_argument("--within", type=float, default=2, help="seconds in which a lost session must get its 404")
    report.run(main, arguments.parse_args(), report.Report())
