"""Checks the deployment files with the tools that read them: manifests by the schemas of Kubernetes, the Helm chart by Go's templates, the
compose file by podman-compose,
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
    found = re.search(r'dns = "([^"]+)", port = (\d+)', configuration)
    service = named["Service", found[1]]
    checks.expect(service["spec"]["clusterIP"] == "None", "servers are found by a headless Service")
    checks.expect(service["spec"]["ports"][0]["port"] == int(found[2]), "at its port")
    for (kind, name), each in named.items():
        selector = each["spec"].get("selector", each["spec"].get("podSelector", {})) if "spec" in each else {}
        labels = selector.get("matchLabels", selector if kind == "Service" else {})
        if kind in ("Service", "NetworkPolicy", "PodDisruptionBudget"):
            pods = [other for (sort, _), other in named.items() if sort == "Deployment"
                    and labels.items() <= other["spec"]["template"]["metadata"]["labels"].items()]
            checks.expect(len(pods) == 1, f"{kind} {name} selects one Deployment")
    for source in (each["data"]["server.py"] for each in documents if "server.py" in each.get("data", {})):
        compile(source, "server.py", "exec")


def rendered(chart, directory, **changes):
    """The documents of the Helm chart, by Go's own template engine: the chart uses no function beside those."""
    import go_template

    values = yaml.safe_load((chart / "values.yaml").read_text()) | changes
    file, result = directory / "values.yaml", directory / "rendered.yaml"
    file.write_text(yaml.safe_dump({"Values": values, "Release": {"Name": "berth"}}))
    go_template.render_template(str(chart / "templates" / "berth.yaml"), str(file), str(result))
    return {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(result.read_text()) if each}


def check_chart(checks, berth, chart, manifests, directory):
    """With its default values, the chart says what the manifests say."""
    plain = {}
    for name in ("berth", "autoscaling", "network"):
        for each in yaml.safe_load_all((manifests / f"{name}.yaml").read_text()):
            if each["metadata"]["name"] == "berth":
                plain[each["kind"], "berth"] = each
    chart_documents = rendered(chart, directory)
    checks.expect(chart_documents.keys() == plain.keys(), f"the chart has {sorted(chart_documents)}")
    for key, document in chart_documents.items():
        other = plain.get(key)
        if key[0] == "ConfigMap":
            lines = [re.sub(r" *#.*", "", line) for line in other["data"]["berth.toml"].splitlines()]
            ours = document["data"]["berth.toml"].splitlines()
            checks.expect([line for line in lines if line] == [line for line in ours if line], "the chart's configuration is that of the manifest")
            check_configuration(checks, "the chart's configuration", berth, document["data"]["berth.toml"], directory)
        else:
            checks.expect(document == other, f"{key[0]} of the chart is that of the manifests")
    fewer = rendered(chart, directory, autoscaling={"enabled": False}, monitoringNamespace="", service={"type": "ClusterIP", "port": 443})
    checks.expect(("HorizontalPodAutoscaler", "berth") not in fewer and ("NetworkPolicy", "berth") not in fewer, "both can be left out")
    checks.expect("externalTrafficPolicy" not in fewer["Service", "berth"]["spec"], "a ClusterIP has no such policy")
    yaml.safe_load((chart / "Chart.yaml").read_text())


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
        check_chart(checks, options.berth, options.deploy / "helm" / "berth", options.deploy / "kubernetes", Path(name))
        check_compose(checks, options.berth, options.deploy / "compose", Path(name))
    print(json.dumps({"right": checks.right, "wrongCount": len(checks.wrong), "wrong": checks.wrong[:20]}))
    sys.exit(1 if checks.wrong else 0)


if __name__ == "__main__":
    main()
