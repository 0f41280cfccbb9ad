//! `kvlint enable` and `kvlint disable`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::settings::{self, InputArguments};
use super::{FAILURE, output, written};
use crate::facts::Release;
use crate::fix::{diff, write};
use crate::load::{Overlay, Unit};
use crate::migrate::{Migrated, Migration, Target, Way, brings, kubectl, kustomize, migrate, patches};
use crate::report::{plural, shown, visible};

/// What the subcommands take.
#[derive(Args, Debug)]
pub struct MigrateArguments {
    /// The workload: namespace/name or kind/namespace/name
    #[arg(value_name = "TARGET", required_unless_present = "all")]
    target: Option<String>,
    /// Every workload that runs vLLM; then TARGET is the first of the paths
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    inputs: InputArguments,
    /// How to make the change
    #[arg(long = "as", value_enum, default_value_t, value_name = "FORM")]
    form: Form,
    /// Print what would be changed, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Where to put the component (a folder) or the script (a file)
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
}

/// What is only asked for by `enable`.
#[derive(Args, Debug)]
pub struct EnableArguments {
    #[command(flatten)]
    common: MigrateArguments,
    /// The URL that the gateway's tokenizer variable is set to, such as http://llama-8b.default:8000
    #[arg(long, value_name = "URL")]
    tokenizer: Option<String>,
    /// Raise the image tag of engines whose vLLM has no KV-cache events to this release
    #[arg(long, value_name = "RELEASE")]
    vllm: Option<Release>,
}

/// How a change is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Edits of the manifests
    #[default]
    Edit,
    /// A Kustomize component, in the folder that -o names
    Kustomize,
    /// A script of kubectl commands, with its own rollback
    Kubectl,
}

pub fn enable(arguments: &EnableArguments) -> u8 {
    let migration = Migration {
        way: Way::Enable,
        targets: Vec::new(),
        vllm: arguments.vllm.clone(),
        tokenizer: arguments.tokenizer.clone(),
    };
    run(&arguments.common, migration)
}

pub fn disable(arguments: &MigrateArguments) -> u8 {
    run(arguments, Migration { way: Way::Disable, targets: Vec::new(), vllm: None, tokenizer: None })
}

fn run(arguments: &MigrateArguments, mut migration: Migration) -> u8 {
    let mut inputs = InputArguments { detached: arguments.form != Form::Edit, ..arguments.inputs.clone() };
    match (&arguments.target, arguments.all) {
        (target, true) => {
            migration.targets.push(Target::All);
            // With `--all` there is no target, so that the first word is a path.
            if let Some(path) = target {
                let default = inputs.paths == [PathBuf::from(".")];
                if default { inputs.paths = vec![path.into()] } else { inputs.paths.insert(0, path.into()) }
            }
        }
        (Some(target), false) => match target.parse() {
            Ok(target) => migration.targets.push(target),
            Err(why) => return fail(&format!("`{}` is no target: {why}", visible::line(target))),
        },
        (None, false) => return fail("name a target, or use `--all`"),
    }
    let (config, sources) = match settings::configure(&inputs) {
        Ok(configured) => configured,
        Err(message) => return fail(&message),
    };
    let migrated = {
        let mut reload = |overlay: &Overlay| settings::load_over(&inputs, &config, sources.clone(), overlay.clone());
        migrate(&migration, &config, Overlay::default(), &mut reload)
    };
    let migrated = match migrated {
        Ok(migrated) => migrated,
        Err(message) => return fail(&visible::lines(&message)),
    };
    tell_refusals(&migrated, &migration);
    if migrated.meant.is_empty() {
        if migrated.refused.is_empty() {
            let targets: Vec<String> = migration.targets.iter().map(ToString::to_string).collect();
            output::complain(&format!("no workload is {}", visible::line(&targets.join(" or "))));
            output::advise("`kvlint units` lists what was found");
        }
        return FAILURE;
    }
    for note in &migrated.notes {
        output::say(&format!("note: {}", visible::lines(note)));
    }
    if let Some(why) = brings(&migrated, &config) {
        return fail(&format!("nothing is changed: {}", visible::lines(&why)));
    }
    let code = match arguments.form {
        Form::Edit => edit(arguments, &migration, &migrated),
        Form::Kustomize => component(arguments, &migrated),
        Form::Kubectl => kubectl_script(arguments, &migrated),
    };
    if migrated.refused.is_empty() { code } else { code.max(1) }
}

