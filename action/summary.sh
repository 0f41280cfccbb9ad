#!/usr/bin/env bash
# Prints the page of a run in Markdown: kvlint's own table of findings, and the way of each event as a picture.
# summary.sh KVLINT FOLDER-OF-REPORTS EXIT-CODE [SETTINGS…] -- PATHS…
# shellcheck disable=SC2016 # what stands in backticks is for readers
set -euo pipefail
kvlint=$1 temp=$2 code=$3
shift 3
settings=()
while [[ $1 != -- ]]; do
  settings+=("$1")
  shift
done

if [[ ! -f $temp/page.md ]]; then
  printf '### kvlint\n\nkvlint could not do its work (exit code %s): see the log of the step.\n' "$code"
  exit 0
fi
cat "$temp/page.md"

# GitHub draws no picture above 50,000 characters.
if "$kvlint" trace --color=never --format=mermaid ${settings[@]+"${settings[@]}"} "$@" >"$temp/picture" 2>/dev/null \
  && grep -q '^ *subgraph' "$temp/picture"; then
  printf '\n#### The way of each event\n\n'
  if [[ $(wc -c <"$temp/picture") -le 50000 ]]; then
    # A fence longer than any in the names.
    fence=$(awk 'BEGIN { most = 2 } { while (match($0, /`+/)) { if (RLENGTH > most) most = RLENGTH; $0 = substr($0, RSTART + RLENGTH) } }
      END { for (i = 0; i <= most; i++) printf "`" }' "$temp/picture")
    printf '%smermaid\n' "$fence"
    cat "$temp/picture"
    printf '%s\n' "$fence"
  else
    printf 'The picture is too large for this page: `kvlint trace --format svg` draws it.\n'
  fi
fi
