#!/usr/bin/env bash
# Prints the page of a run in Markdown: what was found, and the way of each event as a picture.
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

printf '## kvlint\n\n'
# Rows of findings beyond this are in the other reports; a page may hold 1 MiB.
limit=50
if [[ -f $temp/report.json ]]; then
  # Findings one a line; the exit code was decided before.
  "$kvlint" --color=never --format=concise --quiet --exit-zero ${settings[@]+"${settings[@]}"} "$@" >"$temp/lines" 2>/dev/null || true
  awk -v limit="$limit" -v special='&<>|*_[]~@#`\\!:"$' '
    # Names come from the repository: nothing in them is Markdown or HTML.
    BEGIN { for (i = 33; i < 127; i++) code[sprintf("%c", i)] = i }
    function text(s,  i, c, out) {
      for (i = 1; i <= length(s); i++) {
        c = substr(s, i, 1)
        out = out (index(special, c) ? "&#" code[c] ";" : c)
      }
      return out
    }
    {
      if (!match($0, /:[0-9]+:[0-9]+: (error|warning|info)\[[a-z0-9-]+\] /)) next
      place = substr($0, 1, RSTART - 1)
      head = substr($0, RSTART, RLENGTH)
      message = substr($0, RSTART + RLENGTH)
      split(head, parts, /[:\[\] ]+/)
      rows++
      if (rows == 1) print "| | where | what | rule |\n|---|---|---|---|"
      if (rows > limit) next
      rule = parts[5]
      link = "https://github.com/kvlint/kvlint/blob/main/rules/" rule ".md"
      printf "| %s | <code>%s:%s</code> | %s | [%s](%s) |\n", parts[4], text(place), parts[2], text(message), rule, link
    }
    END {
      if (rows > limit) printf "\n… and %d more.\n", rows - limit
      if (rows == 0) print "No findings."
    }' "$temp/lines"
else
  printf 'kvlint could not do its work (exit code %s): see the log of the step.\n' "$code"
  exit 0
fi

# The picture; GitHub draws none above 50,000 characters.
if "$kvlint" trace --color=never --format=mermaid ${settings[@]+"${settings[@]}"} "$@" >"$temp/picture" 2>/dev/null \
  && grep -q '^ *subgraph' "$temp/picture"; then
  printf '\n### The way of each event\n\n'
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
