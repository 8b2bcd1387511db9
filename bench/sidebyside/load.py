"""The CPU of a proxy for a call, an event or a gigabyte: interleaved rounds of the same load through every peer."""

import time
from contextlib import contextmanager
from typing import NamedTuple

from . import berthload, bulk, calls, fanout, generators, replicas, uploads
from .peers import BETTER_OF, CLOSE
from .processes import BenchError, CPUTime, core_busy_nanoseconds

DIRECT = "direct"  # no proxy at all: what latency is added to


class Workload(NamedTuple):
    tls: bool = False
    connection_per_call: bool = False
    sessions: int = 0
    connections: int = 64
    streams: int = 0             # at once on a connection: HTTP/2
    resumes: bool = False
    opened: bool = False         # what opening the connections costs is not counted
    kind: str = "calls"          # or "events", "bytes"
    up: bool = False             # bytes that clients send
    chunked: bool = False
    rate: int = 0                # calls a second on a fixed schedule, by berth-load
    adds: bool = False           # its figure is the latency that a proxy adds, not CPU
    against: tuple = BETTER_OF   # the peers that Berth is gated against

    @property
    def unit(self):
        return {"calls": "call", "events": "event", "bytes": "GB"}[self.kind]


OPENING = 10  # seconds after which all connections of an `opened` workload are open and in use
CLOSING = 1   # seconds for which its load goes on behind what is measured

WORKLOADS = {
    "plain": Workload(),
    "tls": Workload(tls=True),
    "tls-many": Workload(tls=True, connections=4000, opened=True),
    "connect": Workload(connection_per_call=True),
    "session": Workload(sessions=64),
    "h2": Workload(tls=True, connections=16, streams=16, against=("haproxy",)),
    "tls-connect": Workload(tls=True, connection_per_call=True),
    "tls-resume": Workload(tls=True, connection_per_call=True, resumes=True, connections=16),
    "latency": Workload(connections=1, adds=True),
    "paced": Workload(rate=5000),
    "fanout": Workload(kind="events", connections=1000),
    "fanout-tls": Workload(kind="events", connections=1000, tls=True),
    "bulk": Workload(kind="bytes", connections=4),
    "bulk-tls": Workload(kind="bytes", connections=4, tls=True),
    "upload": Workload(kind="bytes", connections=4, up=True),
    "upload-chunked": Workload(kind="bytes", connections=4, up=True, chunked=True),
    "upload-tls": Workload(kind="bytes", connections=4, up=True, tls=True),
}

USUAL = [name for name, workload in WORKLOADS.items() if not workload.opened]


class Meter:
    """The CPU time of a proxy and of its core during an interval."""

    def __init__(self, peer, cpu):
        self.pids, self.cpu = peer.child.tree() if peer.child else [], cpu

    @contextmanager
    def running(self):
        busy, cpu, began = core_busy_nanoseconds(self.cpu), CPUTime(self.pids), time.monotonic_ns()
        yield
        self.spent, self.user_share = CPUTime(self.pids).since(cpu)
        self.elapsed, self.busy = time.monotonic_ns() - began, core_busy_nanoseconds(self.cpu) - busy


class Round:
    """One peer under load for some seconds: the figures of one cell of the table."""

    def __init__(self, peer, workload, script, seconds, machine):
        meter = Meter(peer, machine.proxy_cpu)
        made = run(peer, workload, script, seconds, meter, machine)
        if peer.child:
            peer.child.require_alive()
        if not made["units"]:
            raise BenchError(f"{peer.name} answered nothing")
        self.microseconds = meter.spent / 1000 / made["units"]
        self.user = self.microseconds * meter.user_share
        self.rate = made["units"] / (made["microseconds"] / 1e6)
        self.p50, self.p99, self.errors = made["p50"], made["p99"], made["errors"]
        self.busy = meter.spent / meter.elapsed                            # how much of its core the proxy used
        self.foreign = max(0, meter.busy - meter.spent) / meter.elapsed    # how much of that core others used


