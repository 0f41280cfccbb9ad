//! `--set`: `a.b=1,c[0].d=x,e={1,2}`, read as helm's `strvals` does.
//!
//! Source: `pkg/strvals/parser.go` of helm 3.17.

use std::iter::Peekable;
use std::str::Chars;
use std::sync::Arc;

use smol_str::SmolStr;

use super::store::{Data, ListId, Place, Slot, Store, TableId, ValuesError};

/// Highest index of a list; helm's `MaxIndex`.
const INDEX_LIMIT: usize = 65_536;
/// Deepest nesting of a name; helm's `MaxNestedNameLevel`.
const DEPTH_LIMIT: usize = 30;

/// A `--set` argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// What was written, such as `a.b=1,c=x`.
    pub text: String,
    /// `--set-string`: every value is a string.
    pub string: bool,
}

/// Puts what a `--set` argument says into a table.
pub(super) fn apply(store: &mut Store, table: TableId, set: &Set, place: usize) -> Result<(), ValuesError> {
    let place = Arc::new(Place::CommandLine(place));
    let mut parser = Parser { store, input: set.text.chars().peekable(), string: set.string, place };
    while parser.input.peek().is_some() {
        parser.key(table, 0).map_err(|message| ValuesError {
            span: None,
            message: format!("`--set {}` can't be read: {message}", set.text),
        })?;
    }
    Ok(())
}

/// Whether helm can read a `--set` argument.
///
/// # Errors
/// Why it can't.
pub fn check_set(text: &str) -> Result<(), String> {
    let mut store = Store::default();
    let table = store.new_table();
    apply(&mut store, table, &Set { text: text.into(), string: false }, 0).map_err(|e| e.message)
}

struct Parser<'a> {
    store: &'a mut Store,
    input: Peekable<Chars<'a>>,
    string: bool,
    place: Arc<Place>,
}

/// A value that may hold more values.
enum Value {
    One(Data),
    Many(Vec<Data>),
}

