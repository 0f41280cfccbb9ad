//! Paths to values, as people write them: `engine.ports[0].name`.

use std::fmt;

use smol_str::SmolStr;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// A key of a mapping.
    Key(SmolStr),
    /// An item of a list, from 0.
    Index(usize),
    /// Some entry of a mapping or list: which one, the text does not tell.
    Any,
}

/// A path from the root of the values of the chart that is installed: a value of a subchart starts with the subchart's
/// key.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValuePath(Vec<Segment>);

impl ValuePath {
    /// The root.
    pub fn root() -> ValuePath {
        ValuePath::default()
    }

    /// A path of keys that hold no dot.
    pub fn dotted(path: &str) -> ValuePath {
        ValuePath(path.split('.').filter(|k| !k.is_empty()).map(|k| Segment::Key(k.into())).collect())
    }

    /// The path and one step more.
    pub fn then(&self, segment: Segment) -> ValuePath {
        let mut segments = self.0.clone();
        segments.push(segment);
        ValuePath(segments)
    }

    /// The path and a key.
    pub fn key(&self, key: &str) -> ValuePath {
        self.then(Segment::Key(key.into()))
    }

    /// The path and an index.
    pub fn index(&self, index: usize) -> ValuePath {
        self.then(Segment::Index(index))
    }

    /// The path and another one that starts there.
    pub fn join(&self, rest: &ValuePath) -> ValuePath {
        ValuePath(self.0.iter().chain(&rest.0).cloned().collect())
    }

    /// The steps.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The path without its last step; `None` for the root.
    pub fn parent(&self) -> Option<ValuePath> {
        let (_, rest) = self.0.split_last()?;
        Some(ValuePath(rest.to_vec()))
    }

    /// Whether it is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it holds no [`Segment::Any`], so that it names one value.
    pub fn is_exact(&self) -> bool {
        !self.0.contains(&Segment::Any)
    }

    /// Whether `other` is this path or lies below it; [`Segment::Any`] on either side is every step.
    pub fn covers(&self, other: &ValuePath) -> bool {
        self.0.len() <= other.0.len() && self.0.iter().zip(&other.0).all(|(a, b)| a.matches(b))
    }

    /// Whether one of the two covers the other.
    pub fn overlaps(&self, other: &ValuePath) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| a.matches(b))
    }
}

impl Segment {
    fn matches(&self, other: &Segment) -> bool {
        self == other || *self == Segment::Any || *other == Segment::Any
    }
}

impl FromIterator<Segment> for ValuePath {
    fn from_iter<T: IntoIterator<Item = Segment>>(segments: T) -> ValuePath {
        ValuePath(segments.into_iter().collect())
    }
}

impl fmt::Display for ValuePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Key(key) if key.contains(['.', '[', ']', '/']) => write!(f, "[{key}]")?,
                Segment::Key(key) if i == 0 => f.write_str(key)?,
                Segment::Key(key) => write!(f, ".{key}")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Any => f.write_str("[*]")?,
            }
        }
        Ok(())
    }
}
