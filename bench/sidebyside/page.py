"""One self-contained HTML page of a run: bars with the spread of the rounds, for light and dark screens."""

import html
from pathlib import Path

from . import truth
from .load import WORKLOADS
from .peers import CONTROL
from .tables import SCALE, limit, milliseconds, ratio, told, two, whole

WIDTH, LEFT, RIGHT, ROW = 760, 130, 150, 26
TITLES = {
    "plain": "A call, HTTP/1.1 in clear, 64 connections",
    "tls": "A call, HTTP/1.1 over TLS 1.3",
    "tls-many": "A call over TLS 1.3, 4,000 connections in use",
    "connect": "A call on a new connection",
    "session": "A call of a session, any session over any connection",
    "h2": "A call, HTTP/2 over TLS 1.3, 16 × 16",
    "tls-connect": "A full TLS handshake and a call",
    "tls-resume": "A resumed TLS handshake and a call",
    "latency": "Latency added on one connection",
    "paced": "A call at 5,000 calls a second, 64 connections",
    "fanout": "An event, 1,000 streams × 10 a second",
    "fanout-tls": "An event, 1,000 streams × 10 a second, over TLS 1.3",
    "bulk": "A gigabyte in bodies of 64 MiB",
    "bulk-tls": "A gigabyte in bodies of 64 MiB, over TLS 1.3",
    "upload": "A gigabyte in request bodies of 8 MiB",
    "upload-chunked": "A gigabyte in request bodies of 8 MiB, in chunks",
    "upload-tls": "A gigabyte in request bodies of 8 MiB, over TLS 1.3",
}
STYLE = (Path(__file__).parent / "page.css").read_text()


def page(results, verdicts, failed):
    parts = [f"<h1>Berth and its peers, side by side</h1>{_environment(results['environment'])}", _gate(verdicts, failed)]
    if results["cpu"]:
        parts.append(
            "<h2>What each spends</h2><p>CPU of the proxy alone, one worker on one core. A bar is the median of the rounds, its "
            "darker part in user mode, the dots are the rounds. The ratio is to the better of nginx and HAProxy in the same "
            "round (HTTP/2: to HAProxy). Compare ratios, not microseconds of different machines.</p>"
        )
        parts += [
            _latency(name, peers) if WORKLOADS[name].adds else _cpu(name, peers) for name, peers in results["cpu"].items()
        ]
    if results["truth"]:
        parts.append(_truth(results["truth"]))
    if results["oracle"]:
        rows = [[name, f"{o['calls']:,}", f"{o['wrong']:,}", f"{o['failed']:,}"] for name, o in results["oracle"].items()]
        parts.append(
            "<h2>Oracle</h2><p>Every answer held against the session's replica and counter.</p>"
            + _table(["through", "calls", "wrong answers", "failed"], rows)
        )
    if results["memory"]:
        parts.append("<h2>Memory of what is idle</h2><p>User memory in KiB that each open, silent event stream adds, and each connection between calls.</p>")
        parts += [
            _bars(title, [(name, [m["user"]], [], f"{m['user']:.2f} KiB") for name, m in results["memory"][case].items()])
            for case, title in (("plain", "A stream in clear"), ("tls", "A stream over TLS 1.3"), ("h2", "A stream of HTTP/2 over TLS 1.3"),
                                ("keep-alive", "A connection in clear"), ("keep-alive-tls", "A connection over TLS 1.3"))
            if case in results["memory"]
        ]
    if results["syscalls"]:
        parts.append("<h2>System calls of a call</h2><p>Counted by strace; the machine's load does not move them.</p>")
        parts += [
            _bars(case, [(name, [c["total"]], [], f"{c['total']:.2f}") for name, c in peers.items()])
            for case, peers in results["syscalls"].items()
            if not case.endswith("/1")
        ]
    if results["head"]:
        rows = [
            [case, name, milliseconds(h["p50"]), milliseconds(h["max"])]
            for case, peers in results["head"].items()
            for name, h in peers.items()
        ]
        parts.append(
            "<h2>Head of an idle event stream</h2><p>Milliseconds from the GET to the response head.</p>"
            + _table(["transport", "peer", "p50", "max"], rows, words=2)
        )
    if results["counts"]:
        rows = [
            [case, f"{c['instructions']:.0f}", f"{c['allocations']:.2f}", f"{c['frees']:.2f}", two(c.get("syscalls"))]
            for case, c in results["counts"].items()
        ]
        parts.append(
            "<h2>Counted, of a call through Berth on one connection</h2>"
            + _table(["case", "instructions in user space", "allocations", "frees", "system calls"], rows)
        )
    return (
        f'<!DOCTYPE html>\n<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Berth side by side</title><style>{STYLE}</style>\n" + "\n".join(parts) + "\n</html>\n"
    )


