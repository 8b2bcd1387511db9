"""Berth, nginx and HAProxy side by side: the parts of bench/run."""
