#!/usr/bin/env python3
# /// script
# requires-python = ">=3.10"
# dependencies = ["pyyaml>=6"]
# ///
"""Re-derives vLLM's flags, variables and KV-event settings from its released sources, and shows what the tables say otherwise.

    python3 tools/refresh_vllm_facts.py                   # every release from 0.6.6 on
    python3 tools/refresh_vllm_facts.py --since 0.30.0    # only later ones
    python3 tools/refresh_vllm_facts.py --list            # print what was derived

Each source distribution is fetched from PyPI once (about 10 to 30 MB), only the files named in FILES are kept in --cache,
and none of the code is run: it is read as a syntax tree. The exit code is 0 where the tables under src/facts/ agree, 1 where they
differ, and 2 where a release could not be read. Nothing is written into the tables: a row also says how it is known, and that is
for a person to decide.
"""

import argparse
import ast
import hashlib
import html.parser
import io
import json
import pathlib
import re
import sys
import tarfile
import urllib.parse
import urllib.request

import yaml

INDEX = "https://pypi.org/simple/vllm/"
FACTS = pathlib.Path(__file__).resolve().parent.parent / "src" / "facts"
# What is read of each release. Some of them came later or went away.
FILES = re.compile(
    r"^vllm-[^/]+/vllm/(envs\.py|config\.py|config/.*\.py|engine/arg_utils\.py|entrypoints/.*\.py|(utils|scripts)\.py"
    r"|utils/(__init__|argparse_utils)\.py|distributed/kv_events\.py)$"
)
# Bumped when FILES changes, so that an old cache is not taken for a new one.
CACHE_FORMAT = 3


class Links(html.parser.HTMLParser):
    """The source distributions that a package index lists."""

    def __init__(self):
        super().__init__()
        self.found = {}

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag != "a" or "data-yanked" in attrs or not attrs.get("href"):
            return
        url, _, digest = attrs["href"].partition("#sha256=")
        name = urllib.parse.unquote(url.rsplit("/", 1)[-1])
        match = re.fullmatch(r"vllm-(\d+(?:\.\d+)+(?:\.post\d+)?)\.tar\.gz", name)
        if match:
            self.found[match[1]] = (urllib.parse.urljoin(INDEX, url), digest)


def order(release):
    """Releases as Python orders them: 0.9.0 < 0.9.0.post1 < 0.9.0.1 < 0.9.1."""
    number, _, post = release.partition(".post")
    parts = [int(p) for p in number.split(".")]
    return (*(parts + [0] * 4)[:4], int(post or 0))


def inside(release, text):
    """Whether a range as the tables write it (`0.9.0..=0.11.0`, `..=0.9.1`, `=0.9.0`, `..`) holds the release."""
    if text.startswith("="):
        return order(release) == order(text[1:])
    since, _, until = text.partition("..")
    until = until.removeprefix("=")
    return (not since or order(since) <= order(release)) and (not until or order(release) <= order(until))


def fetch(url):
    with urllib.request.urlopen(url, timeout=180) as answer:
        return answer.read()


def sources(release, url, digest, cache):
    """The files of a release by their path below vllm/."""
    kept = cache / f"vllm-{release}.{CACHE_FORMAT}.json"
    if kept.exists():
        return json.loads(kept.read_text())
    packed = fetch(url)
    if digest and hashlib.sha256(packed).hexdigest() != digest:
        raise ValueError(f"{url} is not what the index says: its SHA-256 differs")
    files = {}
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
        for member in archive:
            if member.isfile() and FILES.match(member.name):
                text = archive.extractfile(member).read().decode()
                files[member.name.split("/vllm/", 1)[1]] = text
    kept.write_text(json.dumps(files))
    return files


def literals(node):
    """The choices of a `Literal[…]`, or nothing."""
    for part in ast.walk(node):
        if isinstance(part, ast.Subscript) and isinstance(part.value, ast.Name) and part.value.id == "Literal":
            inner = part.slice.elts if isinstance(part.slice, ast.Tuple) else [part.slice]
            return [c.value for c in inner if isinstance(c, ast.Constant)]
    return []