def _escape(text):
    return html.escape(str(text))


def _environment(environment):
    return "<dl>" + "".join(f"<dt>{_escape(k)}</dt><dd>{_escape(v)}</dd>" for k, v in environment.items()) + "</dl>"


def _gate(verdicts, failed):
    if not verdicts and not failed:
        return ""
    rows = [
        [
            name,
            told(figure, bound),
            limit(bound),
            '<span class="good">holds</span>' if held else '<span class="bad">exceeded</span>',
        ]
        for name, figure, bound, held in verdicts
    ]
    said = "".join(f'<li class="bad">{_escape(text)}</li>' for text in failed)
    held = sum(holds for *_, holds in verdicts)
    if not verdicts:
        return f"<h2>Failures</h2><ul>{said}</ul>"
    return (
        f"<h2>Bounds</h2><p>{held} of {len(verdicts)} hold.</p>"
        + (f"<ul>{said}</ul>" if failed else "")
        + _table(["bound", "Berth", "at most", ""], rows, marked=True)
    )


def _table(heads, rows, words=1, marked=False):
    """A table whose first `words` columns are words and the others numbers; `marked`: the last is HTML."""
    number = lambda at: " class=n" if words <= at < len(heads) - marked else ""
    cells = lambda row: "".join(
        f"<td{number(at)}>{cell if marked and at == len(row) - 1 else _escape(cell)}</td>" for at, cell in enumerate(row)
    )
    head = "".join(f"<th{number(at)}>{_escape(text)}</th>" for at, text in enumerate(heads))
    return f'<div class="scroll"><table><tr>{head}</tr>' + "".join(f"<tr>{cells(row)}</tr>" for row in rows) + "</table></div>"


def _cpu(name, peers):
    unit = WORKLOADS[name].unit
    scale, of = SCALE[unit]
    digits = 3 if unit == "GB" else 1
    bars = [
        (
            peer,
            [f["user"] / scale, f["system"] / scale],
            [r["microseconds"] / scale for r in f["rounds"]],
            f"{f['microseconds'] / scale:.{digits}f} {'µs' if of == 'us' else of}   {two(f['ratio'])}",
        )
        for peer, f in peers.items()
        if peer != CONTROL
    ]
    rows = [
        [
            peer,
            ratio(f),
            two(f["ratio_to_all"]),
            f"{f['units_per_second']:.{2 if unit == 'GB' else 0}f}",
            whole(f["p50_us"]),
            whole(f["p99_us"]),
            f"{f['foreign']:.0%}",
        ]
        for peer, f in peers.items()
    ]
    more = _table(
        ["peer", "ratio (least-greatest)", "to the best of all", f"{unit}s/s", "p50 µs", "p99 µs", "core used by others"], rows
    )
    return _bars(f"{TITLES[name]}", bars, more)


def _latency(name, peers):
    bars = [
        (peer, [f["added_p50_us"]], [], f"{f['added_p50_us']:.0f} µs   {two(f['ratio'])}")
        for peer, f in peers.items()
        if peer != CONTROL
    ]
    rows = [
        [peer, ratio(f), f"{f['added_p50_us']:.0f}", f"{f['added_p99_us']:.0f}", whole(f["p50_us"]), whole(f["p99_us"])]
        for peer, f in peers.items()
    ]
    return _bars(
        TITLES[name], bars, _table(["peer", "ratio (least-greatest)", "added p50 µs", "added p99 µs", "p50 µs", "p99 µs"], rows)
    )


