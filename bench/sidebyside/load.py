"""CPU of a proxied request: interleaved rounds of the same load through every peer."""

import time

from . import calls
from .processes import BenchError, CPUTime, core_busy_nanoseconds

# workload: (TLS, a connection a call, sessions, connections)
WORKLOADS = {
    "plain": (False, False, 0, 64),
    "tls": (True, False, 0, 64),
    "connect": (False, True, 0, 64),
    "session": (False, False, 64, 64),
    "tls-connect": (True, True, 0, 64),
}
DEFAULT_WORKLOADS = ("plain", "tls", "connect", "session")


class Round:
    """One peer under load for some seconds: the figures of one cell of the table."""

    def __init__(self, peer, script, workload, seconds, proxy_cpu):
        tls, _, sessions, connections = WORKLOADS[workload]
        port = peer.session if sessions else peer.port(tls)
        pids = peer.child.tree()
        busy, cpu, began = core_busy_nanoseconds(proxy_cpu), CPUTime(pids), time.monotonic_ns()
        wrk = calls.run_wrk(script, port, tls, seconds, connections)
        spent, user_share = CPUTime(pids).since(cpu)
        elapsed, busy = time.monotonic_ns() - began, core_busy_nanoseconds(proxy_cpu) - busy
        peer.child.require_alive()
        if not wrk["requests"]:
            raise BenchError(f"{peer.name} answered no {workload} call")
        self.microseconds = spent / 1000 / wrk["requests"]
        self.user = self.microseconds * user_share
        self.requests_per_second = wrk["requests"] / (wrk["microseconds"] / 1e6)
        self.p50, self.p99, self.errors = wrk["p50"], wrk["p99"], wrk["errors"]
        self.busy = spent / elapsed                      # how much of its core the proxy used
        self.foreign = max(0, busy - spent) / elapsed    # how much of that core others used


def measure(workload, peers, rounds, seconds, warm_up, machine, progress):
    """{peer: [Round]} of `workload`; every round visits all peers in turn."""
    scripts = {}
    for peer in peers:
        _, close, sessions, _ = WORKLOADS[workload]
        ids = [calls.open_session(peer.session) for _ in range(sessions)]
        scripts[peer.name] = machine.directory / f"{workload}-{peer.name}.lua"
        scripts[peer.name].write_text(calls.wrk_script(peer.http, ids, close))
    if warm_up:
        for peer in peers:
            Round(peer, scripts[peer.name], workload, warm_up, machine.proxy_cpu)
    measured = {peer.name: [] for peer in peers}
    for number in range(rounds):
        # Every round starts with another peer, so that none always follows the same one.
        for peer in peers[number % len(peers):] + peers[:number % len(peers)]:
            measured[peer.name].append(Round(peer, scripts[peer.name], workload, seconds, machine.proxy_cpu))
            last = measured[peer.name][-1]
            progress(f"{workload} round {number + 1}/{rounds} {peer.name}: {last.microseconds:.1f} us a request")
    return measured
