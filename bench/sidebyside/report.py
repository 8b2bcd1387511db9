"""Medians, paired ratios, the gate, Markdown and JSON."""

import math
import statistics
import tomllib

from .peers import CONTROL
from .processes import BenchError

NOISY = 0.05  # others used more of the proxy's core than this: say so


def summarise(measured, kept, against):
    """{peer: figures} of a workload's rounds; ratios are taken round by round, to the better of those in `against`."""
    rivals = [measured[name] for name in against if name in measured]
    summary = {}
    for name, rounds in measured.items():
        middle = lambda attribute: statistics.median(getattr(r, attribute) for r in rounds)
        ratios = [mine.microseconds / min(r.microseconds for r in theirs) for mine, *theirs in zip(rounds, *rivals)
                  if theirs]
        best = min(r.microseconds for r in rounds)
        rival_best = min((r.microseconds for theirs in rivals for r in theirs), default=None)
        if name == CONTROL:  # the same program twice: anything but 1.00 is noise
            ratios = [a.microseconds / b.microseconds for a, b in zip(rounds, measured.get("nginx", []))]
            rival_best = min((r.microseconds for r in measured.get("nginx", [])), default=None)
        summary[name] = {
            "microseconds": middle("microseconds"), "user": middle("user"),
            "system": statistics.median(r.microseconds - r.user for r in rounds),
            "ratio": statistics.median(ratios) if ratios else None, "ratios": ratios,
            "ratio_of_best": best / rival_best if rival_best else None,
            "requests_per_second": middle("requests_per_second"),
            "p50_us": middle("p50") if rounds[0].p50 else None, "p99_us": middle("p99") if rounds[0].p99 else None,
            "busy": middle("busy"), "foreign": max(r.foreign for r in rounds),
            "errors": sum(r.errors for r in rounds), "sessions_kept": kept.get(name), "rounds": [vars(r) for r in rounds],
        }
    return summary


def broken(results):
    """What no peer may do under load: fail calls; and what Berth may not: lose a session."""
    said = []
    for workload, peers in results["cpu"].items():
        for name, figures in peers.items():
            if figures["errors"]:
                said.append(f"{workload}: {figures['errors']} calls of {name} failed")
            if name == "berth" and figures["sessions_kept"] not in (None, 1):
                said.append(f"{workload}: only {figures['sessions_kept']:.0%} of Berth's sessions were kept")
    return said


def read_bounds(path):
    """{"cpu.plain": (max, why)} from ratios.toml."""
    bounds = {}
    for kind, table in tomllib.loads(path.read_text()).items():
        for case, bound in table.items():
            if set(bound) != {"max", "why"} or kind not in ("cpu", "syscalls", "memory", "head"):
                raise BenchError(f"{path}: [{kind}.{case}] must have exactly max and why")
            bounds[f"{kind}.{case}"] = (bound["max"], bound["why"])
    return bounds


def judge(results, bounds):
    """One line for each bound that Berth was measured against: (name, figure, bound, held)."""
    figures = {}
    for workload, peers in results["cpu"].items():
        figures[f"cpu.{workload}"] = peers.get("berth", {}).get("ratio")
    for case, peers in results["syscalls"].items():
        transport, connections = case.split("/")
        if connections != "1":
            figures[f"syscalls.{transport}"] = peers.get("berth", {}).get("total")
    for transport, peers in results["memory"].items():
        figures[f"memory.{transport}"] = peers.get("berth", {}).get("user")
    for transport, peers in results["head"].items():
        if "berth" in peers:
            figures[f"head.{transport}"] = peers["berth"]["p50"] if peers["berth"]["p50"] is not None else math.inf
    return [(name, figures[name], bound, figures[name] <= bound) for name, (bound, _) in bounds.items()
            if figures.get(name) is not None]


def markdown(results, verdicts):
    lines = ["## Side by side", ""]
    lines += [f"- {key}: {value}" for key, value in results["environment"].items()]
    for workload, peers in results["cpu"].items():
        lines += ["", f"### CPU of a request: {workload}", "",
                  "| peer | CPU us | user | system | ratio (rounds) | of best rounds | requests/s | p50 us | p99 us | core used | by others, worst |",
                  "|---|---:|---:|---:|---|---:|---:|---:|---:|---:|---:|"]
        lines += [f"| {name} | {f['microseconds']:.1f} | {f['user']:.1f} | {f['system']:.1f} | {_ratio(f)} "
                  f"| {f['ratio_of_best'] or math.nan:.2f} | {f['requests_per_second']:.0f} | {_whole(f['p50_us'])} | {_whole(f['p99_us'])} | {f['busy']:.0%} "
                  f"| {f['foreign']:.0%}{' noisy' if f['foreign'] > NOISY else ''} |" for name, f in peers.items()]
        kept = [f"{name} {f['sessions_kept']:.0%}" for name, f in peers.items() if f["sessions_kept"] is not None]
        lines += ["", "Sessions whose calls reach the replica that made them: " + ", ".join(kept)] if kept else []
    if results["syscalls"]:
        lines += ["", "### System calls of a request", "", "| transport/connections | peer | calls | of which |", "|---|---|---:|---|"]
        for case, peers in results["syscalls"].items():
            for name, counts in peers.items():
                parts = ", ".join(f"{call} {n:.2f}" for call, n in counts.items() if call != "total" and n >= 0.005)
                lines.append(f"| {case} | {name} | {counts['total']:.2f} | {parts} |")
    if results["memory"]:
        lines += ["", "### User memory of an idle event stream, KiB", "",
                  "| transport | peer | user | Pss | RssAnon |", "|---|---|---:|---:|---:|"]
        lines += [f"| {transport} | {name} | {m['user']:.2f} | {m['pss']:.2f} | {m['rss_anon']:.2f} |"
                  for transport, peers in results["memory"].items() for name, m in peers.items()]
    if results["head"]:
        lines += ["", "### Head of an idle event stream, ms after the GET", "",
                  "| transport | peer | p50 | max |", "|---|---|---:|---:|"]
        lines += [f"| {transport} | {name} | {milliseconds(h['p50'])} | {milliseconds(h['max'])} |"
                  for transport, peers in results["head"].items() for name, h in peers.items()]
    if verdicts:
        lines += ["", "### Bounds", "", "| bound | Berth | at most | |", "|---|---:|---:|---|"]
        lines += [f"| {name} | {figure:.2f} | {bound:.2f} | {'holds' if held else '**exceeded**'} |"
                  for name, figure, bound, held in verdicts]
    return "\n".join(lines) + "\n"


def _whole(value):
    return "-" if value is None else f"{value:.0f}"


def _ratio(figures):
    if figures["ratio"] is None:
        return "-"
    return f"{figures['ratio']:.2f} ({min(figures['ratios']):.2f}-{max(figures['ratios']):.2f})"


def milliseconds(value):
    return "never" if value is None else f"{value:.2f}"
