"""CPU of a proxied request: interleaved rounds of the same load through every peer."""

import time
from typing import NamedTuple

from . import calls
from .processes import BenchError, CPUTime, core_busy_nanoseconds


class Workload(NamedTuple):
    tls: bool
    connection_per_call: bool
    sessions: int
    connections: int


WORKLOADS = {
    "plain": Workload(False, False, 0, 64),
    "tls": Workload(True, False, 0, 64),
    "connect": Workload(False, True, 0, 64),
    "session": Workload(False, False, 64, 64),
    "tls-connect": Workload(True, True, 0, 64),
}
DEFAULT_WORKLOADS = ("plain", "tls", "connect", "session")


class Round:
    """One peer under load for some seconds: the figures of one cell of the table."""

    def __init__(self, peer, script, workload, seconds, proxy_cpu):
        tls = workload.tls
        port = peer.session if workload.sessions else peer.port(tls)
        pids = peer.child.tree()
        busy, cpu, began = core_busy_nanoseconds(proxy_cpu), CPUTime(pids), time.monotonic_ns()
        wrk = calls.run_wrk(script, port, tls, seconds, workload.connections)
        peer.child.require_alive()
        spent, user_share = CPUTime(pids).since(cpu)
        elapsed, busy = time.monotonic_ns() - began, core_busy_nanoseconds(proxy_cpu) - busy
        if not wrk["requests"]:
            raise BenchError(f"{peer.name} answered no call")
        self.microseconds = spent / 1000 / wrk["requests"]
        self.user = self.microseconds * user_share
        self.requests_per_second = wrk["requests"] / (wrk["microseconds"] / 1e6)
        self.p50, self.p99, self.errors = wrk["p50"], wrk["p99"], wrk["errors"]
        self.busy = spent / elapsed                      # how much of its core the proxy used
        self.foreign = max(0, busy - spent) / elapsed    # how much of that core others used


def measure(name, peers, rounds, seconds, warm_up, machine, progress):
    """{peer: [Round]} of the workload `name`, every round visiting all peers in turn, and {peer: share of sessions kept}."""
    workload, scripts, kept = WORKLOADS[name], {}, {}
    for peer in peers:
        opened = [calls.open_session(peer.session) for _ in range(workload.sessions)]
        if opened:
            kept[peer.name] = sum(calls.reaches(peer.session, *session) for session in opened) / len(opened)
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
