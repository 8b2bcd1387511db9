"""Medians, paired ratios and bounds."""

import math
import statistics
import tomllib

from . import truth
from .load import DIRECT, WORKLOADS
from .peers import CONTROL
from .processes import BenchError

NOISY = 0.05  # others used more of the proxy's core than this: say so
KINDS = ("cpu", "syscalls", "memory", "head", "latency", "counts")


def summarise(workload, measured, kept):
    """{peer: figures} of a workload's rounds. Ratios are taken round by round: to the better of the peers that the workload
    is gated against, and to the best of all others."""
    cost = _added if workload.adds else lambda measured, name: [r.microseconds for r in measured[name]]
    costs = {name: cost(measured, name) for name in measured if name != DIRECT}
    summary = {}
    for name, mine in costs.items():
        # Caddy's ratio is to nginx and HAProxy, and so is nginx's own: 1.00 or what it costs more.
        rivals = [costs["nginx"]] if name == CONTROL else [costs[rival] for rival in workload.against if rival in costs]
        others = [theirs for other, theirs in costs.items() if other not in (name, CONTROL)]
        ratios, rounds = _ratios(mine, rivals), measured[name]
        middle = lambda attribute: statistics.median(getattr(r, attribute) for r in rounds)
        rival_best = min((figure for theirs in rivals for figure in theirs), default=None)
        summary[name] = {
            "microseconds": middle("microseconds"), "user": middle("user"),
            "system": statistics.median(r.microseconds - r.user for r in rounds),
            "ratio": statistics.median(ratios) if ratios else None, "ratios": ratios,
            "ratio_of_best": min(mine) / rival_best if rival_best else None,
            "ratio_to_all": _median(_ratios(mine, others)),
            "units_per_second": middle("rate"),
            "p50_us": middle("p50") if rounds[0].p50 else None, "p99_us": middle("p99") if rounds[0].p99 else None,
            "busy": middle("busy"), "foreign": max(r.foreign for r in rounds),
            "errors": sum(r.errors for r in rounds), "sessions_kept": kept.get(name), "rounds": [vars(r) for r in rounds],
        }
        if workload.adds:
            summary[name] |= {"added_p50_us": statistics.median(mine), 
                              "added_p99_us": statistics.median(_added(measured, name, "p99"))}
    return summary


def _added(measured, name, which="p50"):
    return [max(1.0, getattr(r, which) - getattr(direct, which)) for r, direct in zip(measured[name], measured[DIRECT])]


def _ratios(mine, rivals):
    """Round by round, `mine` to the least of `rivals`; a peer that had fewer rounds ends it early."""
    return [figure / min(theirs) for figure, *theirs in zip(mine, *rivals)] if rivals else []


def _median(values):
    return statistics.median(values) if values else None


def broken(results):
    """The failures of a run: calls that failed under load, sessions that Berth lost, a control without errors."""
    said = []
    for workload, peers in results["cpu"].items():
        for name, figures in peers.items():
            if figures["errors"]:
                said.append(f"{workload}: {figures['errors']} {WORKLOADS[workload].unit}s of {name} failed")
            if name == "berth" and figures["sessions_kept"] not in (None, 1):
                said.append(f"{workload}: only {figures['sessions_kept']:.0%} of Berth's sessions were kept")
    for case, outcome in results["truth"].get("berth", {}).items():
        # Without a reload the proxy is gone for a moment, and calls under way may fail; none may reach another replica.
        excused = any("no reload" in note for note in outcome["notes"])
        if outcome["wrong"] or outcome["failed"] and not excused:
            said.append(f"truth {case}: through Berth {truth.text(outcome)}")
    control = results["truth"].get(truth.CONTROL, {})
    if control and not control.get("quiet", {}).get("wrong"):
        said.append("truth: round robin through nginx shows no wrong answer, so the measurement finds none")
    for name, outcome in results["oracle"].items():
        if name == "berth" and (outcome["wrong"] or outcome["failed"]):
            said.append(f"oracle: {outcome['wrong']} wrong answers through Berth, {outcome['failed']} calls failed")
        if name != "berth" and not outcome["wrong"]:
            said.append(f"oracle: no wrong answer through {name}, so it finds none")
    return said


def read_bounds(path):
    """{"cpu.plain": (max, why)} from ratios.toml."""
    bounds = {}
    for kind, table in tomllib.loads(path.read_text()).items():
        for case, bound in table.items():
            if set(bound) != {"max", "why"} or kind not in KINDS:
                raise BenchError(f"{path}: [{kind}.{case}] must have exactly max and why")
            bounds[f"{kind}.{case}"] = (bound["max"], bound["why"])
    return bounds


def judge(results, bounds):
    """One line for each bound that Berth was measured against: (name, figure, bound, held)."""
    figures = {}
    for workload, peers in results["cpu"].items():
        kind = "latency.added" if WORKLOADS[workload].adds else f"cpu.{workload}"
        figures[kind] = peers.get("berth", {}).get("ratio")
    for case, peers in results["syscalls"].items():
        transport, connections = case.split("/")
        if connections != "1":
            figures[f"syscalls.{transport}"] = peers.get("berth", {}).get("total")
    for transport, peers in results["memory"].items():
        figures[f"memory.{transport}"] = peers.get("berth", {}).get("user")
    for transport, peers in results["head"].items():
        if "berth" in peers:
            figures[f"head.{transport}"] = peers["berth"]["p50"] if peers["berth"]["p50"] is not None else math.inf
    for case, counted in results["counts"].items():
        figures |= {f"counts.{case}-{what}": figure for what, figure in counted.items() if not isinstance(figure, dict)}
    return [(name, figures[name], bound, figures[name] <= bound) for name, (bound, _) in bounds.items()
            if figures.get(name) is not None]