fn fail(message: &str) -> u8 {
    output::complain(message);
    FAILURE
}

fn tell_refusals(migrated: &Migrated, migration: &Migration) {
    let verb = if migration.way == Way::Enable { "enabled" } else { "disabled" };
    for refused in &migrated.refused {
        let place = refused.place.as_ref().map(|place| format!("{place}: "));
        let line = format!("{}{} is not {verb}: {}", place.unwrap_or_default(), refused.title, refused.why);
        output::complain(&visible::lines(&line));
    }
}

/// Writes the files, or prints the difference.
fn edit(arguments: &MigrateArguments, migration: &Migration, migrated: &Migrated) -> u8 {
    let texts = migrated.changes.iter().map(|c| diff::unified(c.before.path(), c.before.text(), &c.after));
    if arguments.dry_run || arguments.output.is_some() {
        return written(arguments.output.as_deref(), &texts.collect::<String>());
    }
    let together: Vec<Vec<PathBuf>> = vec![migrated.changes.iter().map(|c| c.location.clone()).collect()];
    let refused = write::changes(&migrated.changes, &together);
    for r in &refused {
        output::complain(&format!("{} was not written: {}", visible::line(&shown(&r.path)), r.why));
    }
    if !refused.is_empty() {
        return FAILURE;
    }
    let verb = if migration.way == Way::Enable { "enabled" } else { "disabled" };
    for title in &migrated.meant {
        let already = if migrated.changes.is_empty() { " already" } else { "" };
        output::say(&format!("{}: KV-cache events are{already} {verb}", visible::line(title)));
    }
    for change in &migrated.changes {
        output::say(&format!("  changed {}", visible::line(&shown(change.before.path()))));
    }
    0
}

/// The change of each unit, by objects.
fn object_changes(migrated: &Migrated) -> Result<Vec<patches::ObjectChange>, String> {
    let mut found: Option<Vec<patches::ObjectChange>> = None;
    for before in &migrated.first.units {
        let key = |unit: &Unit| (unit.root.clone(), unit.kind, unit.helm.as_ref().map(|helm| helm.set.clone()));
        let same = |unit: &&Unit| key(unit) == key(before);
        let Some(after) = migrated.last.units.iter().find(same) else { continue };
        let changes = patches::between(before, after)?;
        if changes.is_empty() {
            continue;
        }
        if found.as_ref().is_some_and(|other| *other != changes) {
            return Err("the paths hold several units with different objects: name one of them".into());
        }
        found = Some(changes);
    }
    Ok(found.unwrap_or_default())
}

fn component(arguments: &MigrateArguments, migrated: &Migrated) -> u8 {
    let files = match object_changes(migrated).and_then(|changes| kustomize::component(&changes)) {
        Ok(files) => files,
        Err(message) => return fail(&visible::lines(&message)),
    };
    let Some(folder) = arguments.output.as_deref().filter(|_| !arguments.dry_run) else {
        if !arguments.dry_run && files.len() > 1 {
            return fail("the component has several files: name its folder with `-o`");
        }
        let text: String = match files.as_slice() {
            [(_, only)] => only.clone(),
            all => all.iter().map(|(name, text)| diff::unified(Path::new(name), "", text)).collect(),
        };
        return written(None, &text);
    };
    if let Err(e) = std::fs::create_dir_all(folder) {
        return fail(&format!("can't make {}: {e}", visible::line(&shown(folder))));
    }
    for (name, text) in &files {
        let code = written(Some(&folder.join(name)), text);
        if code != 0 {
            return code;
        }
    }
    output::say(&format!(
        "{} in {}; an overlay uses it by `components: [PATH]`",
        plural(files.len(), "file"),
        visible::line(&shown(folder))
    ));
    0
}

fn kubectl_script(arguments: &MigrateArguments, migrated: &Migrated) -> u8 {
    match object_changes(migrated) {
        Ok(changes) => written(arguments.output.as_deref().filter(|_| !arguments.dry_run), &kubectl::script(&changes)),
        Err(message) => fail(&visible::lines(&message)),
    }
}
