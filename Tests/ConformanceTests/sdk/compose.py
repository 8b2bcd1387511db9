"""Checks the deployment files with the tools that read them: the compose file by podman-compose, the Prometheus configuration by promtool,
and the configuration of Berth by `berth check`.
"""

import argparse
import json
import os
import re
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml


class Checks:
    def __init__(self):
        self.right, self.wrong = 0, []

    def expect(self, holds, text):
        self.right += bool(holds)
        if not holds:
            self.wrong.append(text)

    def run(self, what, words, **options):
        """The output of a program that must succeed."""
        ended = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=120, **options)
        self.expect(ended.returncode == 0, f"{what}: {ended.stdout[-500:]} {ended.stderr[-500:]}")
        return ended.stdout


def check_configuration(checks, what, berth, text, directory):
    """`berth check`, with a certificate that exists where the file names one."""
    certificate = directory / "pair.pem"
    if not certificate.exists():
        checks.run("openssl", ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                               directory / "key.pem", "-out", certificate, "-subj", "/CN=mcp.example.com", "-days", "2"])
    text = re.sub(r'cert = "[^"]*"', f'cert = "{certificate}"', text)
    text = re.sub(r'key = "[^"]*"', f'key = "{directory}/key.pem"', text)
    text = re.sub(r'file:[^"]*', f"file:{directory}/session.keys", text)
    file = directory / "berth.toml"
    file.write_text(text)
    checks.run(what, [berth, "check", file])


def check_compose(checks, berth, folder, directory):
    # It asks for the version of podman before it reads a file, and here is none.
    podman = directory / "podman"
    podman.write_text("#!/bin/sh\necho podman version 4.3.1\n")
    podman.chmod(stat.S_IRWXU)
    words = [Path(sys.executable).parent / "podman-compose", "-f", folder / "compose.yaml", "config"]
    said = checks.run("podman-compose", words, env=os.environ | {"PATH": f"{directory}:{os.environ['PATH']}"})
    services = yaml.safe_load(said)["services"]
    checks.expect({"berth", "mcp-1", "mcp-2", "mcp-3", "prometheus", "grafana"} <= services.keys(), "its services")
    for name, service in services.items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            checks.expect(not source.startswith(".") or (folder / source).is_file(), f"{name}: {source} is there")
    configuration = (folder / "berth.toml").read_text()
    check_configuration(checks, "compose/berth.toml", berth, configuration, directory)
    for name in re.findall(r'"(mcp-\d):3001"', configuration):
        checks.expect(name in services, f"{name} is a service")
    checks.run("promtool", ["promtool", "check", "config", "--syntax-only", folder / "prometheus.yml"])
    compile((folder / "server.py").read_text(), "server.py", "exec")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("berth", type=Path)
    parser.add_argument("deploy", type=Path)
    options = parser.parse_args()
    checks = Checks()
    with tempfile.TemporaryDirectory() as name:
        check_compose(checks, options.berth, options.deploy / "compose", Path(name))
    print(json.dumps({"right": checks.right, "wrongCount": len(checks.wrong), "wrong": checks.wrong[:20]}))
    sys.exit(1 if checks.wrong else 0)


if __name__ == "__main__":
    main()
