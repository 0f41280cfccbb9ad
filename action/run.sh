#!/usr/bin/env bash
# The Action's work: find kvlint, lint, and write annotations, SARIF, outputs and the summary. Inputs are variables INPUT_…; the rest
# is what a runner sets. It ends with 0 once the reports are written, whatever was found, so that steps after it can use them: the
# verdict is the output `exit-code`.
# shellcheck disable=SC2016 # what stands in backticks is for readers
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# Names and inputs come from whoever opened the pull request. A line of ours starts with a word of ours and holds no line break, so
# that nothing in it is taken for a command of the runner.
line() {
  local text=$1
  text=${text//'%'/%25}
  text=${text//$'\r'/%0D}
  text=${text//$'\n'/%0A}
  printf '%s' "$text"
}
fail() {
  printf '::error title=kvlint::%s\n' "$(line "$1")"
  exit 2
}
warn() { printf '::warning title=kvlint::%s\n' "$(line "$1")"; }

one_of() {
  local name=$1 value=$2
  shift 2
  for known in "$@"; do [[ $value == "$known" ]] && return; done
  fail "the input \`$name\` is one of: $*"
}
one_of fail-on "${INPUT_FAIL_ON:=error}" error warning never
one_of changed-only "${INPUT_CHANGED_ONLY:=auto}" auto true false
one_of annotations "${INPUT_ANNOTATIONS:=true}" true false
one_of summary "${INPUT_SUMMARY:=true}" true false
one_of upload-sarif "${INPUT_UPLOAD_SARIF:=false}" true false
for name in config sarif-file diff-base working-directory; do
  # The runner's bash on macOS is 3.2.
  value=INPUT_$(tr '[:lower:]-' '[:upper:]_' <<<"$name")
  # They go into outputs, where a line break would start another one.
  [[ ${!value:-} != *[[:cntrl:]]* ]] || fail "the input \`$name\` holds a control character"
done

kvlint=$(INPUT_VERSION=${INPUT_VERSION:-} bash "$here/install.sh")
temp=$(mktemp -d "$RUNNER_TEMP/kvlint-run.XXXXXX")
sarif=${INPUT_SARIF_FILE:-$RUNNER_TEMP/kvlint.sarif}
cd -- "${GITHUB_WORKSPACE:-.}"
folder=${INPUT_WORKING_DIRECTORY:-.}
is_absolute() { [[ $1 == /* || $1 == [A-Za-z]:* ]]; }
is_absolute "$folder" || folder=./$folder
cd -- "$folder" 2>/dev/null || fail "there is no folder \`$folder\`"
is_absolute "$sarif" || sarif=$PWD/$sarif
"$kvlint" --version

paths=()
while IFS= read -r path || [[ -n $path ]]; do
  path=${path%$'\r'}
  # Blanks around a path are none of it, unless a file has them in its name.
  if [[ ! -e $path ]]; then
    path=${path#"${path%%[![:blank:]]*}"}
    path=${path%"${path##*[![:blank:]]}"}
  fi
  [[ -z $path ]] || paths+=("$path")
done <<<"${INPUT_PATHS:-.}"
[[ ${#paths[@]} -gt 0 ]] || paths=(.)

settings=()
[[ -z ${INPUT_CONFIG:-} ]] || settings+=("--config=$INPUT_CONFIG")
verdict=()
case $INPUT_FAIL_ON in
  warning) verdict+=(--error-on-warning) ;;
  never) verdict+=(--exit-zero) ;;
esac

# The commit that changed lines are counted from; empty where it can't be had.
base() {
  if [[ -n ${INPUT_DIFF_BASE:-} ]]; then
    printf '%s' "$INPUT_DIFF_BASE"
    return
  fi
  # What the checkout of a pull request holds is a merge that GitHub made for it, whose first parent is the base. The head of the
  # branch may be a merge, too, whose first parent is the author's own commit: only the commit of the event is the other one.
  if [[ ${GITHUB_REF:-} == refs/pull/*/merge && -n ${GITHUB_SHA:-} && $(git rev-parse HEAD 2>/dev/null) == "$GITHUB_SHA" ]]; then
    if ! is_merge; then
      git fetch --quiet --no-tags --deepen=1 origin "$GITHUB_SHA" >/dev/null 2>&1 || true
    fi
    if is_merge; then
      printf 'HEAD^1'
      return
    fi
  fi
  # The head of the branch was checked out instead. Where the two have nothing between them, the base is another one.
  local from=refs/remotes/origin/${GITHUB_BASE_REF:-} fork
  fork=$(git merge-base "$from" HEAD 2>/dev/null) || return 0
  if [[ $fork != "$(git rev-parse HEAD)" ]]; then printf '%s' "$from"; fi
}
is_merge() { git rev-parse --quiet --verify 'HEAD^2^{commit}' >/dev/null 2>&1; }
# Who names a base wants changed lines, whatever the event.
lines=$INPUT_CHANGED_ONLY
if [[ $lines == auto && ${GITHUB_EVENT_NAME:-} != pull_request && -z ${INPUT_DIFF_BASE:-} ]]; then lines=false; fi
if [[ $lines == false && -n ${INPUT_DIFF_BASE:-} ]]; then warn '`diff-base` is ignored, because `changed-only` is false'; fi
if [[ $lines != false ]]; then
  from=$(base)
  if [[ -n $from ]]; then
    verdict+=("--diff-base=$from")
  elif [[ $INPUT_CHANGED_ONLY == true ]]; then
    fail 'the commit that changed lines are counted from is not at hand: give actions/checkout `fetch-depth: 0`, or name it in `diff-base`'
  else
    warn 'the base of the pull request is not at hand, so all findings count: give actions/checkout `fetch-depth: 0`'
  fi
fi

code=0
annotations=$temp/annotations
"$kvlint" --color=never --format=github --output="$annotations" --report=sarif="$sarif" --report=json="$temp/report.json" --report=markdown="$temp/page.md" \
  ${settings[@]+"${settings[@]}"} ${verdict[@]+"${verdict[@]}"} -- "${paths[@]}" 2>"$temp/messages" || code=$?

# kvlint's own escaping makes annotations safe; its messages are for people, and the runner is told to read no command in them.
token=kvlint-$RANDOM$RANDOM$RANDOM
printf '::stop-commands::%s\n' "$token"
cat "$temp/messages"
printf '\n::%s::\n' "$token"
if [[ $INPUT_ANNOTATIONS == true && -f $annotations ]]; then
  cat "$annotations"
fi
if [[ $code -ge 2 ]]; then
  fail_line=$(tr -d '\r' <"$temp/messages" | sed -n 's/^error: //p' | head -n 1)
  printf '::error title=kvlint::%s\n' "$(line "kvlint could not do its work: ${fail_line:-see the log}")"
fi

# The report is kvlint's own, printed one key a line, with the summary first.
count() {
  local found=
  [[ ! -f $temp/report.json ]] || found=$(sed -n "s/^    \"$1\": \([0-9]*\),\{0,1\}\$/\1/p" "$temp/report.json" | head -n 1)
  printf '%s' "${found:-0}"
}
errors=$(count errors)
warnings=$(count warnings)
findings=$((errors + warnings + $(count infos)))
{
  printf 'findings=%s\nerrors=%s\nwarnings=%s\nexit-code=%s\n' "$findings" "$errors" "$warnings" "$code"
  # Without a report there is nothing to upload.
  if [[ -f $sarif ]]; then printf 'sarif-file=%s\n' "$sarif"; fi
} >>"$GITHUB_OUTPUT"

if [[ $INPUT_SUMMARY == true && -n ${GITHUB_STEP_SUMMARY:-} ]]; then
  bash "$here/summary.sh" "$kvlint" "$temp" "$code" ${settings[@]+"${settings[@]}"} -- "${paths[@]}" >>"$GITHUB_STEP_SUMMARY" \
    || warn 'the summary could not be written'
fi
rm -rf "$temp"
