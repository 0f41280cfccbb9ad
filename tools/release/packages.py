#!/usr/bin/env python3
"""Makes the packages of a release from its archives.

    packages.py --version 0.1.0 --archives dist --out packages

`dist` holds kvlint-VERSION-TARGET.tar.gz for the targets of TARGETS (`--allow-missing` for a part of them), each with one folder
of the archive's name and the binary in it. `packages` gets

    SHA256SUMS          of the archives, as `sha256sum --check` reads it
    checksums.txt       the same lines for action/checksums.txt, for the targets that runners have
    npm/NN-….tgz        a package for each platform and one that picks among them, in the order of `npm publish`. They are packed here,
                        because a workflow's artifacts keep no modes, and a binary that can't be executed would be published
    krew/kvlint.yaml    the manifest of the kubectl plugin
    homebrew/kvlint.rb  a formula

Nothing is downloaded and nothing published. The same archives give the same bytes.
"""

import argparse
import gzip
import hashlib
import io
import json
import re
import shutil
import sys
import tarfile
from pathlib import Path

REPOSITORY = "https://github.com/kvlint/kvlint"
SUMMARY = "Finds the broken link between vLLM's KV-cache events and the gateway that should hear them, before deployment"

# Rust's target; npm's os and cpu, which are also krew's with Go's name for the processor.
TARGETS = {
    "x86_64-unknown-linux-musl": ("linux", "x64"),
    "aarch64-unknown-linux-musl": ("linux", "arm64"),
    "x86_64-apple-darwin": ("darwin", "x64"),
    "aarch64-apple-darwin": ("darwin", "arm64"),
    "x86_64-pc-windows-msvc": ("win32", "x64"),
}
GO_ARCH = {"x64": "amd64", "arm64": "arm64"}


class Mistake(Exception):
    """Something about the archives is not as it must be; the message says what."""


def archive_name(version, target):
    return f"kvlint-{version}-{target}.tar.gz"


def binary_name(target):
    return "kvlint.exe" if "windows" in target else "kvlint"


def read_binary(archive, version, target):
    """The bytes of the one binary; everything else in the archive must be a plain file beside it."""
    folder = f"kvlint-{version}-{target}"
    wanted = f"{folder}/{binary_name(target)}"
    found, licence = None, False
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            inside = member.name == folder or member.name.startswith(folder + "/")
            if not inside or ".." in member.name.split("/") or not (member.isfile() or member.isdir()):
                raise Mistake(f"{archive.name}: {member.name!r} is no plain file in {folder}/")
            if member.name == wanted:
                found = tar.extractfile(member).read()
            licence |= member.name == f"{folder}/LICENSE"
    if not found or not licence:
        raise Mistake(f"{archive.name}: there is no {wanted}" if not found else f"{archive.name}: there is no LICENSE")
    return found


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)


def dump(value):
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def npm_package(name, version, extra):
    base = {
        "name": name,
        "version": version,
        "description": SUMMARY,
        "license": "Apache-2.0",
        "repository": {"type": "git", "url": f"git+{REPOSITORY}.git"},
        "homepage": REPOSITORY,
    }
    return dump(base | extra)


# Node finds the binary of the one platform package that npm installed, and stands aside.
LAUNCHER = """#!/usr/bin/env node
"use strict";
const { spawnSync } = require("node:child_process");
const name = `@kvlint/${process.platform}-${process.arch}`;
const file = process.platform === "win32" ? "kvlint.exe" : "kvlint";
let binary;
try {
  binary = require.resolve(`${name}/bin/${file}`);
} catch {
  console.error(
    `kvlint: the package ${name} is not installed. Either npm was told to leave optional packages out, or there is no ` +
      "release for this platform: `cargo install kvlint` builds it.",
  );
  process.exit(2);
}
const { status, signal, error } = spawnSync(binary, process.argv.slice(2), { stdio: "inherit" });
if (error) {
  console.error(`kvlint: ${error.message}`);
  process.exit(2);
}
if (signal) process.kill(process.pid, signal);
process.exit(status ?? 2);
"""


