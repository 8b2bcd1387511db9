"""Writes man pages from what the program says of itself: berth --experimental-dump-help | manual.py VERSION FOLDER."""

import gzip
import json
import sys
from pathlib import Path


def escaped(text):
    """Text that groff prints as it is."""
    lines = text.replace("\\", "\\e").replace("-", "\\-").splitlines()
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line for line in lines)


def paragraphs(text):
    """A discussion: what is indented or in columns stays so."""
    blocks = []
    for block in text.split("\n\n"):
        isShaped = any(line.startswith(" ") or "   " in line for line in block.splitlines())
        blocks.append(f".nf\n{escaped(block)}\n.fi" if isShaped else escaped(block))
    return "\n.PP\n".join(blocks)


def name(each):
    return ("--" if each["kind"] == "long" else "-") + each["name"]


def term(argument):
    names = ", ".join(f"\\fB{escaped(name(each))}\\fR" for each in argument.get("names", []))
    value = f"\\fI{escaped(argument['valueName'])}\\fR"
    return value if not names else names if argument["kind"] == "flag" else f"{names} {value}"


def page(command, path, version):
    title = "\\-".join(escaped(word) for word in path)
    shown = [each for each in command.get("arguments", []) if each["shouldDisplay"] and each["valueName"] not in ("version", "help")]
    synopsis = "\\fIcommand\\fR" if command.get("subcommands") else " ".join(f"[{term(each)}]" if each["isOptional"] else term(each) for each in shown)
    subcommands = [each for each in command.get("subcommands", []) if each["shouldDisplay"] and each["commandName"] != "help"]
    parts = [
        f'.TH "{"-".join(path).upper()}" 1 "" "berth {version}"',
        f".SH NAME\n{title} \\- {escaped(command['abstract']).rstrip('.')}",
        f".SH SYNOPSIS\n\\fB{escaped(' '.join(path))}\\fR {synopsis}",
    ]
    if command.get("discussion"):
        parts.append(f".SH DESCRIPTION\n{paragraphs(command['discussion'])}")
    if shown:
        parts.append(".SH OPTIONS")
        for each in shown:
            default = f" The default is {each['defaultValue']}." if each.get("defaultValue") else ""
            parts.append(f".TP\n{term(each)}\n{escaped(each.get('abstract', '') + default)}")
    if subcommands:
        parts.append(".SH COMMANDS")
        for each in subcommands:
            parts.append(f".TP\n\\fB{escaped(' '.join(path + [each['commandName']]))}\\fR(1)\n{escaped(each['abstract'])}")
    parts.append(".SH FILES\n.TP\n\\fI/etc/berth/berth.toml\\fR\nThe configuration; every key with its default is in"
                 "\n\\fI/usr/share/doc/berth/examples/full.toml\\fR.")
    return "\n".join(parts) + "\n", subcommands


def main():
    version, folder = sys.argv[1], Path(sys.argv[2])

    def write(command, path):
        text, subcommands = page(command, path, version)
        (folder / f"{'-'.join(path)}.1.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
        for each in subcommands:
            write(each, path + [each["commandName"]])

    write(json.load(sys.stdin)["command"], ["berth"])


main()
