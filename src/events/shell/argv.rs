//! Finds what an argument vector really runs, behind `exec`, `env`, `tini --` and their like.

/// A program that runs the program named in its arguments.
struct Wrapper {
    name: &'static str,
    /// The first of its arguments, without which it runs no other program.
    action: Option<&'static str>,
    /// Its options that take the next argument as their value.
    valued: &'static [&'static str],
    /// How many operands come before the wrapped program.
    operands: usize,
}

const WRAPPERS: &[Wrapper] = &[
    Wrapper { name: "builtin", action: None, valued: &[], operands: 0 },
    Wrapper { name: "catatonit", action: None, valued: &[], operands: 0 },
    Wrapper { name: "command", action: None, valued: &[], operands: 0 },
    Wrapper { name: "dumb-init", action: None, valued: &["-r", "--rewrite"], operands: 0 },
    Wrapper { name: "env", action: None, valued: &["-u", "--unset", "-C", "--chdir"], operands: 0 },
    Wrapper { name: "exec", action: None, valued: &["-a"], operands: 0 },
    Wrapper { name: "gosu", action: None, valued: &[], operands: 1 },
    Wrapper { name: "ionice", action: None, valued: &["-c", "-n"], operands: 0 },
    Wrapper { name: "nice", action: None, valued: &["-n"], operands: 0 },
    Wrapper {
        name: "nsys",
        action: Some("profile"),
        valued: &["-b", "-c", "-d", "-e", "-f", "-o", "-p", "-s", "-t", "-w", "-x", "-y"],
        operands: 0,
    },
    Wrapper { name: "nohup", action: None, valued: &[], operands: 0 },
    Wrapper {
        name: "numactl",
        action: None,
        valued: &["-C", "-N", "-i", "-m", "-p", "--cpunodebind", "--interleave", "--membind", "--physcpubind"],
        operands: 0,
    },
    Wrapper { name: "setsid", action: None, valued: &[], operands: 0 },
    Wrapper { name: "stdbuf", action: None, valued: &["-e", "-i", "-o"], operands: 0 },
    Wrapper { name: "su-exec", action: None, valued: &[], operands: 1 },
    Wrapper { name: "sudo", action: None, valued: &["-g", "-u"], operands: 0 },
    Wrapper { name: "taskset", action: None, valued: &[], operands: 1 },
    Wrapper { name: "time", action: None, valued: &["-f", "-o"], operands: 0 },
    Wrapper { name: "timeout", action: None, valued: &["-k", "-s", "--kill-after", "--signal"], operands: 1 },
    Wrapper { name: "tini", action: None, valued: &["-e", "-p"], operands: 0 },
    Wrapper {
        name: "uv",
        action: Some("run"),
        valued: &["-p", "--directory", "--env-file", "--extra", "--group", "--project", "--python", "--with"],
        operands: 0,
    },
];

const SHELLS: &[&str] = &["ash", "bash", "dash", "ksh", "sh", "zsh"];

/// The index of the script in `argv` when it runs one given as text: `sh -c script`, `/bin/bash -euo pipefail -c
/// script`, `tini -- env A=b bash -lc script`. `None` when no shell is run, or one that reads a file.
pub fn shell_script_index(argv: &[&str]) -> Option<usize> {
    let mut at = program_index(argv);
    if argv.get(at).is_some_and(|program| base_name(program) == "busybox") {
        at += 1;
    }
    argv.get(at).filter(|program| SHELLS.contains(&base_name(program)))?;
    at += 1;
    let mut has_script = false;
    while let Some(argument) = argv.get(at) {
        if let Some(long) = argument.strip_prefix("--") {
            at += 1;
            match long {
                "" => break,
                "init-file" | "rcfile" => at += 1,
                _ => {}
            }
        } else if let Some(flags) = argument.strip_prefix(['-', '+']).filter(|flags| !flags.is_empty()) {
            has_script |= argument.starts_with('-') && flags.contains('c');
            at += 1 + flags.matches(['o', 'O']).count();
        } else {
            break;
        }
    }
    (has_script && at < argv.len()).then_some(at)
}

/// The index in `argv` of the program that is run in the end; `argv.len()` when none is.
pub(super) fn program_index(argv: &[&str]) -> usize {
    let mut at = 0;
    let wraps = |wrapper: &&Wrapper, at: usize| {
        argv.get(at).is_some_and(|word| base_name(word) == wrapper.name)
            && wrapper.action.is_none_or(|action| argv.get(at + 1) == Some(&action))
    };
    while let Some(wrapper) = WRAPPERS.iter().find(|wrapper| wraps(wrapper, at)) {
        at += 1 + usize::from(wrapper.action.is_some());
        while let Some(option) = argv.get(at).filter(|word| word.starts_with('-')) {
            at += 1;
            if *option == "--" {
                break;
            }
            if wrapper.valued.contains(option) {
                at += 1;
            }
        }
        at += wrapper.operands;
        if wrapper.name == "env" {
            at += argv.iter().skip(at).take_while(|word| super::assignment_name(word).is_some()).count();
        }
    }
    at.min(argv.len())
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_follows_the_shells_options() {
        for (argv, index) in [
            (&["sh", "-c", "S"][..], 2),
            (&["/bin/bash", "-lc", "S"], 2),
            (&["bash", "-euo", "pipefail", "-c", "S"], 4),
            (&["bash", "-ceuo", "pipefail", "S", "name", "arg"], 3),
            (&["bash", "-c", "-e", "S"], 3),
            (&["sh", "-c", "--", "S"], 3),
            (&["bash", "--norc", "--rcfile", "f", "-c", "S"], 5),
            (&["/usr/bin/env", "bash", "-c", "S"], 3),
            (&["env", "-u", "X", "A=b", "C=d", "sh", "-c", "S"], 7),
            (&["tini", "--", "sh", "-c", "S"], 4),
            (&["/tini", "-s", "-g", "--", "/bin/sh", "-c", "S"], 6),
            (&["timeout", "-k", "5", "3600", "bash", "-c", "S"], 6),
            (&["busybox", "sh", "-c", "S"], 3),
        ] {
            assert_eq!(shell_script_index(argv), Some(index), "{argv:?}");
        }
    }

    #[test]
    fn an_argument_vector_without_a_script_has_no_index() {
        for argv in [
            &[][..],
            &["sh"],
            &["sh", "-c"],
            &["sh", "start.sh", "-c", "x"],
            &["bash", "-o"],
            &["bash", "-eo", "pipefail", "start.sh"],
            &["vllm", "serve", "-c", "x"],
            &["env"],
            &["tini", "--"],
            &["timeout"],
        ] {
            assert_eq!(shell_script_index(argv), None, "{argv:?}");
        }
    }

    #[test]
    fn wrappers_are_looked_through() {
        for (argv, program) in [
            (&["vllm", "serve"][..], "vllm"),
            (&["exec", "-a", "engine", "vllm", "serve"], "vllm"),
            (&["nohup", "nice", "-n", "5", "python3", "-m", "x"], "python3"),
            (&["numactl", "--cpunodebind=0", "-m", "0", "vllm"], "vllm"),
            (&["taskset", "-c", "0-3", "vllm"], "vllm"),
            (&["uv", "run", "--with", "x", "vllm", "serve"], "vllm"),
            (&["nsys", "profile", "-o", "/trace", "--stats=true", "vllm"], "vllm"),
            (&["uv", "pip", "install", "vllm"], "uv"),
        ] {
            assert_eq!(argv.get(program_index(argv)), Some(&program), "{argv:?}");
        }
    }
}