impl Parser<'_> {
    /// Text up to one of the characters, which is taken, too; a backslash takes the next character as it is.
    fn until(&mut self, stop: &[char]) -> (String, Option<char>) {
        let mut text = String::new();
        while let Some(c) = self.input.next() {
            if stop.contains(&c) {
                return (text, Some(c));
            }
            let c = if c == '\\' { self.input.next() } else { Some(c) };
            text.extend(c);
        }
        (text, None)
    }

    fn key(&mut self, table: TableId, depth: usize) -> Result<(), String> {
        if depth > DEPTH_LIMIT {
            return Err(format!("names nest deeper than {DEPTH_LIMIT}"));
        }
        let (key, stop) = self.until(&['=', '[', ',', '.']);
        match stop {
            None if key.is_empty() => Ok(()),
            None => Err(format!("key `{key}` has no value")),
            Some('=') => {
                let data = match self.value()? {
                    Value::One(data) => data,
                    Value::Many(items) => self.list(items),
                };
                self.put(table, &key, data);
                Ok(())
            }
            Some('[') => {
                let index = self.index()?;
                let list = match self.store.tables[table].get(key.as_str()).map(|slot| &slot.data) {
                    None => self.store.add_list(Vec::new()),
                    Some(Data::List(list)) => *list,
                    Some(_) => return Err(format!("`{key}` is not a list")),
                };
                self.item(list, index, depth)?;
                self.keep(table, &key, Data::List(list));
                Ok(())
            }
            Some('.') => {
                let inner = match self.store.tables[table].get(key.as_str()).map(|slot| &slot.data) {
                    None => self.store.new_table(),
                    Some(Data::Table(inner)) => *inner,
                    Some(_) => return Err(format!("`{key}` is not a mapping")),
                };
                self.key(inner, depth + 1)?;
                if self.store.tables[inner].is_empty() {
                    return Err(format!("key map `{key}` has no value"));
                }
                self.keep(table, &key, Data::Table(inner));
                Ok(())
            }
            Some(_) => Err(format!("key `{key}` has no value")),
        }
    }

    fn index(&mut self) -> Result<usize, String> {
        let (text, stop) = self.until(&[']']);
        let index = stop.and_then(|_| text.parse::<usize>().ok());
        index.filter(|i| *i <= INDEX_LIMIT).ok_or_else(|| format!("`[{text}` is not an index up to {INDEX_LIMIT}"))
    }

    fn item(&mut self, list: ListId, index: usize, depth: usize) -> Result<(), String> {
        if depth > DEPTH_LIMIT {
            return Err(format!("names nest deeper than {DEPTH_LIMIT}"));
        }
        let (text, stop) = self.until(&['[', '.', '=']);
        if !text.is_empty() {
            return Err(format!("unexpected `{text}` after an index"));
        }
        let existing = self.store.lists[list].get(index).map(|slot| slot.data.clone());
        match stop {
            Some('=') => {
                let data = match self.value()? {
                    Value::One(data) => data,
                    Value::Many(items) => self.list(items),
                };
                self.put_item(list, index, data);
            }
            Some('[') => {
                let next = self.index()?;
                let inner = match existing {
                    None | Some(Data::Null) => self.store.add_list(Vec::new()),
                    Some(Data::List(inner)) => inner,
                    Some(_) => return Err("an item is not a list".into()),
                };
                self.item(inner, next, depth + 1)?;
                self.keep_item(list, index, Data::List(inner));
            }
            Some('.') => {
                let inner = match existing {
                    Some(Data::Table(inner)) => inner,
                    _ => self.store.new_table(),
                };
                self.key(inner, depth + 1)?;
                self.keep_item(list, index, Data::Table(inner));
            }
            _ => return Err("an index without a value".into()),
        }
        Ok(())
    }

    /// What follows `=`: `{a,b}`, or text up to the next comma.
    fn value(&mut self) -> Result<Value, String> {
        if self.input.peek() != Some(&'{') {
            let (text, _) = self.until(&[',']);
            return Ok(Value::One(self.typed(&text)));
        }
        self.input.next();
        let mut items = Vec::new();
        loop {
            let (text, stop) = self.until(&[',', '}']);
            match stop {
                None => return Err("a list must end with `}`".into()),
                Some(c) => {
                    items.push(self.typed(&text));
                    if c == '}' {
                        self.input.next_if_eq(&',');
                        return Ok(Value::Many(items));
                    }
                }
            }
        }
    }

    fn typed(&self, text: &str) -> Data {
        if self.string {
            return Data::Text(text.into());
        }
        let is = |word: &str| text.eq_ignore_ascii_case(word);
        if is("true") || is("false") {
            return Data::Bool(is("true"));
        }
        if is("null") {
            return Data::Null;
        }
        let number = (text == "0" || !text.starts_with('0')).then(|| text.parse::<i64>().ok()).flatten();
        number.map_or_else(|| Data::Text(text.into()), |n| Data::Number(n.into()))
    }

    fn list(&mut self, items: Vec<Data>) -> Data {
        let slot = |data| Slot { data, place: Arc::clone(&self.place), overrode: Vec::new() };
        let slots = items.into_iter().map(slot).collect();
        Data::List(self.store.add_list(slots))
    }

    /// Sets a key; an empty key is dropped, as helm does.
    fn put(&mut self, table: TableId, key: &str, data: Data) {
        if key.is_empty() {
            return;
        }
        let mut slot = Slot { data, place: Arc::clone(&self.place), overrode: Vec::new() };
        if let Some(old) = self.store.tables[table].get(key) {
            slot.wins_over(old);
        }
        self.store.tables[table].insert(SmolStr::new(key), slot);
    }

    /// As [`Parser::put`] for a table or list that something was set in: it keeps the place it has.
    fn keep(&mut self, table: TableId, key: &str, data: Data) {
        if self.store.tables[table].get(key).is_none_or(|slot| slot.data != data) {
            self.put(table, key, data);
        }
    }

    fn put_item(&mut self, list: ListId, index: usize, data: Data) {
        let mut slot = Slot { data, place: Arc::clone(&self.place), overrode: Vec::new() };
        let items = &mut self.store.lists[list];
        while items.len() <= index {
            items.push(Slot { data: Data::Null, place: Arc::clone(&self.place), overrode: Vec::new() });
        }
        slot.wins_over(&items[index]);
        items[index] = slot;
    }

    fn keep_item(&mut self, list: ListId, index: usize, data: Data) {
        if self.store.lists[list].get(index).is_none_or(|slot| slot.data != data) {
            self.put_item(list, index, data);
        }
    }
}
