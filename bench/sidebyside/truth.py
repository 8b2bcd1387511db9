"""Session truth: does each call of a session reach the replica that holds it, whatever happens to the proxy meanwhile?"""

import asyncio
import os
import random
import signal
from collections import Counter
from contextlib import ExitStack
from typing import NamedTuple

from . import peers, replicas
from .mcpclient import CallFailed, LegacySession, Pool, Session, WrongAnswer

CASES = {
    "quiet": "shuffled calls, each client at an address of its own",
    "one address": "the same from one address, over connections that all clients share",
    "restart": "the proxy is ended and started again between two halves of the calls",
    "reload": "the proxy reads its configuration again under way",
    "legacy": "sessions of HTTP+SSE, each client at an address of its own",
    "killed": "one replica of three is killed under way; the other replicas' sessions",
}
CALLS = 10        # of each session
AT_ONCE = 16      # calls under way
LONGEST = 60      # seconds of a case
CONTROL = "nginx, round robin"


class Arrangement(NamedTuple):
    """One way to set a peer up for sessions."""
    peer: str
    port: str = "session"      # which of the peer's ports
    affinity: str = "none"     # nghttpx has it in the whole configuration; "peer": a second HAProxy holds the table too
    cookies: bool = False      # the clients keep cookies, as a browser does and few MCP clients do


ARRANGEMENTS = {
    "berth": Arrangement("berth"),
    "nginx, hash of the id": Arrangement("nginx"),
    "nginx, hash of the address": Arrangement("nginx", "address"),
    "haproxy, learned id": Arrangement("haproxy"),
    "haproxy, learned id and a peer": Arrangement("haproxy", affinity="peer"),
    "envoy, address in the id": Arrangement("envoy"),
    "caddy, hash of the address": Arrangement("caddy"),
    "caddy, cookie": Arrangement("caddy", "cookie", cookies=True),
    "nghttpx, hash of the address": Arrangement("nghttpx", affinity="ip"),
    "nghttpx, cookie": Arrangement("nghttpx", affinity="cookie", cookies=True),
    CONTROL: Arrangement("nginx", "http"),
}


def measure(chosen, machine, cases, sessions, seed, progress, tolerate):
    """{arrangement: {case: outcome}} of `cases`, for every arrangement whose peer is in `chosen`."""
    outcomes = {}
    for name, arrangement in ARRANGEMENTS.items():
        if arrangement.peer not in chosen:
            continue
        with tolerate(f"truth {name}"), ExitStack() as running:
            servers, ports = [], []
            for number in range(3):
                server, port = replicas.start_own(machine, "sessions", f"mcp-{number + 1}")
                running.callback(server.stop)
                servers.append(server)
                ports.append(port)
            for case in cases:
                # A fresh proxy each time: one that was just reloaded may still be at it.
                with tolerate(f"truth {name} {case}"), ExitStack() as its_own:
                    peer = peers.start(arrangement.peer, chosen[arrangement.peer], machine, ports, arrangement.affinity)
                    its_own.callback(peer.stop)
                    outcome = asyncio.run(_Case(case, peer, arrangement, servers, sessions, seed).run())
                    outcomes.setdefault(name, {})[case] = outcome
                    progress(f"truth {case}, {name}: {text(outcome)}")
    return outcomes


def shown(measured):
    """The cases that were measured, in order."""
    return [case for case in CASES if any(case in cases for cases in measured.values())]


def text(outcome):
    """An outcome in a few words."""
    said = [f"{outcome[kind]} {kind}" for kind in ("wrong", "failed") if outcome[kind]]
    return ", ".join([f"{outcome['whole']} of {outcome['sessions']} whole", *said, *outcome["notes"]])


class _Case:
    def __init__(self, name, peer, arrangement, servers, sessions, seed):
        self.name, self.peer, self.arrangement, self.servers, self.count = name, peer, arrangement, servers, sessions
        self.random, self.notes, self.lost = random.Random(f"{seed} {name}"), [], None
        self.port = getattr(peer, arrangement.port)

    async def run(self):
        kind = LegacySession if self.name == "legacy" else Session
        shared = self.name == "one address"
        pools = [Pool(self.port, "127.0.0.1" if shared else f"127.0.1.{number + 1}")
                 for number in range(1 if shared else self.count)]
        sessions = [kind(pools[number % len(pools)], self.arrangement.cookies) for number in range(self.count)]
        opened = []
        try:
            for session in sessions:
                try:
                    await session.open()
                    opened.append(session)
                except CallFailed:
                    session.failed += 1
                except WrongAnswer:
                    session.wrong += 1  # the second message of HTTP+SSE already went astray
            async with asyncio.timeout(LONGEST):
                await self._calls(opened)
            return self._outcome(sessions)
        finally:
            for session in opened:
                await session.close()
            for pool in pools:
                pool.close()

    async def _calls(self, sessions):
        todo = [session for session in sessions for _ in range(CALLS)]
        self.random.shuffle(todo)
        half = len(todo) // 2
        if self.name == "restart":
            await self._work(todo[:half])
            await asyncio.to_thread(self.peer.restart)
            await self._work(todo[half:])
        elif self.name in ("reload", "killed"):
            await self._work(todo[:half // 2])
            await asyncio.gather(self._work(todo[half // 2:-half // 2]), self._disturb())
            await self._work(todo[-half // 2:])  # for those that finished before it happened
        else:
            await self._work(todo)

    async def _work(self, todo):
        left = iter(todo)

        async def worker():
            for session in left:
                await session.call()
        await asyncio.gather(*(worker() for _ in range(AT_ONCE)))

    async def _disturb(self):
        await asyncio.sleep(0.02)
        if self.name == "killed":
            self.lost = "mcp-2"
            os.kill(self.servers[1].popen.pid, signal.SIGKILL)
            return
        way = await asyncio.to_thread(self.peer.reload)
        if way is None:
            self.notes.append("has no reload: restarted")
            await asyncio.to_thread(self.peer.restart)

    def _outcome(self, sessions):
        judged = [session for session in sessions if session.owner != self.lost or self.lost is None]
        wrong = sum(session.wrong > 0 for session in judged)
        failed = sum(session.failed > 0 and not session.wrong for session in judged)
        owners = Counter(session.owner for session in sessions if session.owner)
        if self.name == "one address" and owners and max(owners.values()) > 0.5 * len(sessions):
            self.notes.append(f"{max(owners.values())} of them on one replica")
        return {"sessions": len(judged), "whole": len(judged) - wrong - failed, "wrong": wrong, "failed": failed,
                "wrong_calls": sum(session.wrong for session in judged),
                "failed_calls": sum(session.failed for session in judged),
                "replicas": dict(owners), "notes": self.notes}
