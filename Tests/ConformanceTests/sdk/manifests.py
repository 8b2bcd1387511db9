"""Checks the deployment files with the tools that read them: manifests by the schemas of Kubernetes, the compose file by podman-compose,
the Prometheus configuration by promtool, and each configuration in them by `berth check`.
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

SECRETS = {"SESSION_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", "ADMIN_TOKEN": "0123456789abcdef0123456789abcdef"}


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
    checks.run(what, [berth, "check", file], env=os.environ | SECRETS)


def check_kubernetes(checks, berth, folder, directory):
    documents = []
    for name in ("berth", "replicas", "autoscaling", "network"):
        file = folder / f"{name}.yaml"
        checks.run(file.name, [sys.executable, "-m", "kubernetes_validate", "--strict", "--no-warn", file])
        documents += [each for each in yaml.safe_load_all(file.read_text()) if each]
    yaml.safe_load((folder / "adapter-values.yaml").read_text())
    named = {(each["kind"], each["metadata"]["name"]): each for each in documents}
    configuration = named["ConfigMap", "berth"]["data"]["berth.toml"]
    check_configuration(checks, "the ConfigMap", berth, configuration, directory)
    pod = named["Deployment", "berth"]["spec"]["template"]["spec"]
    container = pod["containers"][0]
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    checks.expect(f'https = ":{ports["mcp"]}"' in configuration, "the port of the listener is the container's")
    checks.expect(f'admin = "0.0.0.0:{ports["admin"]}"' in configuration, "the port of the admin address is the container's")
    checks.expect({each["name"] for each in container["env"]} == set(SECRETS), "the secrets are those of the configuration")
    seconds = sum(int(number) * (60 if unit == "m" else 1)
                  for number, unit in re.findall(r'drain_\w+ = "(\d+)([sm])"', configuration))
    checks.expect(pod["terminationGracePeriodSeconds"] > seconds, "a pod is not killed while it drains")
    servers = re.findall(r'"(\w+)-(\d+)\.([\w-]+):(\d+)"', configuration)
    set_name, _, service_name, port = servers[0]
    service, pods = named["Service", service_name], named["StatefulSet", set_name]
    checks.expect(service["spec"]["clusterIP"] == "None", "pods have names by a headless Service")
    checks.expect(pods["spec"]["serviceName"] == service_name, "which is that of the set")
    checks.expect(service["spec"]["ports"][0]["port"] == int(port), "at its port")
    most = named["HorizontalPodAutoscaler", set_name]["spec"]["maxReplicas"]
    checks.expect(servers == [(set_name, str(number), service_name, port) for number in range(most)], "each pod is named once")
    for (kind, name), each in named.items():
        selector = each["spec"].get("selector", each["spec"].get("podSelector", {})) if "spec" in each else {}
        labels = selector.get("matchLabels", selector if kind == "Service" else {})
        if kind in ("Service", "NetworkPolicy", "PodDisruptionBudget"):
            pods = [other for (sort, _), other in named.items() if sort in ("Deployment", "StatefulSet")
                    and labels.items() <= other["spec"]["template"]["metadata"]["labels"].items()]
            checks.expect(len(pods) == 1, f"{kind} {name} selects the pods of one thing")
    for source in (each["data"]["server.py"] for each in documents if "server.py" in each.get("data", {})):
        compile(source, "server.py", "exec")


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
        check_kubernetes(checks, options.berth, options.deploy / "kubernetes", Path(name))
        check_compose(checks, options.berth, options.deploy / "compose", Path(name))
    print(json.dumps({"right": checks.right, "wrongCount": len(checks.wrong), "wrong": checks.wrong[:20]}))
    sys.exit(1 if checks.wrong else 0)


if __name__ == "__main__":
    main()
