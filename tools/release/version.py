#!/usr/bin/env python3
"""Sees to it that all files name one version.

    version.py           checks, and prints the version of Cargo.toml
    version.py 0.2.0     sets it everywhere; `cargo update --workspace` renews Cargo.lock after it
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# File, and the pattern around the version.
PLACES = [
    ("Cargo.toml", r'(?m)^(version = ")([^"]+)(")'),
    ("Cargo.toml", r'(kvlint-schema = \{ path = "schema", version = ")([^"]+)(")'),
    ("pyproject.toml", r'(?m)^(version = ")([^"]+)(")'),
    ("pyproject.toml", r'("kvlint-cli==)([^"]+)(")'),
    ("docs/ci.md", r"(rev: v)([0-9][^\s#]*)()"),
    ("docs/configuration.md", r"(such as `v)([0-9][^`]*)(`)"),
    ("docs/releasing.md", r"(packages\.py --version )(\S+)()"),
]


def main():
    wanted = sys.argv[1] if len(sys.argv) > 1 else None
    if wanted and not re.fullmatch(r"\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?", wanted):
        sys.exit(f"version.py: {wanted!r} is no version like 0.1.0")
    truth, wrong = None, []
    for name, pattern in PLACES:
        path = ROOT / name
        text = path.read_text()
        found = [m.group(2) for m in re.finditer(pattern, text)]
        if not found:
            sys.exit(f"version.py: {name} names no version where {pattern} stands")
        truth = truth or found[0]
        wrong += [f"{name} names {v}, and Cargo.toml {truth}" for v in found if v != truth]
        if wanted:
            path.write_text(re.sub(pattern, lambda m: m.group(1) + wanted + m.group(3), text))
    if wanted:
        print(wanted)
    elif wrong:
        sys.exit("version.py: " + "; ".join(wrong))
    else:
        print(truth)


if __name__ == "__main__":
    main()
