#!/usr/bin/env python3
"""Packs a binary as the archive of a release: kvlint-VERSION-TARGET.tar.gz with the binary, the licence and the README.

    archive.py --target x86_64-unknown-linux-musl --binary target/…/kvlint --out dist

The same binary gives the same bytes: no times, no owners, one order.
"""

import argparse
import gzip
import io
import subprocess
import sys
import tarfile
from pathlib import Path

import packages

ROOT = Path(__file__).resolve().parents[2]


def pack(version, target, binary, out):
    folder = f"kvlint-{version}-{target}"
    files = [
        (packages.binary_name(target), binary.read_bytes(), 0o755),
        ("LICENSE", (ROOT / "LICENSE").read_bytes(), 0o644),
        ("README.md", (ROOT / "README.md").read_bytes(), 0o644),
    ]
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content, mode in files:
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size, info.mode = len(content), mode
            tar.addfile(info, io.BytesIO(content))
    out.mkdir(parents=True, exist_ok=True)
    path = out / packages.archive_name(version, target)
    with open(path, "wb") as file, gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed:
        packed.write(data.getvalue())
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", required=True, choices=packages.TARGETS)
    parser.add_argument("--binary", required=True, type=Path)
    parser.add_argument("--out", required=True, type=Path)
    arguments = parser.parse_args()
    version = subprocess.run([sys.executable, ROOT / "tools/release/version.py"], check=True, capture_output=True, text=True)
    print(pack(version.stdout.strip(), arguments.target, arguments.binary, arguments.out))


if __name__ == "__main__":
    main()