def switch(call):
    """How many values the flag of an `add_argument` call takes, where that can be told."""
    given = {k.arg: k.value for k in call.keywords}
    action = given.get("action")
    if isinstance(action, ast.Constant) and action.value in ("store_true", "store_false"):
        return "none"
    if "nargs" in given and isinstance(given["nargs"], ast.Constant):
        return {"?": "optional", "+": "many", "*": "many"}.get(given["nargs"].value)
    return None


def derive(files):
    """Facts of one release."""
    facts = {"flags": {}, "env": set(), "fields": {}, "literals": {}, "array_like": None}
    for path, text in sorted(files.items()):
        tree = ast.parse(text, path)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", None) == "add_argument":
                for argument in node.args:
                    if isinstance(argument, ast.Constant) and str(argument.value).startswith("--"):
                        facts["flags"].setdefault(argument.value.replace("_", "-"), (path, node.lineno, switch(node)))
            if path == "envs.py" and isinstance(node, (ast.AnnAssign, ast.Assign)):
                targets = [node.target] if isinstance(node, ast.AnnAssign) else node.targets
                named = any(isinstance(t, ast.Name) and t.id == "environment_variables" for t in targets)
                if named and isinstance(node.value, ast.Dict):
                    facts["env"] |= {k.value for k in node.value.keys if isinstance(k, ast.Constant)}
            if isinstance(node, ast.ClassDef) and node.name.endswith("FrontendArgs"):
                # Since 0.10.0 each field of these classes is a flag of the server.
                for item in node.body:
                    if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                        flag = "--" + item.target.id.replace("_", "-")
                        facts["flags"].setdefault(flag, (path, item.lineno, None))
            if isinstance(node, ast.ClassDef) and node.name == "KVEventsConfig":
                for item in node.body:
                    if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                        facts["fields"][item.target.id] = ast.unparse(item.value) if item.value else None
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                choices = literals(node.value)
                if choices:
                    facts["literals"].setdefault(node.targets[0].id, choices)
            if isinstance(node, ast.ClassDef) and node.name == "KVCacheEvent":
                keywords = {k.arg: ast.unparse(k.value) for k in node.keywords}
                facts["array_like"] = keywords.get("array_like") == "True"
    return facts


def twins(flag):
    """The flags whose negative this may be: `--no-x` of `--x`, and either of `--enable-x` and `--disable-x` of the other."""
    for start, other in (("--no-", "--"), ("--disable-", "--enable-"), ("--enable-", "--disable-")):
        if flag.startswith(start):
            yield other + flag.removeprefix(start)


class Report:
    """Collects differences between table and release, one line for each run of releases."""

    def __init__(self):
        self.rows = {}

    def add(self, what, release):
        self.rows.setdefault(what, []).append(release)

    def print(self, releases):
        for what, found in sorted(self.rows.items()):
            print(f"  {what}: {spans(found, releases)}")


def spans(found, releases):
    """`0.9.0..=0.11.0, 0.13.0` for a list of releases."""
    texts, start, last = [], None, None
    for release in [*releases, None]:
        if release in found:
            start, last = start or release, release
        elif start:
            texts.append(start if start == last else f"{start}..={last}")
            start = None
    return ", ".join(texts)


