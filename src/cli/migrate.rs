//! `kvlint enable` and `kvlint disable`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::settings::{self, InputArguments};
use super::{FAILURE, output, written};
use crate::display::{plural, shown, visible};
use crate::facts::Release;
use crate::fix::{diff, write};
use crate::load::discover::describe;
use crate::load::{Overlay, STDIN, Unit, UnitKind, untrusted};
use crate::migrate::{Migrated, Migration, Target, Way, brings, kubectl, kustomize, migrate, patches};

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
        detached: arguments.common.form != Form::Edit,
    };
    run(&arguments.common, migration)
}

pub fn disable(arguments: &MigrateArguments) -> u8 {
    let detached = arguments.form != Form::Edit;
    run(arguments, Migration { way: Way::Disable, targets: Vec::new(), vllm: None, tokenizer: None, detached })
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
    let stdin = inputs.paths.iter().any(|path| path == Path::new(STDIN));
    let mut overlay = Overlay::default();
    if stdin {
        if inputs.paths.len() > 1 && arguments.form == Form::Edit && !arguments.dry_run && arguments.output.is_none() {
            return fail("`-` stands alone: the changed text is printed");
        }
        match untrusted::stdin() {
            Ok(bytes) => overlay.insert(STDIN, bytes),
            Err(e) => return fail(&format!("can't read standard input: {}", describe(&e))),
        }
    }
    let migrated = {
        let mut reload = |overlay: &Overlay| settings::load_over(&inputs, &config, sources.clone(), overlay.clone());
        migrate(&migration, &config, overlay, &mut reload)
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
        Form::Edit if stdin && !arguments.dry_run && arguments.output.is_none() => print(&migrated),
        Form::Edit => edit(arguments, &migration, &migrated),
        Form::Kustomize => component(arguments, &migrated),
        Form::Kubectl => kubectl_script(arguments, &migration, &migrated),
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

/// Prints what becomes of standard input, also where that is nothing else.
fn print(migrated: &Migrated) -> u8 {
    let bytes = migrated.overlay.get(Path::new(STDIN)).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    written(None, &bytes.unwrap_or_default())
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

/// The change by objects, and the units in which it is made: as they were, and as they are to be.
type Changed<'m> = (Vec<patches::ObjectChange>, Vec<(&'m Unit, &'m Unit)>);

fn object_changes(migrated: &Migrated) -> Result<Changed<'_>, String> {
    let mut found: Option<Changed<'_>> = None;
    for before in &migrated.first.units {
        let key = |unit: &Unit| (unit.root.clone(), unit.kind, unit.helm.as_ref().map(|helm| helm.set.clone()));
        let same = |unit: &&Unit| key(unit) == key(before);
        let Some(after) = migrated.last.units.iter().find(same) else { continue };
        let changes = patches::between(before, after)?;
        match &mut found {
            _ if changes.is_empty() => {}
            Some((other, units)) if *other == changes => units.push((before, after)),
            Some(_) => return Err("the paths hold several units with different objects: name one of them".into()),
            None => found = Some((changes, vec![(before, after)])),
        }
    }
    Ok(found.unwrap_or_default())
}

/// The files, and how they are used. Of what Kustomize builds it is tried first.
fn parts(migrated: &Migrated, folder: Option<&Path>) -> Result<(kustomize::Parts, &'static str), String> {
    let (changes, units) = object_changes(migrated)?;
    let component = kustomize::component(&changes)?;
    let built: Vec<_> = units.iter().filter(|(unit, _)| unit.kind == UnitKind::Kustomize).collect();
    // Without a folder, any other beside the overlay says as much.
    let gives = |(before, after): &&&(&Unit, &Unit)| {
        let place = folder.map_or_else(|| before.root.join("../kvlint-component"), Path::to_path_buf);
        kustomize::component_gives(&before.root, &place, &component, after)
    };
    if built.iter().filter(gives).count() == built.len() {
        return Ok((component, "an overlay uses it by `components: [PATH]`"));
    }
    let overlay = "the overlay changes what its components would change";
    let [(before, after)] = built.as_slice() else {
        return Err(format!("{overlay}, and it is one of several: name one of them"));
    };
    let Some(folder) = folder else {
        return Err(format!("{overlay}, so that a kustomization has to stand around it: name its folder with `-o`"));
    };
    let way =
        kustomize::way(&kustomize::place(folder), &before.root).ok_or("no path leads from there to the overlay")?;
    let around = kustomize::around(&changes, &way)?;
    if kustomize::around_gives(folder, &around, after) {
        return Ok((around, "it stands around the overlay, in whose place it is applied"));
    }
    Err(format!("{overlay}, and a kustomization around it in {} does not make the change", shown(folder)))
}

fn component(arguments: &MigrateArguments, migrated: &Migrated) -> u8 {
    let (files, use_it) = match parts(migrated, arguments.output.as_deref()) {
        Ok(parts) => parts,
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
    let files: Vec<(PathBuf, String)> = files.into_iter().map(|(name, text)| (folder.join(name), text)).collect();
    if let Err(refused) = write::all(&files) {
        return fail(&format!("{} was not written: {}", visible::line(&shown(&refused.path)), refused.why));
    }
    output::say(&format!("{} in {}; {use_it}", plural(files.len(), "file"), visible::line(&shown(folder))));
    0
}

fn kubectl_script(arguments: &MigrateArguments, migration: &Migration, migrated: &Migrated) -> u8 {
    let namespace = migration.targets.iter().find_map(Target::namespace);
    match object_changes(migrated) {
        Ok((changes, _)) => {
            let path = arguments.output.as_deref().filter(|_| !arguments.dry_run);
            written(path, &kubectl::script(&changes, namespace))
        }
        Err(message) => fail(&visible::lines(&message)),
    }
}
