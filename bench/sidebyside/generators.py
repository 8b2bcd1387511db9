"""The load generators for calls: wrk over HTTP/1.1, h2load over HTTP/2, own threads where tickets must be kept.

Each returns {"units": calls made, "microseconds": how long it took, "errors": calls that failed, "p50", "p99": microseconds}.
"""

import json
import re
import socket
import subprocess
import threading
import time
from contextlib import contextmanager

from .calls import REPLY_BYTES, Response, client_context, encode, headers, initialize_body, request_body, to_json
from .processes import BenchError


# What a wrk script prints in the end.
_DONE = """\
function done(s, latency)
  local e = s.errors
  print(string.format('BENCH {"units":%d,"microseconds":%d,"errors":%d,"p50":%d,"p99":%d}', s.requests,
    s.duration, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


def wrk_script(port, sessions=(), close=False):
    """A wrk script of constant requests: no Lua runs per call, but to choose among sessions."""
    requests = [encode(port, request_body(), headers(session, close)) for session in sessions or [None]]
    # JSON's escapes of these bytes are Lua's too.
    script = "local requests = {" + ",".join(to_json(r.decode()) for r in requests) + "}\n"
    if len(requests) == 1:
        script = _constant(request_body(), headers(*sessions, close=close))
    else:
        script += "local at = 0\nfunction request() at = at % #requests + 1; return requests[at] end\n"
    return script + _DONE


def wrk_opening_script():
    """A wrk script whose requests open a session each."""
    fields = {name: value for name, value in headers().items() if not name.lower().startswith("mcp-")}
    return _constant(initialize_body(), fields) + _DONE


def _constant(body, fields):
    # A function would be called for every request; wrk asks only once when it finds wrk.request untouched.
    lines = ",".join(f"[{to_json(name)}]={to_json(value)}" for name, value in fields.items())
    return f'wrk.method = "POST"\nwrk.path = "/mcp"\nwrk.body = {_lua(body)}\nwrk.headers = {{{lines}}}\n'


def _lua(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def run_wrk(script, port, tls, seconds, connections=64):
    """Runs wrk and returns what its script's `done` printed."""
    with wrk(script, port, tls, seconds, connections) as result:
        return result()


@contextmanager
def wrk(script, port, tls, seconds, connections):
    """Starts wrk. Gives a function that waits for its end and returns what its script's `done` printed."""
    url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/mcp"
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(script), url]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        def result():
            printed, complaints = running.communicate(timeout=seconds + 60)
            for line in printed.splitlines():
                if line.startswith("BENCH "):
                    return json.loads(line[6:])
            raise BenchError(f"wrk said nothing: {printed}{complaints}")
        try:
            yield result
        finally:
            running.kill()


def body_file(directory):
    """The call's body as the file that h2load wants."""
    path = directory / "call.json"
    path.write_text(request_body())
    return path


def run_h2load(port, body, connections, streams, seconds=None, requests=None):
    """Runs h2load for `seconds`, or for so many `requests`."""
    amount = [f"-D{seconds}"] if seconds else [f"-n{requests}"]
    log = body.with_suffix(".log")
    log.unlink(missing_ok=True)  # h2load appends
    argv = ["h2load", "-t1", f"-c{connections}", f"-m{streams}", *amount, "-d", str(body), "--npn-list=h2", f"--log-file={log}"]
    for name, value in headers().items():
        argv += ["-H", f"{name}: {value}"]
    ran = subprocess.run([*argv, f"https://127.0.0.1:{port}/mcp"], capture_output=True, text=True,
                         timeout=(seconds or 60) + 60)
    said = ran.stdout
    outcome = re.search(r"requests: .* (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", said)
    codes = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", said)
    size = re.search(r"traffic: .* \((\d+)\) data", said)
    if not (outcome and codes and size and "Application protocol: h2\n" in said):
        raise BenchError(f"h2load said: {said}{ran.stderr}")
    done, good, failed, errored, timeouts = map(int, outcome.groups())
    errors = failed + errored + timeouts + sum(map(int, codes.groups()[1:]))
    if good and int(size[1]) < good * REPLY_BYTES:
        raise BenchError(f"h2load got {size[1]} bytes with {good} replies")
    times = sorted(int(line.rpartition("\t")[2]) for line in log.read_text().splitlines())
    return {"units": good, "microseconds": (seconds or 0) * 1e6, "errors": errors} | percentiles(times)


def percentiles(times):
    """The median and the 99th percentile of sorted `times`."""
    return {"p50": times[len(times) // 2], "p99": times[len(times) * 99 // 100]} if times else {"p50": None, "p99": None}


def run_resuming(port, seconds, callers=16):
    """TLS connections for one call each, every one but a caller's first resumed with the last one's ticket."""
    data, times, failures, deadline = encode(port, request_body(), headers(close=True)), [], [], time.monotonic() + seconds

    def call_again_and_again():
        context, session = client_context(), None
        try:
            while (began := time.monotonic()) < deadline:
                with socket.create_connection(("127.0.0.1", port), 10) as raw:
                    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    with context.wrap_socket(raw, server_hostname="localhost", session=session) as connection:
                        if session and not connection.session_reused:
                            raise BenchError(f"port {port} did not resume a session")
                        connection.sendall(data)
                        response = Response()
                        while not response.feed(received := connection.recv(65536)):
                            if not received:
                                raise BenchError(f"port {port} closed the connection before its reply was whole")
                        if response.status != 200:
                            raise BenchError(f"port {port} answered {response.status}")
                        session = connection.session  # its ticket came before the reply
                times.append((time.monotonic() - began) * 1e6)
        except (BenchError, OSError) as error:
            failures.append(error)

    threads = [threading.Thread(target=call_again_and_again) for _ in range(callers)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise BenchError(f"resuming: {failures[0]}")
    return {"units": len(times), "microseconds": (time.monotonic() - began) * 1e6, "errors": 0} | percentiles(sorted(times))
