//! Changes that are meant, collected over documents and turned into edits together.

use super::Edit;
use super::draft::{Draft, Plan, Slot};
use super::refusal::Refusal;
use super::text::TextEdit;
use super::value::Value;
use super::{emit, inside};
use crate::source::ReadOnly;
use crate::yaml::{Node, Shape, Style, Tree, Written, is_template};

/// Where an entry or item is inserted.
#[derive(Clone, Copy, Debug)]
pub enum At<'t> {
    /// Before all others.
    First,
    /// After all others.
    Last,
    /// Behind this item, or behind the entry with this value.
    After(Node<'t>),
    /// In front of this item, or of the entry with this value.
    Before(Node<'t>),
}

/// Intended changes, in any documents of any files, which become edits together: several changes may need the same missing
/// parent, or insert at the same place, and what one adds another may add to.
///
/// Nodes may belong to trees that were read or to objects that a build composed; a change of the latter goes to the place
/// that set the value, an insertion to the mapping or list where it was written.
///
/// After a [`Refusal`] the changes made before still stand.
#[derive(Debug, Default)]
pub struct Changes<'t> {
    pub(super) drafts: Vec<Draft<'t>>,
    pub(super) json: bool,
    /// Collections that stay when they are empty, and what stands there then.
    pub(super) kept: Vec<(Node<'t>, Empty)>,
}

/// What is left of a collection that is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Empty {
    /// `[]` or `{}`.
    Brackets,
    /// Its key, without a value.
    Key,
}

enum Act {
    Set(Value),
    Push(Value),
}

impl Act {
    fn on(self, value: &mut Value) -> Result<(), Refusal> {
        match self {
            Act::Set(new) => *value = new,
            Act::Push(item) => return value.push(item),
        }
        Ok(())
    }

    fn under(self, path: &[&str]) -> Result<Value, Refusal> {
        let mut value = Value::Null;
        value.put(path, |value| self.on(value))?;
        Ok(value)
    }
}

