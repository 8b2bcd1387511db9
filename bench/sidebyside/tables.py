"""The tables of a run, in Markdown."""

from . import truth
from .load import WORKLOADS
from .peers import CONTROL
from .report import NOISY

SCALE = {"call": (1, "us"), "event": (1, "us"), "GB": (1e6, "s")}  # of CPU


def markdown(results, verdicts, failed):
    lines = ["## Side by side", ""]
    lines += [f"- {key}: {value}" for key, value in results["environment"].items()]
    for workload, peers in results["cpu"].items():
        lines += latency(workload, peers) if WORKLOADS[workload].adds else cpu(workload, peers)
    lines += syscalls(results["syscalls"])
    lines += table(
        "User memory of an idle event stream, or of a connection between calls, KiB", "| what | peer | user | Pss | RssAnon |", "|---|---|---:|---:|---:|",
        (f"| {transport} | {name} | {m['user']:.2f} | {m['pss']:.2f} | {m['rss_anon']:.2f} |"
         for transport, peers in results["memory"].items() for name, m in peers.items()))
    lines += table(
        "Head of an idle event stream, ms after the GET", "| transport | peer | p50 | max |", "|---|---|---:|---:|",
        (f"| {transport} | {name} | {milliseconds(h['p50'])} | {milliseconds(h['max'])} |"
         for transport, peers in results["head"].items() for name, h in peers.items()))
    lines += sessions(results["truth"])
    lines += table(
        "Oracle", "| through | calls | wrong answers | failed |", "|---|---:|---:|---:|",
        (f"| {name} | {o['calls']} | {o['wrong']} | {o['failed']} |" for name, o in results["oracle"].items()))
    lines += table(
        "Counted, of a call through Berth on one connection",
        "| case | instructions in user space | allocations | frees | system calls |", "|---|---:|---:|---:|---:|",
        (f"| {case} | {c['instructions']:.0f} | {c['allocations']:.2f} | {c['frees']:.2f} | {two(c.get('syscalls'))} |"
         for case, c in results["counts"].items()))
    lines += table(
        "Bounds", "| bound | Berth | at most | |", "|---|---:|---:|---|",
        (f"| {name} | {told(figure, bound)} | {limit(bound)} | {'holds' if held else '**exceeded**'} |"
         for name, figure, bound, held in verdicts))
    if failed:
        lines += ["", "### Failures", "", *(f"- {failure}" for failure in failed)]
    return "\n".join(lines) + "\n"


def table(title, header, alignment, rows):
    """Nothing where there are no rows."""
    rows = list(rows)
    return ["", f"### {title}", "", header, alignment, *rows] if rows else []


def syscalls(cases):
    def parts(counts):
        return ", ".join(f"{call} {n:.2f}" for call, n in counts.items() if call != "total" and n >= 0.005)

    return table(
        "System calls of a call", "| transport/connections | peer | system calls | of which |", "|---|---|---:|---|",
        (f"| {case} | {name} | {counts['total']:.2f} | {parts(counts)} |"
         for case, peers in cases.items() for name, counts in peers.items()))


def sessions(arrangements):
    shown = truth.shown(arrangements)
    lines = table(
        "Session truth: sessions that stayed whole", "| arrangement | " + " | ".join(shown) + " |", "|---|" + "---|" * len(shown),
        (f"| {name} | " + " | ".join(truth.text(cases[case]) if case in cases else "-" for case in shown) + " |"
         for name, cases in arrangements.items()))
    return lines + (["", *(f"- *{case}*: {truth.CASES[case]}" for case in shown)] if lines else [])


def cpu(workload, peers):
    unit = WORKLOADS[workload].unit
    scale, of = SCALE[unit]
    # A gigabyte a second is no rate to print without decimals.
    rate = (lambda value: f"{value:.2f}") if unit == "GB" else (lambda value: f"{value:.0f}")
    cost = (lambda value: f"{value / scale:.3f}") if unit == "GB" else (lambda value: f"{value:.1f}")
    lines = table(
        f"CPU of {'an' if unit == 'event' else 'a'} {unit}: {workload}",
        f"| peer | CPU {of} | user | system | ratio (rounds) | of best rounds | to the best of all | {unit}s/s | p50 us | p99 us "
        "| core used | by others, worst |",
        "|---|---:|---:|---:|---|---:|---:|---:|---:|---:|---:|---:|",
        (f"| {name} | {cost(f['microseconds'])} | {cost(f['user'])} | {cost(f['system'])} | {ratio(f)} "
         f"| {two(f['ratio_of_best'])} | {two(f['ratio_to_all'])} | {rate(f['units_per_second'])} | {whole(f['p50_us'])} "
         f"| {whole(f['p99_us'])} | {f['busy']:.0%} | {foreign(f)} |"
         for name, f in peers.items()))
    kept = [f"{name} {f['sessions_kept']:.0%}" for name, f in peers.items() if f["sessions_kept"] is not None]
    return lines + (["", "Sessions whose calls reach the replica that made them: " + ", ".join(kept)] if kept else [])


def latency(workload, peers):
    return table(
        f"Latency that a proxy adds, one connection: {workload}",
        "| peer | added p50 us | added p99 us | ratio (rounds) | p50 us | p99 us | calls/s | by others, worst |",
        "|---|---:|---:|---|---:|---:|---:|---:|",
        (f"| {name} | {f['added_p50_us']:.0f} | {f['added_p99_us']:.0f} | {ratio(f)} | {whole(f['p50_us'])} "
         f"| {whole(f['p99_us'])} | {f['units_per_second']:.0f} | {foreign(f)} |"
         for name, f in peers.items() if name != CONTROL or f["ratio"]))


def foreign(figures):
    return f"{figures['foreign']:.0%}{' noisy' if figures['foreign'] > NOISY else ''}"


def whole(value):
    return "-" if value is None else f"{value:.0f}"


def two(value):
    return "-" if value is None else f"{value:.2f}"


def ratio(figures):
    if figures["ratio"] is None:
        return "-"
    return f"{figures['ratio']:.2f} ({min(figures['ratios']):.2f}-{max(figures['ratios']):.2f})"


def told(figure, bound):
    """A figure with as many decimals as show on which side of its bound it is."""
    if bound >= 1000:
        return f"{figure:.0f}"
    digits = next((digits for digits in (2, 3) if (round(figure, digits) > bound) == (figure > bound)), 5)
    return f"{figure:.{digits}f}"


def limit(bound):
    return f"{bound:.{0 if bound >= 1000 else 2}f}"


def milliseconds(value):
    return "never" if value is None else f"{value:.2f}"
