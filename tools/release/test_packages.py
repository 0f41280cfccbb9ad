"""Packages made from archives that hold a script in the binary's place: python3 -m unittest discover tools/release"""

import io
import json
import os
import platform
import re
import shutil
import subprocess
import tarfile
import tempfile
import unittest
from pathlib import Path

import packages

VERSION = "0.1.0"
SCRIPT = b'#!/bin/sh\nprintf "%s\\n" "kvlint of the archive" "$@"\nexit 1\n'


def archive(folder, version, target, files=None):
    base = f"kvlint-{version}-{target}"
    files = files or {packages.binary_name(target): SCRIPT, "LICENSE": b"licence\n"}
    with tarfile.open(folder / packages.archive_name(version, target), "w:gz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(f"{base}/{name}")
            info.size, info.mode = len(data), 0o755
            tar.addfile(info, io.BytesIO(data))


class Packages(unittest.TestCase):
    def setUp(self):
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        self.top = Path(work.name)
        self.archives, self.out = self.top / "dist", self.top / "out"
        self.archives.mkdir()

    def all(self):
        for target in packages.TARGETS:
            archive(self.archives, VERSION, target)

    def test_sums_are_those_of_the_archives(self):
        self.all()
        packages.make(VERSION, self.archives, self.out)
        checked = subprocess.run(["sha256sum", "--check", "--quiet", str(self.out / "SHA256SUMS")], cwd=self.archives)
        self.assertEqual(checked.returncode, 0)
        # The Action's own pattern finds the version in its table.
        script = (Path(packages.__file__).parents[2] / "action" / "install.sh").read_text()
        pattern = re.search(r"version=\$\(sed -nE '(.*)' \"\$table\"", script).group(1)
        found = subprocess.run(["sed", "-nE", pattern, str(self.out / "checksums.txt")], capture_output=True, text=True)
        self.assertEqual(set(found.stdout.split()), {VERSION})

    def test_the_same_archives_give_the_same_bytes(self):
        self.all()
        seen = []
        for _ in range(2):
            packages.make(VERSION, self.archives, self.out)
            files = sorted(p for p in self.out.rglob("*") if p.is_file())
            seen.append([(p.relative_to(self.out), p.read_bytes(), p.stat().st_mode) for p in files])
        self.assertEqual(seen[0], seen[1])

    def test_what_is_not_as_it_must_be_is_told(self):
        with self.assertRaisesRegex(packages.Mistake, "there is no .*x86_64-unknown-linux-musl"):
            packages.make(VERSION, self.archives, self.out)
        with self.assertRaisesRegex(packages.Mistake, "no archive of kvlint 0.1.0 in"):
            packages.make(VERSION, self.archives, self.out, allow_missing=True)
        with self.assertRaisesRegex(packages.Mistake, "no version"):
            packages.make("v1", self.archives, self.out)
        target = "x86_64-unknown-linux-musl"
        archive(self.archives, VERSION, target, {"other": b"x"})
        with self.assertRaisesRegex(packages.Mistake, "there is no kvlint-0.1.0-.*/kvlint"):
            packages.make(VERSION, self.archives, self.out, allow_missing=True)
        archive(self.archives, VERSION, target, {"kvlint": b"x", "../../evil": b"x"})
        with self.assertRaisesRegex(packages.Mistake, "is no plain file in"):
            packages.make(VERSION, self.archives, self.out, allow_missing=True)
        archive(self.archives, VERSION, target)
        archive(self.archives, "0.0.9", target)
        with self.assertRaisesRegex(packages.Mistake, "0.0.9.* is no archive of kvlint 0.1.0"):
            packages.make(VERSION, self.archives, self.out, allow_missing=True)

    def test_npm_packages_keep_their_modes_and_are_published_in_order(self):
        self.all()
        packages.make(VERSION, self.archives, self.out)
        tarballs = sorted((self.out / "npm").iterdir())
        names = []
        for path in tarballs:
            with tarfile.open(path) as tar:
                modes = {m.name: m.mode for m in tar}
                names.append(json.load(tar.extractfile("package/package.json"))["name"])
            program = next(name for name in modes if name.startswith("package/bin/"))
            self.assertEqual({name: mode for name, mode in modes.items() if mode != 0o644}, {program: 0o755}, path)
        # npm refuses a package whose others are not there yet.
        self.assertEqual((len(names), names[-1]), (len(packages.TARGETS) + 1, "kvlint"))
        # The workflow publishes exactly these.
        workflow = (Path(packages.__file__).parents[2] / ".github/workflows/release.yml").read_text()
        self.assertIn("for package in packages/npm/*.tgz; do", workflow)

    def test_npm_installs_the_package_of_this_platform(self):
        if not shutil.which("npm"):
            self.skipTest("npm is not installed")
        machine = {"x86_64": "x64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
        this = f"{platform.system().lower()}-{machine}"
        self.all()
        packages.make(VERSION, self.archives, self.out)
        npm = {**os.environ, "npm_config_update_notifier": "false", "npm_config_audit": "false", "npm_config_fund": "false"}
        # What becomes of files on their way through a workflow's artifacts.
        for path in self.out.rglob("*"):
            if path.is_file():
                path.chmod(0o644)
        tarballs = [str(next((self.out / "npm").glob(f"*-{name}-{VERSION}.tgz"))) for name in (this, "kvlint")]
        # Nothing is published, so npm gets no registry; packages of other platforms are optional, and left out.
        project = self.top / "project"
        project.mkdir()
        (project / "package.json").write_text("{}")
        install = ["npm", "install", "--registry", "http://127.0.0.1:9", "--fetch-retries", "0", *tarballs]
        installed = subprocess.run(install, cwd=project, capture_output=True, text=True, env=npm)
        self.assertEqual(installed.returncode, 0, installed.stderr)
        command = [str(project / "node_modules" / ".bin" / "kvlint"), "a b", "$(x)"]
        ran = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual((ran.returncode, ran.stdout), (1, "kvlint of the archive\na b\n$(x)\n"), ran.stderr)
        shutil.rmtree(project / "node_modules" / "@kvlint")
        ran = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(ran.returncode, 2)
        self.assertIn("is not installed", ran.stderr)

    def test_krew_and_homebrew_name_what_is_in_the_archives(self):
        self.all()
        packages.make(VERSION, self.archives, self.out)
        manifest = (self.out / "krew" / "kvlint.yaml").read_text()
        formula = (self.out / "homebrew" / "kvlint.rb").read_text()
        sums = [line.split()[0] for line in (self.out / "SHA256SUMS").read_text().splitlines()]
        self.assertEqual(re.findall(r"sha256: (\w+)", manifest), sums)
        self.assertTrue(set(re.findall(r'sha256 "(\w+)"', formula)) < set(sums))
        for target in packages.TARGETS:
            with tarfile.open(self.archives / packages.archive_name(VERSION, target)) as tar:
                names = tar.getnames()
            block = manifest[manifest.index(target) :]
            for name in re.findall(r"- from: (\S+)", block)[:2]:
                self.assertIn(name, names)
        if shutil.which("ruby"):
            self.assertEqual(subprocess.run(["ruby", "-c", str(self.out / "homebrew" / "kvlint.rb")]).returncode, 0)


if __name__ == "__main__":
    unittest.main()
