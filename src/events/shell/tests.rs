use proptest::prelude::*;

use super::*;

fn argv(script: &str) -> Vec<Vec<String>> {
    parse(script).commands.iter().map(|c| c.words.iter().map(|w| w.text.clone()).collect()).collect()
}

fn env(name: &str) -> Variable {
    match name {
        "PORT" => Variable::Value("5557".into()),
        "FLAGS" => Variable::Value(" --a  --b=1 ".into()),
        "EMPTY" => Variable::Value(String::new()),
        "CONFIG" => Variable::Value(r#"{"publisher":"zmq"}"#.into()),
        "POD_IP" => Variable::Unknown,
        _ => Variable::Absent,
    }
}

/// Reads a script that no kubelet touched, in an environment.
fn parse_in(script: &str, env: impl Fn(&str) -> Variable) -> Script {
    interpreter::run(&Expanded::unchanged(script), &env)
}

/// The words of the last command that has any; an opaque one in angle brackets, with a `*` when it may split.
fn last(script: &Script) -> Vec<String> {
    let show = |word: &Word| match (word.opaque, word.splits) {
        (false, _) => word.text.clone(),
        (true, false) => format!("<{}>", word.text),
        (true, true) => format!("<{}>*", word.text),
    };
    let command = script.commands.iter().rfind(|c| !c.words.is_empty());
    command.map(|c| c.words.iter().map(show).collect()).unwrap_or_default()
}

#[test]
fn quotes_and_escapes_are_removed() {
    for (script, words) in [
        ("a 'b c' \"d e\" f\\ g", &["a", "b c", "d e", "f g"][..]),
        (r#"a"b"'c'd"#, &["abcd"]),
        (r#"'' "" x"#, &["", "", "x"]),
        (r#""a\"b\\c\nd\$e" "#, &[r#"a"b\c\nd$e"#]),
        (r"$'a\tb\x41\u00e9\'\101' $", &["a\tbAé'A", "$"]),
        (r#"'{"enable_kv_cache_events":true}'"#, &[r#"{"enable_kv_cache_events":true}"#]),
        ("é\\é 'é'", &["éé", "é"]),
        ("a#b # c 'd\n", &["a#b"]),
        ("<model-path> --port=<port>", &["<model-path>", "--port=<port>"]),
    ] {
        assert_eq!(argv(script), [words], "{script}");
        assert!(!parse(script).incomplete, "{script}");
    }
}

#[test]
fn a_backslash_at_the_lines_end_joins_lines() {
    for script in ["vllm serve \\\n  m \\\n  --x", "vllm \\\r\n\t serve m --\\\nx", "vllm serve m --x \\\n"] {
        assert_eq!(argv(script), [["vllm", "serve", "m", "--x"]], "{script:?}");
    }
    // A blank behind the backslash, and a comment between the lines: the command ends there, in a shell too.
    assert_eq!(argv("vllm m \\ \n --x"), [vec!["vllm", "m", " "], vec!["--x"]]);
    assert_eq!(argv("vllm m \\\n # --y \\\n --x"), [vec!["vllm", "m"], vec!["--x"]]);
}

#[test]
fn operators_end_a_command() {
    for (script, commands) in [
        ("a;b&c&&d||e|f|&g\nh", &["a", "b", "c", "d", "e", "f", "g", "h"][..]),
        ("(a; b) && { c; }", &["a", "b", "c"]),
        ("if a; then b; elif c; then d; else e; fi; f", &["a", "b", "c", "d", "e", "f"]),
        ("while ! a; do b; done & c", &["a", "b", "c"]),
        ("for x in 1 2 do; do a; done\nfor y\ndo b; done", &["a", "b"]),
        ("case $x in a|b) c;; (d) e ;& *) f; esac; g", &["c", "e", "f", "g"]),
        ("f() { a; }; function g { b; }; function h() { c; }\nf", &["a", "b", "c", "f"]),
        ("[[ a && b < c ]] && d", &["[[", "d"]),
        ("(( x = 1 << 2 )); a; ((b); c)", &["a", "b", "c"]),
        ("for ((i = 0; i < 3; i++)); do a; done", &["a"]),
    ] {
        let parsed = parse(script);
        let first: Vec<&str> =
            parsed.commands.iter().filter_map(|c| c.words.first()).map(|w| w.text.as_str()).collect();
        assert_eq!(first, commands, "{script}");
        assert!(!parsed.incomplete, "{script}");
    }
}

#[test]
fn redirections_are_not_words() {
    for script in [
        "vllm serve m >log 2>&1",
        "vllm >>log serve <in m 2> err",
        "vllm serve m &>log",
        "vllm serve m > >(tee log) 2>&-",
        "vllm serve m <<< text",
        "vllm serve m >| log",
    ] {
        assert_eq!(argv(script), [["vllm", "serve", "m"]], "{script}");
    }
    assert_eq!(argv("a 2 >x 3>y b2>z"), [["a", "2", "b2"]]);
    assert_eq!(argv("cat <in>out"), [["cat"]]);
}

#[test]
fn heredoc_bodies_are_not_commands_but_can_be_reached() {
    let script = "cat <<EOF >f && cat <<-'X'\nvllm serve $A\nEOF\n\tx'y\n\tX\nvllm serve m";
    let parsed = parse(script);
    assert_eq!(last(&parsed), ["vllm", "serve", "m"]);
    let heredocs: Vec<(&str, bool)> =
        parsed.commands.iter().flat_map(|c| &c.heredocs).map(|h| (&script[h.body.clone()], h.quoted)).collect();
    assert_eq!(heredocs, [("vllm serve $A\n", false), ("\tx'y\n", true)]);
    assert!(!parsed.incomplete);
}

#[test]
fn what_is_left_open_is_given_as_far_as_it_goes() {
    for (script, words) in [
        ("vllm 'a b", &["vllm", "a b"][..]),
        ("vllm \"a b", &["vllm", "a b"]),
        ("vllm $'a b", &["vllm", "a b"]),
        ("vllm ${a", &["vllm", "<${a>*"]),
        ("vllm `a", &["vllm", "<`a>*"]),
        ("vllm $(a 'b)", &["vllm", "<$(a 'b)>*"]),
        ("if vllm x", &["vllm", "x"]),
        ("vllm <<EOF\nbody", &["vllm"]),
        ("vllm <<EOF", &["vllm"]),
    ] {
        let parsed = parse(script);
        assert_eq!(last(&parsed), words, "{script}");
        assert!(parsed.incomplete, "{script}");
    }
}

#[test]
fn known_variables_are_substituted_and_unknown_ones_are_opaque() {
    for (script, words) in [
        ("x $PORT \"a$PORT\" ${PORT}b '$PORT' \\$PORT", &["x", "5557", "a5557", "5557b", "$PORT", "$PORT"][..]),
        ("x $FLAGS \"$FLAGS\" =$FLAGS=", &["x", "--a", "--b=1", " --a  --b=1 ", "=", "--a", "--b=1", "="]),
        ("x $EMPTY \"$EMPTY\" a$EMPTY", &["x", "", "a"]),
        ("x $NO \"$NO\" a$POD_IP", &["x", "<$NO>*", "<$NO>", "<a$POD_IP>*"]),
        ("x ${PORT:-1} ${EMPTY:-a\\ b} \"${EMPTY:-a b}\" ${EMPTY-1}", &["x", "5557", "a b", "a b"]),
        ("x a${EMPTY:---b c 'd e'}f", &["x", "a--b", "c", "d ef"]),
        ("x ${NO:-1} ${PORT:+y} ${EMPTY:+y} ${PORT:?no}", &["x", "<${NO:-1}>*", "y", "5557"]),
        ("x ${EMPTY:-${EMPTY:-\"$PORT\"}}", &["x", "5557"]),
        (
            "x $(a; b \"$(c)\") \"`d`\" $((1 + 2)) \"$@\" $1",
            &["x", "<$(a; b \"$(c)\")>*", "<`d`>", "<$((1 + 2))>*", "<$@>*", "<$1>*"],
        ),
        ("x \"${#PORT}\" ${PORT%7} \"${A[@]}\"", &["x", "<${#PORT}>", "<${PORT%7}>*", "<${A[@]}>*"]),
        ("x <(y) a", &["x", "<<(y)>", "a"]),
    ] {
        assert_eq!(last(&parse_in(script, env)), words, "{script}");
    }
}

#[test]
fn a_script_defines_variables_for_what_follows() {
    for (script, words) in [
        ("A=1; x $A", &["x", "1"][..]),
        ("export A=1 B=\"2 3\" && x $A $B", &["x", "1", "2", "3"]),
        ("A=1\nexport A\nA=2\nx $A", &["x", "2"]),
        ("A=1 y; x $A", &["x", "<$A>*"]),
        ("A=1; unset A; x a$A ${A:-2}", &["x", "a", "2"]),
        ("A=1; (A=2); x $A", &["x", "1"]),
        ("A=1; { A=2; }; x $A", &["x", "2"]),
        ("A=1; if y; then A=2; x $A; fi", &["x", "2"]),
        ("A=1; if y; then A=2; fi; x $A", &["x", "<$A>*"]),
        ("if y; then A=1; else x $A; fi", &["x", "<$A>*"]),
        ("y && A=1; x $A", &["x", "<$A>*"]),
        ("y && A=1 && x $A", &["x", "1"]),
        ("A=1 || exit; x $A", &["x", "1"]),
        ("A=1; while y; do x $A; A=2; done", &["x", "<$A>*"]),
        ("case y in a) A=1;; b) A=2;; esac; x $A", &["x", "<$A>*"]),
        ("f() { A=1; }; x $A", &["x", "<$A>*"]),
        ("A=1; read A; x $A", &["x", "<$A>*"]),
        ("A=1; for A in 1 2; do x $A; done", &["x", "<$A>*"]),
        ("A=1; . ./env.sh; x $A", &["x", "<$A>*"]),
        ("A=1; . /venv/bin/activate; x $A", &["x", "1"]),
        ("A=(--a --b); x \"${A[@]}\"", &["x", "<${A[@]}>*"]),
        ("A=(--a --b); A+=(c); x $A", &["x", "<$A>*"]),
        ("A=a; B=$A$PORT; x $B", &["x", "a5557"]),
        ("PORT=1; x $PORT", &["x", "1"]),
        (": \"${EMPTY:=v}\"; x $EMPTY", &["x", "v"]),
        ("P=1; x $P; ((Q=2))", &["x", "1"]),
        ("A=1; ((B == A)); : $((A != 2)) $((A <= 3)) $((-A - -B)); x $A", &["x", "1"]),
        ("A='1 B=2'; B=3; export C=$A; x $B", &["x", "3"]),
        ("A=1; f() { x; }; f; x $A", &["x", "1"]),
        ("A=1; A=2; f() { y $A; }; f; x $A", &["x", "2"]),
        ("A=0; f() { B=1; x $B; }", &["x", "1"]),
        ("A=1; f() { x $A; }", &["x", "1"]),
    ] {
        assert_eq!(last(&parse_in(script, env)), words, "{script}");
    }
}

#[test]
fn a_variable_that_may_have_changed_is_not_known() {
    for script in [
        "A=1; ((A++)); x $A",
        "A=1; (( A += 2 )); x $A",
        "A=1; : $((A = 2)); x $A",
        "A=1; B=\"$(( --A ))\"; x $A",
        "A=1; let A++; x $A",
        "A=1; let 'B = 2' 'A <<= 1'; x $A",
        "for ((A = 0; A < 3; A++)); do x $A; done",
        "A=1; x $A; ((A[0] = 2))",
        "A=1; export $(cat /env); x $A",
        "A=1; declare \"$B=2\"; x $A",
        "A=1; B='A=2'; export $B; x $A",
        "A=1; unset $B; x $A",
        "f() { A=1; }; A=2; f; x $A",
        "f() { read A; }; A=2; f; x $A",
        "f() for i in 1; do A=1; done; A=2; f; x $A",
        "A=1; declare -n B=A; B=2; x $A",
        "A=1; wait -n -p A; x $A",
        "A=1; while y; do x $A; source ./env; done",
        "f() { A=1; }; A=2; y && f; x $A",
        "A=2; f() { A=1; }; g() { f; x $A; }; g",
        "A=1; f() { x $A; }; A=2; f",
        "f() { x $PORT; }; PORT=2; f",
        "A=1; while y; do x $A; read A; done",
    ] {
        let parsed = parse_in(script, env);
        let command = parsed.commands.iter().find(|c| c.words.first().is_some_and(|w| w.text == "x")).unwrap();
        assert!(command.words.len() == 2 && command.words[1].opaque, "{script}: {:?}", command.words);
    }
    // What a function exports may be in the environment or not.
    let parsed = parse("f() { export A=1; }; f; x");
    assert_eq!(parsed.environment(parsed.commands.last().unwrap()), [("A", None)]);
}

#[test]
fn nothing_runs_behind_the_end_of_a_script() {
    for (script, end) in [
        ("a; exec b; c", 2),
        ("a; exit 1; c", 2),
        ("exec a || exit; c", 1),
        ("x; exec 2>&1; exec >log; c", 4),
        ("exec \"$@\"; c", 2),
        ("exec {log}>file; c", 2),
        ("x && exec a; c", 3),
        ("if x; then exit; fi; c", 3),
        ("(exit); c", 2),
        ("exec a | tee log; c", 3),
        ("x | exec a; c", 3),
        ("exec a & c", 2),
        ("f() { exit; }; c", 2),
        ("a; exit; if c", 3),
    ] {
        let parsed = parse(script);
        assert_eq!(parsed.end(), end, "{script}");
    }
}

#[test]
fn a_function_may_be_called_again() {
    for (script, again) in [
        ("f() { a; }; f", false),
        ("f() if x; then a; fi; f", false),
        ("f() { a; }; if x; then f 1; fi", false),
        ("a", false),
        ("f() { a; }; f; f", true),
        ("f() { a; }; f & wait", false),
        ("f() { a; }; f & f & wait", true),
        ("f() { a; }; for i in 1 2; do f; done", true),
        ("f() { a; }; g() { f; }; g; g", true),
        ("f() { a; }; export -f f; xargs -P2 bash -c 'f $1'", true),
        ("f() { a; }", true),
    ] {
        let parsed = parse(script);
        let at = parsed.commands.iter().position(|c| c.words.first().is_some_and(|w| w.text == "a")).unwrap();
        assert_eq!(parsed.may_be_called_again(at), again, "{script}");
    }
}

#[test]
fn the_kubelet_expands_first_and_without_regard_to_quotes() {
    for (script, words) in [
        ("x '$(CONFIG)' \"$(PORT)\"", &["x", r#"{"publisher":"zmq"}"#, "5557"][..]),
        ("x \"$(CONFIG)\"", &["x", "{publisher:zmq}"]),
        ("x $(FLAGS) $(nproc)", &["x", "--a", "--b=1", "<$(nproc)>*"]),
        ("x 'tcp://$(POD_IP):$(PORT)' $(POD_IP)", &["x", "<tcp://$(POD_IP):5557>", "<$(POD_IP)>*"]),
        ("x '$$(PORT)' $$PORT", &["x", "$(PORT)", "5557"]),
    ] {
        assert_eq!(last(&parse_argument(script, env)), words, "{script}");
    }
    assert_eq!(last(&parse_in("x '$(PORT)' $(PORT)", env)), ["x", "$(PORT)", "<$(PORT)>*"]);
}

#[test]
fn a_commands_environment_is_what_the_script_exports_to_it() {
    let script = "export A=1 B=2\nC=3\nB=4\nif x; then export D=$NO; fi\nexec env E='5 6' vllm serve m";
    let parsed = parse_in(script, env);
    let command = parsed.commands.last().unwrap();
    let mut environment: Vec<(&str, Option<&str>)> =
        parsed.environment(command).into_iter().map(|(name, word)| (name, word.map(|w| w.text.as_str()))).collect();
    environment.sort_unstable();
    assert_eq!(environment, [("A", Some("1")), ("B", Some("4")), ("D", None), ("E", Some("5 6"))]);
    assert_eq!(command.program().iter().map(|w| w.text.as_str()).collect::<Vec<_>>(), ["vllm", "serve", "m"]);
    assert_eq!(&script[command.range.clone()], "exec env E='5 6' vllm serve m");
    assert_eq!(&script[command.assignments[0].value.range.clone()], "'5 6'");
    assert_eq!(&script[command.assignments[0].value.source_range(0..1)], "5");
}

#[test]
fn a_part_of_a_word_leads_to_its_bytes() {
    for (script, part, source) in [
        (r#"x '{"publisher":"zmq"}'"#, "publisher", "publisher"),
        (r#"x "{\"publisher\":\"zmq\"}""#, "\"publisher\"", "\\\"publisher\\\""),
        (r#"x {\"publisher\":1}"#, "publisher", "publisher"),
        ("x ab\\\n  cd", "cd", "cd"),
        ("x ab\\\ncd", "bc", "b\\\nc"),
        (r#"x --port="$PORT""#, "5557", "$PORT"),
        (r#"x --port="$PORT""#, "55", "$PORT"),
        (r#"x --port="$PORT""#, "=5", "=\"$PORT"),
        (r#"x --config='$(CONFIG)'"#, "publisher", "$(CONFIG)"),
        ("x é'é'ü", "éü", "é'ü"),
        ("x ${FLAGS:+--c d}", "--c", "--c"),
    ] {
        let parsed = parse_argument(script, env);
        let word = parsed.commands[0].words.iter().find(|w| w.text.contains(part)).unwrap();
        let at = word.text.rfind(part).unwrap();
        assert_eq!(&script[word.source_range(at..at + part.len())], source, "{script}");
    }
}

#[test]
fn a_variables_value_leads_to_its_assignment() {
    let script = r#"CONFIG='{"publisher":"null"}'; C=$CONFIG; vllm serve m --kv-events-config "$C" --p $PORT"#;
    let parsed = parse_in(script, env);
    let words = &parsed.commands[2].words;
    let at = words[4].text.find("null").unwrap();
    assert_eq!(&script[words[4].source_range(at..at + 4)], "$C");
    assert_eq!(words[4].definition_range(at..at + 4).map(|range| &script[range]), Some("null"));
    assert_eq!(words[3].definition_range(0..3), None);
    assert_eq!(words[6].definition_range(0..3), None);
}

#[test]
fn a_realistic_start_script_gives_the_engines_command() {
    let script = r#"
set -euo pipefail
# wait for the weights
until [ -f /models/ready ]; do
  sleep 2  # don't hurry
done
pip install "lmcache>=0.3" > /dev/null 2>&1 || echo "can't install"
export VLLM_USE_V1=1
KV_EVENTS='{"enable_kv_cache_events": true,
  "endpoint": "tcp://*:5557"}'
if [ "$ROLE" = "decode" ]; then
  exec vllm serve /models/m --port 8000
fi
python3 -m vllm.entrypoints.openai.api_server \
  --model /models/m \
  --served-model-name "${MODEL_NAME:-m}" \
  --kv-events-config "$KV_EVENTS" \
  --host $POD_IP $EXTRA_ARGS 2>&1 | tee /var/log/vllm.log
"#;
    let parsed = parse_in(script, env);
    assert!(!parsed.incomplete);
    let engines: Vec<&Command> = parsed
        .commands
        .iter()
        .filter(|c| c.words.iter().any(|w| w.text.contains("vllm") && !w.text.ends_with(".log")))
        .collect();
    assert_eq!(engines.len(), 2);
    assert_eq!(engines[0].program().len(), 5);
    let config = &engines[1].words[8];
    assert!(config.text.starts_with("{\"enable_kv_cache_events\": true,\n") && !config.opaque);
    assert!(engines[1].words[6].opaque && !engines[1].words[6].splits);
    assert!(engines[1].words.last().is_some_and(|w| w.splits && &script[w.range.clone()] == "$EXTRA_ARGS"));
    assert_eq!(parsed.environment(engines[1]).len(), 1);
}

#[test]
fn hostile_scripts_take_neither_time_nor_memory() {
    let doubling = format!("A={}\n{}", "x".repeat(100), "A=$A$A\n".repeat(100));
    let deep = ["$(", "\"${A:-", "(", "{ ", "if ", "while ", "`", "((", "<<E ", "$'", "A=(", "case x in ", "$(# "];
    let mut scripts: Vec<String> = deep.iter().map(|opener| opener.repeat(50_000 / opener.len())).collect();
    scripts.push(doubling);
    scripts.push((0..5000).map(|i| format!("if x; then export A{i}=1; else ")).collect());
    scripts.push((0..5000).map(|i| format!("A{i}=1 || ")).collect());
    for script in scripts {
        let parsed = parse_argument(&script, |_| Variable::Value("v".repeat(1000)));
        let size: usize = parsed.commands.iter().flat_map(|c| &c.words).map(|w| w.text.len()).sum();
        assert!(size < 8 << 20);
    }
}

/// Scripts that are likely to mean something.
fn scripts() -> impl Strategy<Value = String> {
    let fragments = [
        "vllm",
        " ",
        "\n",
        "'",
        "\"",
        "\\",
        "\\\n",
        "\r\n",
        "$A",
        "${A:-",
        "}",
        "$(",
        ")",
        "(",
        "$(PORT)",
        "$(POD_IP)",
        "A=",
        "export ",
        "if ",
        "then ",
        "fi",
        "for ",
        "in ",
        "do ",
        "done",
        "case ",
        "esac",
        ";;",
        ";",
        "&&",
        "||",
        "|",
        "<<E",
        "\nE\n",
        ">f",
        "2>&1",
        "#",
        "`",
        "é",
        "$'",
        "{ ",
        "<x>",
        "$FLAGS",
        "[[ ",
        "]]",
        "((",
        "f()",
        "eval ",
        "env ",
        "unset A",
        "+=",
        "$CONFIG",
        "A",
        "${A:=",
        "${EMPTY:-",
        "$(FLAGS)",
        "\t",
        "$$",
    ];
    prop_oneof![
        proptest::collection::vec(proptest::sample::select(fragments.to_vec()), 0..40).prop_map(|f| f.concat()),
        ".{0,60}",
        "[a-c \\\\'\"$(){}<>&|;#=\n\r\té]{0,60}",
    ]
}

fn check_range(script: &str, range: &Range<usize>) -> Result<(), TestCaseError> {
    prop_assert!(script.get(range.clone()).is_some(), "{range:?} in {script:?}");
    Ok(())
}

fn check_word(script: &str, word: &Word) -> Result<(), TestCaseError> {
    check_range(script, &word.range)?;
    for at in 0..=word.text.len() + 1 {
        for end in [at, at + 1, word.text.len()] {
            let range = word.source_range(at..end);
            check_range(script, &range)?;
            prop_assert!(word.range.start <= range.start && range.end <= word.range.end, "{range:?} in {word:?}");
            if let Some(range) = word.definition_range(at..end) {
                check_range(script, &range)?;
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_input_gives_ordered_ranges_inside_it(script in scripts()) {
        for parsed in [parse(&script), parse_in(&script, env), parse_argument(&script, env)] {
            let mut previous = 0;
            for command in &parsed.commands {
                check_range(&script, &command.range)?;
                prop_assert!(previous <= command.range.start, "{:?}", command);
                previous = command.range.start;
                let mut start = command.range.start;
                for word in &command.words {
                    check_word(&script, word)?;
                    prop_assert!(start <= word.range.start && word.range.end <= command.range.end, "{:?}", command);
                    start = word.range.start;
                }
                for assignment in &command.assignments {
                    check_range(&script, &assignment.range)?;
                    check_word(&script, &assignment.value)?;
                }
                for heredoc in &command.heredocs {
                    check_range(&script, &heredoc.body)?;
                }
                parsed.environment(command);
                command.program();
            }
        }
    }

    #[test]
    fn words_quotes_and_escapes_are_read_as_shell_words_reads_them(script in "([a-cé:/=.-]|[ \t]|'[ a-c\"\\\\$#;]{0,4}'|\"([ a-c'#;é]|\\\\[\"\\\\$`a])*\"|\\\\[ a-c'\"\\\\$;é]){0,12}") {
        // Behind a program nothing is an assignment or a reserved word.
        let script = format!("x {script}");
        let words = shell_words::split(&script).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let parsed = parse(&script);
        prop_assert!(!parsed.incomplete);
        let ours: Vec<&str> = parsed.commands.iter().flat_map(|c| &c.words).map(|w| w.text.as_str()).collect();
        prop_assert_eq!(ours, words);
    }

    #[test]
    fn a_quoted_argument_comes_back_as_it_was(arguments in proptest::collection::vec("[ -~\n\té]{0,12}", 1..5)) {
        let script = format!("x {}", shell_words::join(&arguments));
        let parsed = parse(&script);
        let ours: Vec<&str> = parsed.commands.iter().flat_map(|c| &c.words).skip(1).map(|w| w.text.as_str()).collect();
        prop_assert_eq!(ours, arguments.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

/// How the commands called `a` and `b` stand to each other.
fn order(script: &str) -> Order {
    let script = parse(script);
    let at = |name: &str| {
        script.commands.iter().position(|c| c.words.first().is_some_and(|w| w.text == name)).unwrap_or_default()
    };
    if at("b") > 0 { script.order(at("a"), at("b")) } else { script.order(0, 0) }
}

#[test]
fn commands_run_in_turn_unless_one_is_sent_to_the_background() {
    for script in [
        "a; b",
        "a && b &",
        "a || b",
        "(a; b) &",
        "{ a; b; } & c",
        "if x; then a & else b & fi",
        "case x in 1) a & ;; 2) b & ;; esac",
        "a & wait; b",
        "a & wait $!\nb",
        "x & a\nb",
        "while x; do a; b; done &",
        "a >&2 2>&1; b",
        "a &> log; b",
        "a & P=$!; wait $P; b",
        "a & P=$!; x & wait \"${P}\" $Q; exec b",
        "a & P=$!\nwait $P || exit 1\nb",
        "if x; then a & wait $!; exit; fi; b",
        "[ x ] && { a & y; exit 0; }; b",
    ] {
        assert_eq!(order(script), Order::InTurn, "{script}");
    }
    for script in [
        "a & b",
        "a & b &",
        "(a) & b",
        "{ x; a; } & { b; }",
        "for i in 1 2; do a; b & done",
        "while x; do a & done; b",
        "x && { a & b; }",
    ] {
        assert_eq!(order(script), Order::Abreast, "{script}");
    }
    for script in [
        "f() { a; }; b",
        "function f { a & }; f; b",
        "f() ( a )\nb",
        // Conditions may exclude each other.
        "x && a & b",
        "[ x ] && { a & }; b",
        "if x; then a & fi; b",
        "if x; then a & fi; if ! x; then b & fi; wait",
        "for i in 1 2; do if x; then a & else b; fi; done",
        "while x; do if y; then a & P=$!; else b & P=$!; fi; wait $P; done",
        // Something is waited for or ended, and it may be the first.
        "a & if x; then wait; fi; b",
        "a & x && wait; b",
        "a & wait 17; b",
        "a & wait $(jobs -p); b",
        "a & x & wait $!; b",
        "a & P=$!; x & wait $!; kill $P; b",
        "a & P=$!; if wait $P; then c; fi; b",
        "a & P=$!; kill $P && wait $P; b",
        "a & P=$!; P=$(cat pid); wait $P; b",
        "a & fg; b",
        "a & tail --pid=$! -f /dev/null; b",
        "w() { wait; }; a & w; b",
        "if x; then a & (exit); fi; b",
    ] {
        assert_eq!(order(script), Order::Unknown, "{script}");
    }
}

#[test]
fn a_loop_may_run_a_command_beside_itself() {
    for (script, repeats) in [
        ("a &", false),
        ("for i in 1 2; do a; done &", false),
        ("for i in 1 2; do a & done", true),
        ("while x; do { a; } & sleep 1; done", true),
        ("while x; do a & wait; done", false),
        ("while x; do if y; then a & fi; wait; done", false),
        ("while x; do a & if y; then wait; fi; done", true),
        ("while x; do a & done; wait", true),
        ("while x; do a & P=$!; wait $P; done", false),
    ] {
        let parsed = parse(script);
        let at = parsed.commands.iter().position(|c| c.words.first().is_some_and(|w| w.text == "a")).unwrap();
        assert_eq!(parsed.repeats(at), repeats, "{script}");
    }
}
