"""Makes the two virtual environments the official SDKs run in, once, and prints where their interpreters are.

    python3 environments.py CACHE            prints {"v1": "CACHE/v1-<pins>/bin/python", "v2": "…"}
    python3 environments.py CACHE parsers    the same for the parsers that ours are compared with

An environment is named after a digest of its pins and of the interpreter, so changing a pin makes a new one and an
unfinished one is never mistaken for a finished one: it is built under a temporary name and marked at the end.
"""

import fcntl
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def make(cache: pathlib.Path, name: str) -> str:
    pins = HERE / f"requirements-{name}.txt"
    digest = hashlib.sha256(pins.read_bytes() + sys.version.encode()).hexdigest()[:12]
    home = cache / f"{name}-{digest}"
    python = home / "bin" / "python"
    finished = home / "finished"
    if not finished.exists():
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True, stdout=sys.stderr)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(pins)]
        subprocess.run(install, check=True, stdout=sys.stderr, timeout=300)
        finished.touch()
    return str(python)


def main() -> None:
    cache = pathlib.Path(sys.argv[1]).resolve()
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lock", "w") as lock:  # two test runs may start at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        print(json.dumps({name: make(cache, name) for name in sys.argv[2:] or ("v1", "v2")}))


if __name__ == "__main__":
    main()