impl<'t> Changes<'t> {
    /// No changes yet.
    pub fn new() -> Changes<'t> {
        Changes::default()
    }

    /// Sets the value at the end of a path of keys below a mapping. What is missing on the way is created; a null or `{}` on
    /// the way is filled. With an empty path it replaces the node. A value that is there already changes nothing.
    ///
    /// # Errors
    /// When the way leads through a list or a scalar, or the place can't be edited.
    pub fn set(&mut self, node: Node<'t>, path: &[&str], value: impl Into<Value>) -> Result<(), Refusal> {
        self.act(node, path, Act::Set(value.into()))
    }

    /// Adds an item to the end of the list at the end of a path of keys below a mapping; the list and what leads to it are
    /// created where they are missing.
    ///
    /// # Errors
    /// As [`Changes::set`].
    pub fn append(&mut self, node: Node<'t>, path: &[&str], item: impl Into<Value>) -> Result<(), Refusal> {
        self.act(node, path, Act::Push(item.into()))
    }

    fn act(&mut self, node: Node<'t>, path: &[&str], act: Act) -> Result<(), Refusal> {
        let mut at = node;
        for (depth, key) in path.iter().enumerate() {
            if at.is_alias() {
                return Err(Refusal::at(at.written_span(), "the value is repeated from elsewhere by an alias"));
            }
            let home = home(at)?;
            let draft = self.draft(home)?;
            if let Some(Plan::Replace(value)) = draft.plans.get_mut(&home.id()) {
                return value.put(&path[depth..], |value| act.on(value));
            }
            if home.shape() == Shape::Scalar && home.is_null() {
                draft.guard(home)?;
                draft.plans.insert(home.id(), Plan::Replace(act.under(&path[depth..])?));
                return Ok(());
            }
            if !home.is_mapping() {
                return Err(Refusal::at(home.grip(), format!("`{key}` can't be added to what is no mapping")));
            }
            let entries = home.written_entries();
            let own = entries.iter().rposition(|e| e.key.text() == Some(key));
            let written = own.map(|index| entries[index].value);
            if let Some(Plan::Slots(slots)) = draft.plans.get_mut(&home.id()) {
                let added = slots.iter_mut().rev().find_map(|slot| match slot {
                    Slot::New { key: k, value } if k == key => Some(value),
                    _ => None,
                });
                if let Some(value) = added {
                    return value.put(&path[depth + 1..], |value| act.on(value));
                }
                let kept = |slot: &Slot| matches!(slot, Slot::Kept { index, .. } if Some(*index) == own);
                if own.is_some() && !slots.iter().any(kept) {
                    slots.push(Slot::New { key: (*key).into(), value: act.under(&path[depth + 1..])? });
                    return Ok(());
                }
            }
            match at.entry(key) {
                Some(entry) if entry.merged.is_some() => {
                    return Err(Refusal::at(entry.key.span(), format!("a merge key (`<<`) brings in `{key}`")));
                }
                Some(entry) => at = entry.value,
                None => {
                    if let Some(written) = written {
                        // Builds drop annotations that are empty, and keep them filled.
                        if !written.is_empty() {
                            let reason = format!("`{key}` stands here, and the build takes it away");
                            return Err(Refusal::at(home.grip(), reason));
                        }
                        at = written;
                        continue;
                    }
                    let value = act.under(&path[depth + 1..])?;
                    draft.slots(home)?.push(Slot::New { key: (*key).into(), value });
                    return Ok(());
                }
            }
        }
        match act {
            Act::Set(value) => self.replace(at, value),
            Act::Push(item) => self.insert_item(at, At::Last, item),
        }
    }

    /// Puts another value in the place of a node. A scalar keeps its quotes where the new one allows it.
    ///
    /// # Errors
    /// When the place can't be edited.
    pub fn replace(&mut self, node: Node<'t>, value: impl Into<Value>) -> Result<(), Refusal> {
        let value = value.into();
        if let (Written::Parts(_), Value::String(text), Some(old)) = (node.written(), &value, node.text()) {
            return self.retext(node, super::text::difference(old, text));
        }
        if node.is_alias() {
            return Err(Refusal::at(node.written_span(), "the value is repeated from elsewhere by an alias"));
        }
        let home = home(node)?;
        let draft = self.draft(home)?;
        if value.matches(home) {
            draft.plans.remove(&home.id());
            return Ok(());
        }
        draft.guard_all(home)?;
        if home.tag().is_some() {
            return Err(Refusal::at(home.grip(), "the value has a tag"));
        }
        if home.text().is_some_and(is_template) {
            return Err(Refusal::at(home.span(), "the value is a template"));
        }
        draft.forget(home);
        draft.plans.insert(home.id(), Plan::Replace(value));
        Ok(())
    }

    /// Changes parts of a scalar's text, by byte ranges of [`Node::text`]; the rest of it stays as it is written. Ranges of
    /// several calls count in the text as it was, and must not overlap.
    ///
    /// # Errors
    /// When the place can't be edited.
    pub fn retext(&mut self, node: Node<'t>, edits: Vec<TextEdit>) -> Result<(), Refusal> {
        if node.is_alias() {
            return Err(Refusal::at(node.written_span(), "the value is repeated from elsewhere by an alias"));
        }
        if let Written::Parts(parts) = node.written() {
            for edit in edits {
                let (part, edit) = super::text::part(parts, edit)?;
                self.retext(part, vec![edit])?;
            }
            return Ok(());
        }
        let home = home(node)?;
        let draft = self.draft(home)?;
        draft.guard(home)?;
        if home.shape() != Shape::Scalar {
            return Err(Refusal::at(home.grip(), "the value is no text"));
        }
        if node.text() != home.text() {
            return Err(Refusal::at(home.span(), "the build changes the text that stands here"));
        }
        match draft.plans.entry(home.id()).or_insert_with(|| Plan::Text(Vec::new())) {
            Plan::Text(old) => old.extend(edits),
            _ => return Err(Refusal::at(home.span(), "the value is replaced by another change")),
        }
        Ok(())
    }

    /// Inserts an entry into a mapping.
    ///
    /// # Errors
    /// When the key stands there already, or the place can't be edited.
    pub fn insert(&mut self, map: Node<'t>, at: At<'t>, key: &str, value: impl Into<Value>) -> Result<(), Refusal> {
        if map.is_null() {
            return self.set(map, &[key], value);
        }
        let home = home(map)?;
        if !home.is_mapping() {
            return Err(Refusal::at(home.grip(), format!("`{key}` can't be added to what is no mapping")));
        }
        let draft = self.draft(home)?;
        let added = |slots: &Vec<Slot>| slots.iter().any(|s| matches!(s, Slot::New { key: k, .. } if k == key));
        let planned = matches!(draft.plans.get(&home.id()), Some(Plan::Slots(slots)) if added(slots));
        if map.get(key).is_some() || home.get(key).is_some() || planned {
            return Err(Refusal::at(home.grip(), format!("`{key}` stands there already")));
        }
        self.put(home, at, Slot::New { key: key.into(), value: value.into() })
    }

    /// Inserts an item into a list.
    ///
    /// # Errors
    /// When the node is no list, or the place can't be edited.
    pub fn insert_item(&mut self, list: Node<'t>, at: At<'t>, item: impl Into<Value>) -> Result<(), Refusal> {
        let home = home(list)?;
        let draft = self.draft(home)?;
        if let Some(Plan::Replace(value)) = draft.plans.get_mut(&home.id()) {
            return value.push(item.into());
        }
        if home.is_null() && home.shape() == Shape::Scalar {
            return self.replace(list, Value::List(vec![item.into()]));
        }
        if !home.is_sequence() {
            return Err(Refusal::at(home.grip(), "an item can't be added to what is no list"));
        }
        self.put(home, at, Slot::New { key: String::new(), value: item.into() })
    }

    fn put(&mut self, home: Node<'t>, at: At<'t>, new: Slot) -> Result<(), Refusal> {
        let draft = self.draft(home)?;
        let position = match at {
            At::First | At::Last => None,
            At::After(node) | At::Before(node) => {
                let neighbour = self::home(node)?;
                let place = draft.place(neighbour).filter(|(parent, _)| *parent == home.id() && same(neighbour, home));
                let Some((_, index)) = place else {
                    return Err(Refusal::at(node.grip(), "this does not stand in the same list or mapping"));
                };
                Some(index)
            }
        };
        let slots = draft.slots(home)?;
        let is_new = |slot: &Slot| matches!(slot, Slot::New { .. });
        let kept = |slot: &Slot| matches!(slot, Slot::Kept { index, .. } if Some(*index) == position);
        let found = slots.iter().position(kept);
        if position.is_some() && found.is_none() {
            return Err(Refusal::at(home.grip(), "another change takes the neighbour away"));
        }
        // Behind what was inserted there before, so that insertions stand in the order in which they were asked for.
        let start = match (at, found) {
            (At::First, _) => 0,
            (At::After(_), Some(found)) => found + 1,
            (At::Before(_), Some(found)) => {
                slots.insert(found, new);
                return Ok(());
            }
            _ => slots.len(),
        };
        let behind = slots[start..].iter().take_while(|slot| is_new(slot)).count();
        slots.insert(start + behind, new);
        Ok(())
    }

    /// Gives the entry with this value another key.
    ///
    /// # Errors
    /// When the node is no value of a mapping, the key is taken, or the place can't be edited.
    pub fn rename(&mut self, value: Node<'t>, key: &str) -> Result<(), Refusal> {
        let home = home(value)?;
        let (draft, map, index) = self.parent(home)?;
        let Some(entry) = map.written_entries().into_iter().nth(index).filter(|_| map.is_mapping()) else {
            return Err(Refusal::at(home.grip(), "the value stands under no key"));
        };
        if map.written_entries().iter().enumerate().any(|(i, e)| i != index && e.key.text() == Some(key)) {
            return Err(Refusal::at(entry.key.span(), format!("`{key}` stands there already")));
        }
        draft.guard_own(entry.key)?;
        if is_template(entry.key.text().unwrap_or("")) {
            return Err(Refusal::at(entry.key.span(), "the key is a template"));
        }
        for slot in draft.slots(map)? {
            if let Slot::Kept { index: i, key: name } = slot
                && *i == index
            {
                *name = (entry.key.as_str() != Some(key)).then(|| key.to_string());
            }
        }
        Ok(())
    }

    /// Has [`Changes::remove_up_to`] leave a collection where it is when it is empty.
    pub fn keep(&mut self, collection: Node<'t>, empty: Empty) {
        self.kept.extend(home(collection).map(|home| (home, empty)));
    }

    /// Whether something is planned for this very node.
    pub fn touch(&self, node: Node<'t>) -> bool {
        let planned = |home: Node<'t>| {
            let draft = self.drafts.iter().find(|draft| std::ptr::eq(draft.tree, home.tree()));
            draft.is_some_and(|draft| draft.plans.contains_key(&home.id()))
        };
        home(node).is_ok_and(planned)
    }

    /// Takes away the entry with this value, or this item.
    ///
    /// # Errors
    /// When the place can't be edited.
    pub fn remove(&mut self, node: Node<'t>) -> Result<(), Refusal> {
        let home = home(node)?;
        self.remove_home(home).map(drop)
    }

    /// As [`Changes::remove`]; collections that are empty then are taken away as well, up to `keep`, which stays (as `{}` if
    /// need be), as does one that somebody wrote a comment into.
    ///
    /// # Errors
    /// When the place can't be edited.
    pub fn remove_up_to(&mut self, node: Node<'t>, keep: Node<'t>) -> Result<(), Refusal> {
        let (mut home, keep) = (home(node)?, home(keep)?);
        loop {
            let (parent, empty) = self.remove_home(home)?;
            if !empty || parent == keep {
                return Ok(());
            }
            if let Some((_, stays)) = self.kept.iter().find(|(node, _)| *node == parent).copied() {
                if stays == Empty::Key && parent.style() == Style::Block {
                    self.draft(parent)?.plans.insert(parent.id(), Plan::Nothing);
                }
                return Ok(());
            }
            match self.parent(parent) {
                Ok((_, above, index)) if !has_comment(parent, above, index) => {}
                _ => return Ok(()),
            }
            home = parent;
        }
    }

    fn remove_home(&mut self, home: Node<'t>) -> Result<(Node<'t>, bool), Refusal> {
        let (draft, parent, index) = self.parent(home)?;
        // Of an operation of a JSON patch that adds the value nothing is left without it.
        let own = parent.written_entries().get(index).and_then(|entry| entry.key.text());
        if let Some(op) = parent.get("op").filter(|_| own == Some("value") && parent.get("path").is_some()) {
            let list = draft.place(parent).map(|(list, _)| draft.tree.node(list)).filter(|list| list.items().len() > 1);
            if op.text() != Some("add") || list.is_none() {
                return Err(Refusal::at(
                    op.grip(),
                    "an operation of a JSON patch sets the value: take it away by hand",
                ));
            }
            let (list, empty) = self.remove_home(parent)?;
            return match empty {
                true => Err(Refusal::at(op.grip(), "nothing would be left of the JSON patch: take it away by hand")),
                false => Ok((list, false)),
            };
        }
        draft.guard_all(home)?;
        if let Some(entry) = parent.written_entries().get(index) {
            draft.guard_own(entry.key)?;
        }
        if matches!(draft.plans.get(&parent.id()), Some(Plan::Nothing)) {
            return Ok((parent, false));
        }
        draft.forget(home);
        let slots = draft.slots(parent)?;
        slots.retain(|slot| !matches!(slot, Slot::Kept { index: i, .. } if *i == index));
        Ok((parent, slots.is_empty()))
    }

    fn parent(&mut self, home: Node<'t>) -> Result<(&mut Draft<'t>, Node<'t>, usize), Refusal> {
        if home.is_alias() {
            return Err(Refusal::at(home.written_span(), "the value is repeated from elsewhere by an alias"));
        }
        let draft = self.draft(home)?;
        let Some((parent, index)) = draft.place(home) else {
            return Err(Refusal::at(home.grip(), "the value stands in no mapping and no list"));
        };
        let parent = draft.tree.node(parent);
        Ok((draft, parent, index))
    }

    fn draft(&mut self, home: Node<'t>) -> Result<&mut Draft<'t>, Refusal> {
        let tree: &'t Tree = home.tree();
        // Where a change of rendered text would be made is found out later.
        if let Some(why) = tree.source().why_read_only().filter(|why| *why != ReadOnly::Rendered) {
            let reason = format!("{} {}", tree.source().path().display(), why.as_str());
            return Err(Refusal::at(home.grip(), reason));
        }
        let index = match self.drafts.iter().position(|d| std::ptr::eq(d.tree, tree)) {
            Some(index) => index,
            None => {
                self.drafts.push(Draft::new(tree));
                self.drafts.len() - 1
            }
        };
        self.drafts.get_mut(index).ok_or_else(|| Refusal::new("the document is not known"))
    }

    /// The edits, by file and offset. They do not overlap; insertions at the same offset stand in the order in which they
    /// must be made, as [`super::apply_to`] makes them.
    ///
    /// What changed is read again: the whole document, or the entry or item that holds the change and reads alone as it does
    /// there. It must hold exactly what was asked for, and the rest of it what it held.
    ///
    /// # Errors
    /// When a place can't be edited, or an edited document would not be read as intended.
    pub fn finish(self) -> Result<Vec<Edit>, Refusal> {
        let (embedded, files): (Vec<&Draft<'t>>, Vec<_>) = self.drafts.iter().partition(|d| d.tree.is_embedded());
        let mut edits = inside::edits(&embedded)?;
        for draft in files {
            edits.extend(emit::edits(draft, self.json)?);
        }
        edits.sort_by_key(|e| (e.span.file, e.span.start, e.span.end));
        Ok(edits)
    }
}

/// Whether a comment stands in a collection itself: behind its key, or between its entries or items.
fn has_comment(node: Node<'_>, parent: Node<'_>, index: usize) -> bool {
    if node.tree().is_embedded() {
        return false;
    }
    let text = node.tree().source().text();
    let children: Vec<(u32, u32)> = match node.is_mapping() {
        true => {
            node.written_entries().iter().map(|e| (e.key.written_span().start, e.value.written_span().end)).collect()
        }
        false => node.items().iter().map(|item| (item.written_span().start, item.written_span().end)).collect(),
    };
    let key = parent.written_entries().get(index).map(|entry| entry.key.written_span().end);
    let Some(first) = children.first() else { return false };
    let head = key.and_then(|key| text.get(key as usize..first.0 as usize)).is_some_and(|head| head.contains('#'));
    // What follows an item on its line is about the item.
    let between = |pair: &[(u32, u32)]| {
        let gap = text.get(pair[0].1 as usize..pair[1].0 as usize).unwrap_or("");
        gap.find(['\n', '\r']).is_some_and(|line| gap[line..].contains('#'))
    };
    head || children.windows(2).any(between)
}

fn same(a: Node<'_>, b: Node<'_>) -> bool {
    std::ptr::eq(a.tree(), b.tree())
}

/// The node as it stands in a file.
pub(super) fn home(node: Node<'_>) -> Result<Node<'_>, Refusal> {
    match node.written() {
        Written::Node(node) => Ok(node),
        Written::Parts(_) => Err(Refusal::at(node.span(), "the value is put together from several places")),
        Written::Made(span) => Err(Refusal::at(span, "the build makes this value: nobody wrote it")),
    }
}
