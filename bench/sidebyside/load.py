"""CPU of a proxied request: interleaved rounds of the same load through every peer."""

import time
from typing import NamedTuple

from . import calls
from .peers import BETTER_OF
from .processes import BenchError, CPUTime, core_busy_nanoseconds


class Workload(NamedTuple):
    tls: bool = False
    connection_per_call: bool = False
    sessions: int = 0
    connections: int = 64
    streams: int = 0             # at once on a connection: HTTP/2
    resumes: bool = False
    against: tuple = BETTER_OF   # the peers that Berth is compared with


WORKLOADS = {
    "plain": Workload(),
    "tls": Workload(tls=True),
    "connect": Workload(connection_per_call=True),
    "session": Workload(sessions=64),
    "h2": Workload(tls=True, connections=16, streams=16, against=("haproxy",)),
    "tls-connect": Workload(tls=True, connection_per_call=True),
    "tls-resume": Workload(tls=True, connection_per_call=True, resumes=True, connections=16),
}


class Round:
    """One peer under load for some seconds: the figures of one cell of the table."""

    def __init__(self, peer, script, workload, seconds, proxy_cpu):
        tls = workload.tls
        port = peer.session if workload.sessions else peer.port(tls)
        pids = peer.child.tree()
        busy, cpu, began = core_busy_nanoseconds(proxy_cpu), CPUTime(pids), time.monotonic_ns()
        if workload.streams:
            made = calls.run_h2load(port, script, workload.connections, workload.streams, seconds=seconds)
        elif workload.resumes:
            made = calls.run_resuming(port, seconds, workload.connections)
        else:
            made = calls.run_wrk(script, port, tls, seconds, workload.connections)
        peer.child.require_alive()
        spent, user_share = CPUTime(pids).since(cpu)
        elapsed, busy = time.monotonic_ns() - began, core_busy_nanoseconds(proxy_cpu) - busy
        if not made["requests"]:
            raise BenchError(f"{peer.name} answered no call")
        self.microseconds = spent / 1000 / made["requests"]
        self.user = self.microseconds * user_share
        self.requests_per_second = made["requests"] / (made["microseconds"] / 1e6)
        self.p50, self.p99, self.errors = made["p50"], made["p99"], made["errors"]
        self.busy = spent / elapsed                      # how much of its core the proxy used
        self.foreign = max(0, busy - spent) / elapsed    # how much of that core others used


def measure(name, peers, rounds, seconds, warm_up, machine, progress):
    """{peer: [Round]} of the workload `name`, every round visiting all peers in turn, and {peer: share of sessions kept}."""
    workload, scripts, kept = WORKLOADS[name], {}, {}
    for peer in peers:
        opened = [calls.open_session(peer.session) for _ in range(workload.sessions)]
        if opened:
            kept[peer.name] = sum(calls.reaches(peer.session, *session) for session in opened) / len(opened)
        if workload.streams:
            scripts[peer.name] = calls.body_file(machine.directory)
            continue
        scripts[peer.name] = machine.directory / f"{name}-{peer.name}.lua"
        scripts[peer.name].write_text(calls.wrk_script(peer.http, [session for session, _ in opened],
                                                       workload.connection_per_call))
    if warm_up:
        for peer in peers:
            Round(peer, scripts[peer.name], workload, warm_up, machine.proxy_cpu)
    measured = {peer.name: [] for peer in peers}
    for number in range(rounds):
        # Every round starts with another peer, so that none always follows the same one.
        for peer in peers[number % len(peers):] + peers[:number % len(peers)]:
            measured[peer.name].append(Round(peer, scripts[peer.name], workload, seconds, machine.proxy_cpu))
            last = measured[peer.name][-1]
            progress(f"{name} round {number + 1}/{rounds} {peer.name}: {last.microseconds:.1f} us a request")
    return measured, kept
