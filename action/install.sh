#!/usr/bin/env bash
# Prints the path of a kvlint: the one on the PATH, else a release that is in checksums.txt, kept in the runner's tool cache.
# Nothing is run or unpacked whose sum is not in the table.
# shellcheck disable=SC2016 # what stands in backticks is for readers
set -euo pipefail

fail() {
  printf '::error title=kvlint::%s\n' "$1" >&2
  exit 2
}

if found=$(command -v kvlint); then
  printf '%s\n' "$found"
  exit 0
fi

table=$(dirname "${BASH_SOURCE[0]}")/checksums.txt
version=${INPUT_VERSION:-}
if [[ -z $version ]]; then
  # Lines: sum, two spaces, kvlint-VERSION-TARGET.tar.gz
  version=$(sed -nE 's/^[0-9a-f]{64}  kvlint-([0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?)-(x86_64|aarch64)-.*/\1/p' "$table" | tail -n 1)
  [[ -n $version ]] || fail 'no kvlint is on the PATH, and this version of the Action knows no release: install kvlint in a step before'
fi
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ ]] || fail 'the input `version` is not like 0.1.0'

case "${RUNNER_OS:-}-${RUNNER_ARCH:-}" in
  Linux-X64) target=x86_64-unknown-linux-musl ;;
  Linux-ARM64) target=aarch64-unknown-linux-musl ;;
  macOS-X64) target=x86_64-apple-darwin ;;
  macOS-ARM64) target=aarch64-apple-darwin ;;
  Windows-X64) target=x86_64-pc-windows-msvc ;;
  *) fail 'there is no release for this kind of runner: install kvlint in a step before (cargo install kvlint)' ;;
esac

archive=kvlint-$version-$target.tar.gz
sum=$(awk -v name="$archive" '$2 == name { print $1 }' "$table")
[[ $sum =~ ^[0-9a-f]{64}$ ]] || fail "kvlint $version for $target is not in the Action's table of checksums: use a newer version of the Action"

binary=kvlint
arch=$(tr '[:upper:]' '[:lower:]' <<<"$RUNNER_ARCH")
[[ $target == *windows* ]] && binary=kvlint.exe
folder=${RUNNER_TOOL_CACHE:-$RUNNER_TEMP}/kvlint/$version/$arch
# The runner's own convention: the mark says that the folder is whole.
if [[ ! -f $folder.complete || ! -x $folder/$binary ]]; then
  work=$(mktemp -d "$RUNNER_TEMP/kvlint.XXXXXX")
  url=https://github.com/kvlint/kvlint/releases/download/v$version/$archive
  curl --proto '=https' --tlsv1.2 --fail --silent --show-error --location --retry 3 --output "$work/$archive" -- "$url" >&2 \
    || fail "can't download kvlint $version"
  if command -v sha256sum >/dev/null; then
    real=$(sha256sum "$work/$archive")
  else
    real=$(shasum -a 256 "$work/$archive")
  fi
  [[ ${real%% *} == "$sum" ]] || fail "the archive of kvlint $version is not the one that was released: its SHA-256 differs from the table"
  # Inside the folder: to some tars `D:` is the name of a machine.
  (cd "$work" && tar -xzf "$archive")
  mkdir -p "$folder"
  mv -f "$work/kvlint-$version-$target/$binary" "$folder/$binary"
  chmod +x "$folder/$binary"
  : >"$folder.complete"
  rm -rf "$work"
fi
printf '%s\n' "$folder/$binary"
