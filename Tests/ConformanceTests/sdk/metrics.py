"""Reads /metrics as Prometheus does, in both formats, with the official Python parsers and with promtool.

    python3 metrics.py --url UNUSED --admin http://127.0.0.1:9090 [--calls N]

`--calls` is how many calls of tools there were; without it they are not looked at.
"""

import gzip
import subprocess
import urllib.request

import anyio
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client import parser as plain

import report

FORMATS = {
    "text/plain;version=0.0.4": (plain, "text/plain; version=0.0.4; charset=utf-8"),
    "application/openmetrics-text;version=1.0.0": (
        openmetrics, "application/openmetrics-text; version=1.0.0; charset=utf-8"),
}
OPERATION = "mcp_server_operation_duration_seconds"


def scrape(url: str, **fields: str):
    request = urllib.request.Request(url, headers={name.replace("_", "-"): value for name, value in fields.items()})
    with urllib.request.urlopen(request, timeout=60) as response:
        return response.headers, response.read()


def check(text: str, parser, found: report.Report) -> dict:
    """Parses a page, which the parser does in full, and returns its families by name."""
    families = {}
    for family in parser.text_string_to_metric_families(text):
        found.expect(family.name not in families, f"{family.name} is there twice")
        found.expect(bool(family.documentation), f"{family.name} has no help")
        families[family.name] = family
        seen = set()
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            found.expect(key not in seen, f"{key} is there twice")
            seen.add(key)
            found.expect("session" not in sample.labels, f"{sample.name} tells a session")
    return families


def histograms(family) -> dict:
    """By labels, the count of each series, whose buckets must grow up to it."""
    counts, buckets = {}, {}
    for sample in family.samples:
        key = tuple(sorted((name, value) for name, value in sample.labels.items() if name != "le"))
        if sample.name.endswith("_count"):
            counts[key] = sample.value
        if sample.name.endswith("_bucket"):
            buckets.setdefault(key, []).append((float(sample.labels["le"]), sample.value))
    for key, values in buckets.items():
        assert values == sorted(values), f"{key}: buckets shrink"
        assert values[-1] == (float("inf"), counts[key]), f"{key}: the last bucket is not the count"
    return counts


async def main(options, found: report.Report) -> None:
    url = f"{options.admin}/metrics"
    for accept, (parser, content_type) in FORMATS.items():
        headers, body = await anyio.to_thread.run_sync(lambda: scrape(url, accept=accept))
        found.expect(headers["content-type"] == content_type, f"asked for {accept}, got {headers['content-type']}")
        families = check(body.decode(), parser, found)
        found.expect(families["berth_up"].samples[0].value == 1, "berth_up is not 1")
        up = [sample.value for sample in families["berth_server_up"].samples]
        found.expect(len(up) > 0 and set(up) == {1}, f"servers are not up: {up}")
        memory = families["process_resident_memory_bytes"].samples[0].value
        found.expect(1 << 20 < memory < 1 << 34, f"{memory} bytes of memory")
        lag = [sample.value for sample in families["berth_event_loop_lag_seconds"].samples]
        found.expect(len(lag) > 0 and max(lag) < 5, f"the event loops lag by {lag}")
        if options.calls is not None:
            counts = histograms(families[OPERATION])
            calls = sum(count for key, count in counts.items() if ("mcp_method_name", "tools/call") in key)
            found.expect(calls == options.calls, f"{calls} calls of tools, there were {options.calls}")
        headers, packed = await anyio.to_thread.run_sync(lambda: scrape(url, accept=accept, accept_encoding="gzip"))
        found.expect(headers["content-encoding"] == "gzip", "gzip was asked for")
        again = check(gzip.decompress(packed).decode(), parser, found)
        found.expect(set(again) == set(families), "in gzip it is another page")
    _, body = await anyio.to_thread.run_sync(lambda: scrape(url, accept="text/plain"))
    checked = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True, timeout=60)
    found.expect(checked.returncode == 0, f"promtool: {checked.stdout.decode()} {checked.stderr.decode()}")
    found.results["right"] = len(families)


if __name__ == "__main__":
    arguments = report.parser("Checks /metrics.")
    arguments.add_argument("--admin", required=True)
    arguments.add_argument("--calls", type=int)
    chosen = arguments.parse_args()
    report.run(main, chosen, report.Report())
