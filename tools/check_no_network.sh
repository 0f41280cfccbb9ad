#!/usr/bin/env bash
# Runs kvlint under strace and fails if it makes any system call of the network, or starts a program that it is not told to.
#
#     bash tools/check_no_network.sh target/debug/kvlint
set -euo pipefail

program=$(realpath "${1:?usage: check_no_network.sh PATH-OF-KVLINT}")
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
log=$work/log
input=/dev/null

command -v strace >/dev/null || { echo 'strace is not installed' >&2; exit 2; }
# Where a container forbids tracing, nothing can be said.
strace -o "$log" true 2>/dev/null || { echo 'strace may not trace here' >&2; exit 2; }

watched() {
  local expected=$1
  shift
  # A finding is no failure here: only what the process asked of the kernel counts. Without a PATH there is no helm and no git.
  strace -f -qq -E PATH=/nonexistent -e trace=%network,execve -o "$log" "$program" "$@" >"$work/out" 2>&1 <"$input" || true
  # A command line that is not understood would pass for the wrong reason.
  if grep -E '^error: (unexpected|unrecognized|the following|invalid)' "$work/out" >&2; then
    echo "kvlint $* is not understood" >&2
    exit 1
  fi
  # A thread that ends with the process may leave a line without a call.
  if grep -vE 'execve\(|\?\?\?\(' "$log"; then
    echo "kvlint $* asked for the network" >&2
    exit 1
  fi
  local started
  started=$(grep -c 'execve(.*= 0' "$log" || true)
  if [ "$started" -ne "$expected" ]; then
    grep 'execve(' "$log" >&2
    echo "kvlint $* started $((started - 1)) programs, not $((expected - 1))" >&2
    exit 1
  fi
  echo "no socket, $((started - 1)) programs: kvlint $*"
}

# One message of the language server's protocol.
message() { printf 'Content-Length: %d\r\n\r\n%s' "${#1}" "$1"; }

session() {
  local file=$1
  message '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"processId":null,"rootUri":null,"capabilities":{}}}'
  message '{"jsonrpc":"2.0","method":"initialized","params":{}}'
  message "{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/didOpen\",\"params\":{\"textDocument\":{\"uri\":\"file://$file\",\"languageId\":\"yaml\",\"version\":1,\"text\":\"apiVersion: v1\\nkind: Pod\\nmetadata: {name: a}\\n\"}}}"
  message "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"textDocument/hover\",\"params\":{\"textDocument\":{\"uri\":\"file://$file\"},\"position\":{\"line\":1,\"character\":2}}}"
  message '{"jsonrpc":"2.0","id":3,"method":"shutdown"}'
  message '{"jsonrpc":"2.0","method":"exit"}'
}

project=testdata/projects/policy-default-deny
# kvlint itself is the one program that is started.
for format in text concise json sarif github gitlab junit markdown; do
  watched 1 --format "$format" "$project"
done
watched 1 testdata/projects
watched 1 --whole-unit testdata/projects/overlays/overlays/prod/kustomization.yaml
watched 1 --diff --unsafe-fixes "$project"
for format in text json markdown mermaid dot svg; do
  watched 1 trace --format "$format" "$project"
done
watched 1 reach --explain "$project"
watched 1 units testdata/projects
watched 1 build testdata/projects/overlays/overlays/prod
watched 1 explain endpoint-connects
watched 1 rules
watched 1 completions bash
watched 1 enable --all --dry-run "$project"
watched 1 enable --all --dry-run --as kubectl "$project"
watched 1 disable --all --dry-run "$project"

# What writes, on a copy.
cp -R testdata/samples "$work/copy"
watched 1 --baseline "$work/baseline.json" --write-baseline "$work/copy"
watched 1 --baseline "$work/baseline.json" "$work/copy"
watched 1 disable --all "$work/copy"
watched 1 --fix --unsafe-fixes "$work/copy"

# What reads standard input. A manifest names addresses that nobody asks.
printf 'resources: [https://127.0.0.1:1/base, "git::https://127.0.0.1:1/x?ref=y", ssh://127.0.0.1/z]\n' >"$work/copy/kustomization.yaml"
watched 1 build "$work/copy"
watched 1 --format concise "$work/copy"
input=testdata/samples/$(cd testdata/samples && find . -name '*.yaml' | LC_ALL=C sort | head -n 1)
watched 1 -
session "$work/copy/pod.yaml" >"$work/session"
input=$work/session
watched 1 lsp
grep -q '"id":2' "$work/out" || { echo 'the language server did not answer' >&2; exit 1; }