def _bars(title, bars, more=""):
    """`bars`: (name, parts of the bar, dots, label). A bar far longer than the others is cut, with a mark at its end."""
    totals = sorted(max([sum(parts), *dots]) for _, parts, dots, _ in bars)
    limit = (
        min(totals[-1], 3 * max(sum(parts) for name, parts, _, _ in bars if name in ("berth", "nginx", "haproxy")))
        if any(name in ("berth", "nginx", "haproxy") for name, *_ in bars)
        else totals[-1]
    )
    plot_width = WIDTH - LEFT - RIGHT
    place = lambda value: plot_width * min(value, limit) / limit if limit > 0 else 0
    height = ROW * len(bars) + 8
    lines = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{_escape(title)}">']
    for step in range(1, 5):
        x = LEFT + plot_width * step / 4
        lines.append(f'<line class="grid" x1="{x:.1f}" y1="0" x2="{x:.1f}" y2="{height}"/>')
    for row, (name, parts, dots, label) in enumerate(bars):
        y, kind, start = row * ROW + 5, "mine" if name == "berth" else "other", 0
        bold, soft = (' font-weight="600"', "") if kind == "mine" else ("", ' class="soft"')
        lines.append(f'<text x="{LEFT - 10}" y="{y + 13}" text-anchor="end"{bold}>{_escape(name)}</text>')
        for number, part in enumerate(parts):
            end = start + part
            lines.append(
                f'<rect class="{kind}{"-soft" if number else ""}" x="{LEFT + place(start):.1f}" y="{y}" '
                f'width="{max(0.5, place(end) - place(start)):.1f}" height="{ROW - 9}"/>'
            )
            start = end
        if start > limit:
            x = LEFT + plot_width - 12
            lines.append(
                f'<path d="M{x} {y - 1} l6 {ROW - 7} m4 0 l-6 -{ROW - 7}" stroke="var(--card)" stroke-width="2" fill="none"/>'
            )
        lines += [
            f'<circle class="dot" cx="{LEFT + place(dot):.1f}" cy="{y + (ROW - 9) / 2}" r="3"/>'
            for dot in dots
            if dot <= limit * 1.001
        ]
        lines.append(f'<text x="{LEFT + plot_width + 10}" y="{y + 13}" xml:space="preserve"{soft}>{_escape(label)}</text>')
    return f"<figure><h3>{_escape(title)}</h3>" + "\n".join(lines) + f"</svg>{more}</figure>"


def _truth(measured):
    key = "".join(
        f'<span class="key" style="background: var(--{colour})"></span>{word}'
        for word, colour in (("whole", "good"), ("wrong answers", "bad"), ("no answer", "warn"))
    )
    rows, shown = [], truth.shown(measured)
    for name, cases in measured.items():
        cells = "".join(f"<td>{_strip(cases[case])}</td>" if case in cases else "<td>-</td>" for case in shown)
        rows.append(f"<tr{' class=mine-row' if name == 'berth' else ''}><td>{_escape(name)}</td>{cells}</tr>")
    meaning = "".join(f"<dt>{case}</dt><dd>{_escape(text)}</dd>" for case, text in truth.CASES.items() if case in shown)
    return (
        f"<h2>Session truth</h2><p>Sessions of which every call was answered by the replica that holds it, each peer in its best "
        f"arrangement. The replicas answer any id, so that a wrong proxy is not seen by its status codes.</p><div>{key}</div>"
        '<figure class="scroll"><table><tr><th></th>'
        + "".join(f"<th>{case}</th>" for case in shown)
        + "</tr>"
        + "".join(rows)
        + f"</table></figure><dl>{meaning}</dl>"
    )


def _strip(outcome):
    parts = "".join(
        f'<i style="width: {100 * outcome[kind] / max(1, outcome["sessions"]):.1f}%; background: var(--{colour})"></i>'
        for kind, colour in (("whole", "good"), ("wrong", "bad"), ("failed", "warn"))
        if outcome[kind]
    )
    notes = "".join(f"<br><small>{_escape(note)}</small>" for note in outcome["notes"])
    return f'<div class="strip">{parts}</div>{outcome["whole"]} of {outcome["sessions"]}{notes}'
