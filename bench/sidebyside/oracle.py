"""A great many calls of sessions through `berth-load`, which holds every answer against the truth."""

import os


def available(program):
    return os.access(program, os.X_OK)


def measure(program, chosen, machine, calls, progress, tolerate):
    return {}