def compare(tables, derived, report):
    """What the tables say of each release against what the release holds."""
    cli, events, vllm = tables
    for release, facts in derived.items():
        for row in cli["flags"]:
            said, there = inside(release, row["releases"]), row["name"] in facts["flags"]
            # The negative of a boolean flag is made by argparse and stands in no source.
            there = there or (said and any(twin in facts["flags"] for twin in twins(row["name"])))
            if said != there:
                report.add(f"{row['name']} ({row['releases']}) is {'not ' if said else ''}there in", release)
        for row in cli["documented"]:
            if row["name"] in facts["flags"]:
                report.add(f"{row['name']} is said to be in no release and is in", release)
        for row in vllm["env"]["known"]:
            if not row["name"].startswith("VLLM_"):
                continue
            said, there = inside(release, row["releases"]), row["name"] in facts["env"]
            if said != there:
                report.add(f"{row['name']} ({row['releases']}) is {'not ' if said else ''}read in", release)
        for row in vllm["env"]["documented"]:
            if row["name"] in facts["env"]:
                report.add(f"{row['name']} is said to be read by no release and is read in", release)
        known = {row["key"] for row in events["fields"]}
        if facts["fields"]:
            for key in sorted(known ^ set(facts["fields"])):
                report.add(f"KVEventsConfig.{key} is {'missing' if key in known else 'new'} in", release)
            for row in events["fields"]:
                wanted = row.get("default", "None" if row.get("nullable") else None)
                actual = facts["fields"].get(row["key"])
                if wanted is None or actual is None:
                    continue
                bare = actual.strip("'\"").replace("_", "")
                if bare.lower() != wanted.lower() and not actual.startswith("field("):
                    report.add(f"KVEventsConfig.{row['key']} defaults to {actual}, not {wanted!r}, in", release)
        encodings = {row["value"] for row in events["wire"]["event_encoding"] if inside(release, row["releases"])}
        if facts["array_like"] is not None and encodings:
            actual = "array" if facts["array_like"] else "map"
            if encodings != {actual}:
                report.add(f"an event is encoded as {actual}, not {'/'.join(encodings)}, in", release)
        for key, name in (("block_sizes", "BlockSize"), ("hash_algorithms", "PrefixCachingHashAlgo")):
            rows = [row for row in vllm[key] if inside(release, row["releases"])]
            actual = facts["literals"].get(name)
            if rows and actual is not None and sorted(map(str, rows[0]["values"])) != sorted(map(str, actual)):
                report.add(f"{name} is {actual}, not {rows[0]['values']}, in", release)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--since", default="0.6.6", metavar="RELEASE", help="the first release to look at")
    options.add_argument("--cache", type=pathlib.Path, default=pathlib.Path.home() / ".cache" / "kvlint-facts", metavar="DIR")
    options.add_argument("--list", action="store_true", help="print where each flag of the tables was found")
    given = options.parse_args()
    given.cache.mkdir(parents=True, exist_ok=True)
    links = Links()
    links.feed(fetch(INDEX).decode())
    # 6.0.3 was an upload by mistake; the newest real release starts with 0.
    wanted = [r for r in links.found if r.startswith("0.") and order(r) >= order(given.since)]
    releases = sorted(wanted, key=order)
    if not releases:
        print(f"no source distribution of {given.since} or later on {INDEX}", file=sys.stderr)
        return 2
    derived, broken = {}, 0
    for release in releases:
        try:
            derived[release] = derive(sources(release, *links.found[release], given.cache))
        except (OSError, ValueError, SyntaxError, tarfile.TarError) as error:
            print(f"vLLM {release}: {error}", file=sys.stderr)
            broken += 1
    tables = [yaml.safe_load((FACTS / f"{name}.yaml").read_text()) for name in ("vllm_cli", "vllm_events", "vllm")]
    report = Report()
    compare(tables, derived, report)
    print(f"{len(derived)} releases, {releases[0]} to {releases[-1]}")
    if given.list:
        for row in tables[0]["flags"]:
            there = [r for r, facts in derived.items() if row["name"] in facts["flags"]]
            values = sorted({facts["flags"][row["name"]][2] or "?" for facts in derived.values() if row["name"] in facts["flags"]})
            print(f"  {row['name']}: {spans(there, list(derived)) or 'nowhere'} ({', '.join(values)})")
    if report.rows:
        print("the tables differ from the releases:")
        report.print(list(derived))
    else:
        print("the tables agree")
    return 2 if broken else 1 if report.rows else 0


if __name__ == "__main__":
    sys.exit(main())
