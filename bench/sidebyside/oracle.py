"""A large number of session calls through Berth, every response checked; and a control that shows that errors are found."""

from contextlib import ExitStack
from typing import NamedTuple

from . import berthload, peers
from .processes import BenchError

LONGEST = 300  # seconds of a run


class Kind(NamedTuple):
    """One kind of traffic, and its share of the calls."""

    share: float
    tls: bool
    options: tuple


# More sessions than connections: any connection carries any session's call.
KINDS = {
    "sessions, HTTP/1.1": Kind(0.6, False, ("--workload", "sessions", "--connections", 64, "--sessions", 300, "--shuffle")),
    "sessions, HTTP/2 over TLS": Kind(
        0.3,
        True,
        ("--workload", "sessions", "--connections", 16, "--depth", 16, "--sessions", 300, "--shuffle", "--h2", "--insecure"),
    ),
    "HTTP+SSE": Kind(0.1, False, ("--workload", "legacy", "--connections", 64)),
}
CONTROL = "nginx, round robin"
CONTROL_CALLS = 20_000


def measure(program, chosen, machine, calls, progress, tolerate):
    """{"berth": outcome, CONTROL: outcome}: calls, wrong answers and failures, in all and of each kind of traffic."""
    outcomes = {}
    with ExitStack() as running:
        replicas, ports = berthload.start_replicas(program, machine)
        running.callback(replicas.stop)
        for label, name, kinds, total in (
            ("berth", "berth", KINDS, calls),
            (CONTROL, "nginx", {"sessions, HTTP/1.1": KINDS["sessions, HTTP/1.1"]._replace(share=1)}, CONTROL_CALLS),
        ):
            if name not in chosen:
                continue
            with tolerate(f"oracle {label}"), ExitStack() as its_own:
                peer = peers.start(name, chosen[name], machine, ports)
                its_own.callback(peer.child.stop)
                outcome = outcomes[label] = {"calls": 0, "wrong": 0, "failed": 0, "kinds": {}}
                for kind, traffic in kinds.items():
                    with tolerate(f"oracle {label}, {kind}"):
                        made = _run(program, peer, machine, traffic, min(total, max(1000, round(total * traffic.share))))
                        outcome["kinds"][kind] = made
                        outcome["calls"] += made["units"]
                        outcome["wrong"] += made["wrong"]
                        outcome["failed"] += made["failed"]
                        progress(
                            f"oracle {label}, {kind}: {made['units']} calls, {made['wrong']} wrong answers, {made['failed']} failed "
                            f"{made['kinds'] or ''}"
                        )
    return outcomes


def _run(program, peer, machine, traffic, calls):
    url = f"{'https' if traffic.tls else 'http'}://127.0.0.1:{peer.port(traffic.tls)}/{'sse' if 'legacy' in traffic.options else 'mcp'}"
    made = berthload.run(program, machine.directory, url, LONGEST, "--calls", calls, "--warm-up", 0, *traffic.options)
    peer.child.require_alive()
    if made["units"] < calls and not made["wrong"]:
        raise BenchError(f"only {made['units']} of {calls} calls in {LONGEST} s")
    return made
