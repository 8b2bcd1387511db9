"""Child processes: started on one core, watched, measured from /proc and ended by their ids."""

import ctypes
import os
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# A child is ended with the thread that forked it, so all are forked by one that lives as long as the program.
_forker = ThreadPoolExecutor(1)
_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


class BenchError(Exception):
    """An error that ends the run; the message is printed."""


def poll_until(condition, seconds, what):
    """Waits until `condition()` is true and returns its value; raises after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise BenchError(f"{what}: not within {seconds:g} s")
        time.sleep(0.02)


def free_port():
    """A TCP port of 127.0.0.1 that the kernel chose and that no process uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Child:
    """A process tree started here, pinned to one core, its output in a log file."""

    def __init__(self, name, argv, cpu, log, environment=None):
        self.name, self.argv, self.cpu, self.log = name, [str(word) for word in argv], cpu, Path(log)
        self.environment = os.environ | (environment or {})
        self.start()

    def start(self):
        """Starts the program, once more if it ended."""
        def prepare():
            os.sched_setaffinity(0, {self.cpu})
            # If the bench is killed, its children end as well (nginx's master ends its worker).
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

        with open(self.log, "ab") as out:
            self.popen = _forker.submit(
                subprocess.Popen, self.argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                start_new_session=True, preexec_fn=prepare, env=self.environment).result()

    def require_alive(self):
        if self.popen.poll() is not None:
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])
            raise BenchError(f"{self.name} ended with status {self.popen.returncode}\n{tail}")

    def wait_for_port(self, port, seconds=10):
        def connects():
            self.require_alive()
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return True
            except OSError:
                return False
        poll_until(connects, seconds, f"{self.name} listening on port {port}")

    def tree(self):
        """The ids of the process and all its descendants."""
        children = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                pid, rest = int(stat.parent.name), stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue  # ended meanwhile
            children.setdefault(int(rest[1]), []).append(pid)
        found = [self.popen.pid]
        for pid in found:
            found += children.get(pid, [])
        return found

    def stop(self, seconds=5):
        """SIGTERM, and after `seconds` SIGKILL, to this tree only."""
        if self.popen.poll() is None:
            tree = self.tree()
            self.popen.terminate()
            try:
                self.popen.wait(seconds)
            except subprocess.TimeoutExpired:
                for pid in tree:
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
                self.popen.wait()


class CPUTime:
    """CPU spent by a process tree so far: nanoseconds, and the ticks that tell user from system."""

    def __init__(self, pids):
        self.nanoseconds = self.user = self.system = 0
        for pid in pids:
            # The clock of a whole process, all its threads, ended ones too: what clock_getcpuclockid(3) returns.
            try:
                self.nanoseconds += time.clock_gettime_ns((~pid << 3) | 2)
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                raise BenchError(f"process {pid} of a proxy ended during a run") from None
            self.user += int(fields[11])
            self.system += int(fields[12])

    def since(self, earlier):
        """(nanoseconds, share of them in user mode) since `earlier`."""
        user, system = self.user - earlier.user, self.system - earlier.system
        return self.nanoseconds - earlier.nanoseconds, user / max(1, user + system)


def core_busy_nanoseconds(cpu):
    """Time that core `cpu` did not idle since boot, what the hypervisor took included; to a tick."""
    for line in Path("/proc/stat").read_text().splitlines():
        if line.startswith(f"cpu{cpu} "):
            user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, line.split()[1:9])
            ticks = user + nice + system + irq + softirq + steal
            return ticks * 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    raise BenchError(f"/proc/stat does not list core {cpu}")


def memory_kib(pids):
    """User memory of a process tree in KiB: `user` (anonymous and shared, by share), `pss`, `rss_anon`."""
    total = {"user": 0, "pss": 0, "rss_anon": 0}
    for pid in pids:
        rollup = _fields(f"/proc/{pid}/smaps_rollup")
        total["user"] += rollup["Pss_Anon"] + rollup["Pss_Shmem"]
        total["pss"] += rollup["Pss"]
        total["rss_anon"] += _fields(f"/proc/{pid}/status")["RssAnon"]
    return total


def _fields(path):
    pairs = (line.split(":", 1) for line in Path(path).read_text().splitlines() if line.endswith(" kB"))
    return {name: int(value.split()[0]) for name, value in pairs}
