#!/usr/bin/env bash
# Runs kvlint under strace and fails if it makes any system call of the network, or starts a program that it is not told to.
#
#     bash tools/check_no_network.sh target/debug/kvlint
set -euo pipefail

program=$(realpath "${1:?usage: check_no_network.sh PATH-OF-KVLINT}")
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT

command -v strace >/dev/null || { echo 'strace is not installed' >&2; exit 2; }

watched() {
  local expected=$1
  shift
  # A finding is no failure here: only what the process asked of the kernel counts. Without a PATH there is no helm and no git.
  strace -f -qq -E PATH=/nonexistent -e trace=%network,execve -o "$log" "$program" "$@" >/dev/null 2>&1 </dev/null || true
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

# kvlint itself is the one program that is started.
for format in text concise json sarif github; do
  watched 1 --format "$format" testdata/projects/policy-default-deny
done
watched 1 testdata/projects
watched 1 trace testdata/projects/policy-default-deny
watched 1 reach testdata/projects/policy-default-deny
watched 1 units testdata/projects
watched 1 build testdata/projects/overlays/overlays/prod
watched 1 explain endpoint-connects
watched 1 rules
