"""Sessions held open while something happens to the proxy or to a replica, driven by lines on stdin.

    open N      opens N more sessions
    call        every session calls `whoami` once; those that fail are let go
    gone NAME   asks for each session held by replica NAME, by hand, until it gets 404 (at most --within seconds)
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


class Keeper:
    def __init__(self, options, tasks):
        self.options, self.tasks = options, tasks
        self.open_sessions: list[sdk_v1.Held] = []
        self.number = 0
        self.closing = anyio.Event()

    async def keep(self, *, task_status) -> None:
        """One session, for as long as the keeper lives. What becomes of it is found out by calling."""
        try:
            async with sdk_v1.streamable(self.options) as held:
                task_status.started(held)
                await self.closing.wait()
        except Exception as error:
            print(f"a session ended: {report.explain(error)}", file=sys.stderr)

    async def open(self, count: int) -> dict:
        opened, faults = [], []

        async def one() -> None:
            try:
                held = await self.tasks.start(self.keep)
                fault = await self.whoami(held)
                opened.append(held)
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

        async def one(held: sdk_v1.Held) -> None:
            fault = await self.whoami(held)
            if fault is None:
                right.append(held)
            else:
                faults.append(f"{held.replica}: {fault}")

        async with anyio.create_task_group() as tasks:
            for held in self.open_sessions:
                tasks.start_soon(one, held)
        lost = [held for held in self.open_sessions if held not in right]
        self.open_sessions = right
        return {"right": len(right), "wrong": faults, "spread": self.spread(right), "lost": self.spread(lost)}

    async def gone(self, replica: str) -> dict:
        mine = [held for held in self.open_sessions if held.replica == replica]
        statuses: collections.Counter[int] = collections.Counter()
        late, longest, started = [], 0.0, time.monotonic()

        async def one(held: sdk_v1.Held, client) -> None:
            nonlocal longest
            session = wire.Session(client, self.options.url)
            session.id = held.identity()
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
            for held in mine:
                tasks.start_soon(one, held, client)
        self.open_sessions = [held for held in self.open_sessions if held.replica != replica]
        return {"right": len(mine) - len(late), "wrong": late, "spread": {replica: len(mine)},
                "statuses": {str(status): count for status, count in statuses.items()},
                "longestMilliseconds": round(longest * 1000)}

    async def whoami(self, held: sdk_v1.Held) -> str | None:
        self.number += 1
        try:
            return await held.whoami(str(self.number))
        except Exception as error:
            return report.explain(error)

    @staticmethod
    def spread(sessions) -> dict[str, int]:
        return dict(collections.Counter(held.replica or "none" for held in sessions))


async def main(options, found) -> None:
    async with anyio.create_task_group() as tasks:
        keeper = Keeper(options, tasks)
        while True:
            line = await anyio.to_thread.run_sync(sys.stdin.readline, abandon_on_cancel=True)
            match line.split():
                case ["open", count]:
                    said = await keeper.open(int(count))
                case ["call"]:
                    said = await keeper.call()
                case ["gone", replica]:
                    said = await keeper.gone(replica)
                case _:
                    break
            for fault in said["wrong"]:
                found.fault(fault)
            said["wrongCount"] = len(said["wrong"])
            said["wrong"] = said["wrong"][:20]
            print(json.dumps(said), flush=True)
        # Sessions of a replica that is gone cannot be ended politely; what mattered has been printed.
        os._exit(1 if found.wrong else 0)


if __name__ == "__main__":
    arguments = report.parser(__doc__)
    arguments.add_argument("--within", type=float, default=2, help="seconds in which a lost session must get its 404")
    report.run(main, arguments.parse_args(), report.Report())
