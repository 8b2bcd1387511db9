"""Makes the virtual environment that drives the browser, once, and prints its interpreter: python3 environment.py CACHE"""

import fcntl
import hashlib
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def make(cache: pathlib.Path) -> str:
    pins = HERE / "requirements.txt"
    digest = hashlib.sha256(pins.read_bytes() + sys.version.encode()).hexdigest()[:12]
    home = cache / f"browser-{digest}"
    python = home / "bin" / "python"
    finished = home / "finished"
    if not finished.exists():
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True, stdout=sys.stderr)
        # Of the library with axe-core, only the script is used, which needs nothing else.
        for option, names in (("-r", [str(pins)]), ("--no-deps", ["axe-playwright-python==0.1.8"])):
            install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", option, *names]
            subprocess.run(install, check=True, stdout=sys.stderr, timeout=300)
        finished.touch()
    return str(python)


def main() -> None:
    cache = pathlib.Path(sys.argv[1]).resolve()
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        print(make(cache))


if __name__ == "__main__":
    main()