def run(peer, workload, script, seconds, meter, machine):
    """Loads `peer`. This function maps each load to its generator."""
    port = peer.session if workload.sessions else peer.port(workload.tls)
    if workload.opened:
        return run_opened(peer, workload, script, seconds, meter, machine)
    if workload.kind == "events":
        # Its own streams must be open before the clock starts, so it starts the meter itself.
        return fanout.run(port, workload.tls, workload.connections, seconds, meter)
    with meter.running():
        if workload.rate:
            # No warm-up: its calls would be the proxy's work and not be counted.
            made = berthload.run(machine.berth_load, machine.directory, f"http://127.0.0.1:{port}/mcp", seconds,
                                 "--workload", "calls", "--connections", workload.connections, "--rate", workload.rate, "--warm-up", 0)
            return made | {"errors": made["wrong"] + made["failed"]}
        if workload.up:
            return uploads.run(port, workload.tls, workload.chunked, seconds, workload.connections)
        if workload.kind == "bytes":
            return bulk.run(port, workload.tls, seconds, workload.connections)
        if workload.streams:
            return generators.run_h2load(port, script, workload.connections, workload.streams, seconds=seconds)
        if workload.resumes:
            return generators.run_resuming(port, seconds, workload.connections)
        return generators.run_wrk(script, port, workload.tls, seconds, workload.connections)


def run_opened(peer, workload, script, seconds, meter, machine):
    """The calls that reach the replica in so many seconds, when all connections have been open and in use for a while."""
    port = peer.port(workload.tls)
    with generators.wrk(script, port, workload.tls, OPENING + seconds + CLOSING, workload.connections) as result:
        time.sleep(OPENING)
        with meter.running():
            units, began = replicas.calls_taken(machine), time.monotonic_ns()
            time.sleep(seconds)
            units, elapsed = replicas.calls_taken(machine) - units, time.monotonic_ns() - began
        made = result()
    return made | {"units": units, "microseconds": elapsed / 1000}


def measure(name, peers, rounds, other_rounds, seconds, warm_up, machine, progress, tolerate):
    """{peer: [Round]} of the workload `name`, every round visiting its peers in turn, and {peer: share of sessions kept}.
    A peer that cannot be loaded is left out; without one that ratios are taken against, there is no result."""
    workload, scripts, kept, able = WORKLOADS[name], {}, {}, []
    if not workload.adds:
        peers = [peer for peer in peers if peer.child]
    for peer in peers:
        with tolerate(f"{name} load of {peer.name}"):
            _prepare(name, peer, scripts, kept, machine)
            # Connections to the replicas are kept from load to load; what is new with a protocol is warmed with it.
            temperature = (workload.tls, bool(workload.streams), workload.kind, workload.up)
            if warm_up and temperature not in peer.warm:
                peer.warm.add(temperature)
                Round(peer, workload, scripts.get(peer.name), warm_up, machine)
            able.append(peer)
    peers, lame = able, set()
    measured = {peer.name: [] for peer in peers}
    for number in range(rounds):
        # Every round starts with another peer, so that none always follows the same one.
        for peer in peers[number % len(peers):] + peers[:number % len(peers)]:
            if number >= other_rounds and peer.name not in (*CLOSE, DIRECT):
                continue
            if peer.name in lame:
                continue
            try:
                last = Round(peer, workload, scripts.get(peer.name), seconds, machine)
            except (BenchError, OSError):
                if peer.name in (*CLOSE, DIRECT):
                    raise
                with tolerate(f"{name} load of {peer.name}"):
                    lame.add(peer.name)
                    raise
                continue
            measured[peer.name].append(last)
            said = f"p50 {last.p50} us" if workload.adds else f"{last.microseconds:.1f} us CPU"
            progress(f"{name} round {number + 1}/{rounds} {peer.name}: {said}")
    return {name: rounds for name, rounds in measured.items() if rounds}, kept


def _prepare(name, peer, scripts, kept, machine):
    """Opens the sessions and writes the script of one peer's load."""
    workload = WORKLOADS[name]
    opened = [calls.open_session(peer.session) for _ in range(workload.sessions)]
    if opened:
        kept[peer.name] = sum(calls.reaches(peer.session, *session) for session in opened) / len(opened)
    if workload.streams:
        scripts[peer.name] = generators.body_file(machine.directory)
    elif workload.up:
        uploads.check(peer.port(workload.tls), workload.tls, workload.chunked)
    elif workload.kind == "bytes":
        bulk.check(peer.port(workload.tls), workload.tls, machine.bulk)
    elif workload.kind == "calls" and not workload.rate:
        scripts[peer.name] = machine.directory / f"{name}-{peer.name}.lua"
        scripts[peer.name].write_text(generators.wrk_script(peer.http, [session for session, _ in opened],
                                                            workload.connection_per_call))