def tarball(files):
    """A package as npm packs it: everything below `package/`. No times, no owners, one order: the same files give the same bytes."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, (content, mode) in files.items():
            content = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(f"package/{name}")
            info.size, info.mode = len(content), mode
            tar.addfile(info, io.BytesIO(content))
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=packed, mode="wb", mtime=0) as file:
        file.write(data.getvalue())
    return packed.getvalue()


def npm_name(number, package, version):
    return f"{number:02}-{package}-{version}.tgz"


def write_npm(out, version, binaries, license_text):
    for number, (target, binary) in enumerate(binaries.items(), 1):
        system, cpu = TARGETS[target]
        name = f"@kvlint/{system}-{cpu}"
        extra = {"os": [system], "cpu": [cpu], "files": ["bin/"], "preferUnplugged": True}
        readme = f"# {name}\n\nThe binary of [kvlint]({REPOSITORY}) for {system} on {cpu}. Install `kvlint`.\n"
        files = {
            "package.json": (npm_package(name, version, extra), 0o644),
            "README.md": (readme, 0o644),
            "LICENSE": (license_text, 0o644),
            f"bin/{binary_name(target)}": (binary, 0o755),
        }
        write(out / npm_name(number, f"{system}-{cpu}", version), tarball(files))
    optional = {f"@kvlint/{'-'.join(TARGETS[t])}": version for t in binaries}
    extra = {
        "bin": {"kvlint": "bin/kvlint.js"},
        "files": ["bin/"],
        "engines": {"node": ">=18"},
        "keywords": ["kubernetes", "vllm", "linter", "yaml"],
        "optionalDependencies": optional,
    }
    readme = f"# kvlint\n\n{SUMMARY}.\n\n```sh\nnpx kvlint deploy/\n```\n\nThe guide is at <{REPOSITORY}>.\n"
    files = {
        "package.json": (npm_package("kvlint", version, extra), 0o644),
        "README.md": (readme, 0o644),
        "LICENSE": (license_text, 0o644),
        "bin/kvlint.js": (LAUNCHER, 0o755),
    }
    # Behind all platforms: it asks for them.
    write(out / npm_name(len(TARGETS) + 1, "kvlint", version), tarball(files))


def url(version, target):
    return f"{REPOSITORY}/releases/download/v{version}/{archive_name(version, target)}"


def krew(version, sums):
    """A plugin's manifest: https://krew.sigs.k8s.io/docs/developer-guide/plugin-manifest/"""
    lines = [
        "apiVersion: krew.googlecontainertools.github.com/v1alpha2",
        "kind: Plugin",
        "metadata:",
        "  name: kvlint",
        "spec:",
        f"  version: v{version}",
        f"  homepage: {REPOSITORY}",
        "  shortDescription: Lint manifests for vLLM's KV-cache events",
        "  description: |",
        "    Reads Kubernetes manifests, Helm charts and Kustomize trees and tells, before",
        "    anything is deployed, whether vLLM's KV-cache events will reach the gateway",
        "    that should hear them. It needs no cluster.",
        "  platforms:",
    ]
    for target, digest in sums.items():
        system, cpu = TARGETS[target]
        binary = binary_name(target)
        lines += [
            "    - selector:",
            "        matchLabels:",
            f"          os: {'windows' if system == 'win32' else system}",
            f"          arch: {GO_ARCH[cpu]}",
            f"      uri: {url(version, target)}",
            f"      sha256: {digest}",
            "      files:",
            f"        - from: kvlint-{version}-{target}/{binary}",
            "          to: .",
            f"        - from: kvlint-{version}-{target}/LICENSE",
            "          to: .",
            f"      bin: {binary}",
        ]
    return "\n".join(lines) + "\n"


def homebrew(version, sums):
    def block(system, cpu, arch):
        target = next((t for t in sums if TARGETS[t] == (system, cpu)), None)
        if target is None:
            return []
        return [f"    {arch} do", f'      url "{url(version, target)}"', f'      sha256 "{sums[target]}"', "    end"]

    lines = ["class Kvlint < Formula", '  desc "Lint Kubernetes manifests for the KV-cache events of vLLM"']
    lines += [f'  homepage "{REPOSITORY}"', '  license "Apache-2.0"']
    for name, system in (("on_macos", "darwin"), ("on_linux", "linux")):
        inner = block(system, "x64", "on_intel") + block(system, "arm64", "on_arm")
        if inner:
            lines += ["", f"  {name} do", *inner, "  end"]
    lines += ["", "  def install", '    bin.install "kvlint"', "  end", "", "  test do"]
    lines += ['    assert_match version.to_s, shell_output("#{bin}/kvlint --version")', "  end", "end"]
    return "\n".join(lines) + "\n"


def make(version, archives, out, allow_missing=False, license_file=None):
    if not re.fullmatch(r"\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?", version):
        raise Mistake(f"{version!r} is no version like 0.1.0")
    sums, binaries = {}, {}
    for target in TARGETS:
        archive = archives / archive_name(version, target)
        if not archive.is_file():
            if allow_missing:
                continue
            raise Mistake(f"there is no {archive}")
        sums[target] = hashlib.sha256(archive.read_bytes()).hexdigest()
        binaries[target] = read_binary(archive, version, target)
    if not sums:
        raise Mistake(f"there is no archive of kvlint {version} in {archives}")
    strangers = sorted(p.name for p in archives.glob("*.tar.gz") if p.name not in {archive_name(version, t) for t in TARGETS})
    if strangers:
        raise Mistake(f"{strangers[0]} is no archive of kvlint {version}")
    license_file = license_file or Path(__file__).resolve().parents[2] / "LICENSE"
    if out.exists():
        shutil.rmtree(out)
    lines = "".join(f"{digest}  {archive_name(version, target)}\n" for target, digest in sums.items())
    write(out / "SHA256SUMS", lines)
    write(out / "checksums.txt", lines)
    write_npm(out / "npm", version, binaries, license_file.read_text())
    write(out / "krew" / "kvlint.yaml", krew(version, sums))
    write(out / "homebrew" / "kvlint.rb", homebrew(version, sums))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version", required=True)
    parser.add_argument("--archives", required=True, type=Path)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--allow-missing", action="store_true", help="make packages of the targets that are there")
    arguments = parser.parse_args()
    try:
        make(arguments.version, arguments.archives, arguments.out, arguments.allow_missing)
    except (Mistake, OSError, tarfile.TarError) as e:
        sys.exit(f"packages.py: {e}")


if __name__ == "__main__":
    main()
