//! The visitors that read a node and its children. After an error, each level adds its name to the
//! trail on the way out, so paths cost nothing if all goes well.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet, hash_map::Entry},
    fmt,
};

use serde::{
    Deserializer,
    de::{self, DeserializeSeed, MapAccess, SeqAccess},
};

use super::{
    LimitKind, Limits, State,
    fields::{Fields, Key},
};

/// The shared data while one document is read.
pub(super) struct Reader<'l> {
    limits: &'l Limits,
    nodes: usize,
    /// After an error: the names from the node with the error up to the child of the root.
    pub(super) trail: Vec<String>,
    /// The depth whose name was last added to `trail`.
    trail_depth: usize,
    /// After an error: the field that caused it.
    pub(super) field: String,
    /// After an error: the limit that was exceeded, and its value.
    pub(super) passed: Option<(LimitKind, usize)>,
}

impl<'l> Reader<'l> {
    pub(super) fn new(limits: &'l Limits) -> Self {
        Self {
            limits,
            nodes: 0,
            trail: Vec::new(),
            trail_depth: usize::MAX,
            field: String::new(),
            passed: None,
        }
    }

    #[inline]
    fn enter<E: de::Error>(&mut self, depth: usize) -> Result<(), E> {
        let limits = self.limits;
        self.nodes += 1;
        if self.nodes > limits.nodes {
            return Err(self.pass(LimitKind::Nodes, limits.nodes));
        }
        let deepest = limits.depth.min(Limits::MAX_DEPTH);
        if depth >= deepest {
            return Err(self.pass(LimitKind::Depth, deepest));
        }
        Ok(())
    }

    #[cold]
    fn pass<E: de::Error>(&mut self, limit: LimitKind, max: usize) -> E {
        self.passed = Some((limit, max));
        E::custom(format_args!("more than {max} {limit}, the limit"))
    }

    /// Records the field with an error, unless the error occurred further down.
    #[cold]
    fn blame(&mut self, field: &str) {
        if self.field.is_empty() && self.trail.is_empty() && self.passed.is_none() {
            field.clone_into(&mut self.field);
        }
    }

    /// Records the node with an error, or a node above it.
    #[cold]
    fn leave(&mut self, depth: usize, name: Cow<'_, str>) {
        if depth > 0 && self.trail_depth != depth {
            self.trail.push(name.into_owned());
            self.trail_depth = depth;
        }
    }
}

/// Reads one node.
pub(super) struct NodeSeed<'a, 'l> {
    reader: &'a mut Reader<'l>,
    depth: usize,
    index: usize,
}

impl<'a, 'l> NodeSeed<'a, 'l> {
    pub(super) fn root(reader: &'a mut Reader<'l>) -> Self {
        Self {
            reader,
            depth: 0,
            index: 0,
        }
    }
}

impl<'de> DeserializeSeed<'de> for NodeSeed<'_, '_> {
    type Value = State;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<State, D::Error> {
        let Self {
            reader,
            depth,
            index,
        } = self;
        let node = reader.enter(depth).and_then(|()| {
            deserializer.deserialize_map(NodeVisitor {
                reader: &mut *reader,
                depth,
            })
        });
        if node.is_err() {
            reader.leave(depth, format!("#{index}").into());
        }
        node
    }
}

struct NodeVisitor<'a, 'l> {
    reader: &'a mut Reader<'l>,
    depth: usize,
}

impl<'de> de::Visitor<'de> for NodeVisitor<'_, '_> {
    type Value = State;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a node, which is an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<State, A::Error> {
        let Self { reader, depth } = self;
        let mut node = State::default();
        let mut fields = Fields::default();
        match fill(&mut node, &mut fields, map, reader, depth) {
            Ok(()) => Ok(node),
            Err(error) => {
                if fields.has_name() {
                    reader.leave(depth, node.node.name);
                }
                Err(error)
            }
        }
    }
}

#[inline]
fn fill<'de, A: MapAccess<'de>>(
    node: &mut State,
    fields: &mut Fields,
    mut map: A,
    reader: &mut Reader<'_>,
    depth: usize,
) -> Result<(), A::Error> {
    while let Some(key) = map.next_key::<Key>()? {
        let read = if key == Key::States {
            fields
                .once(&key)
                .and_then(|()| map.next_value_seed(Below { reader, depth }))
                .map(|states| node.states = states)
        } else {
            fields.read(node, &key, &mut map)
        };
        if let Err(error) = read {
            reader.blame(key.as_str());
            return Err(error);
        }
    }
    fields.finish(node).map_err(de::Error::custom)
}

/// Reads the children of a node.
struct Below<'a, 'l> {
    reader: &'a mut Reader<'l>,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Below<'_, '_> {
    type Value = Vec<State>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<State>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> de::Visitor<'de> for Below<'_, '_> {
    type Value = Vec<State>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of nodes")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Vec<State>, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<State>, A::Error> {
        let mut states = Vec::new();
        while let Some(state) = list.next_element_seed(NodeSeed {
            reader: &mut *self.reader,
            depth: self.depth + 1,
            index: states.len(),
        })? {
            states.push(state);
        }
        Ok(last_of_each_name(states))
    }
}

/// Of several nodes with one name, keeps the last, in the place of the first.
fn last_of_each_name(mut states: Vec<State>) -> Vec<State> {
    /// Up to this number, comparing each pair is faster than hashing.
    const FEW: usize = 8;
    let unique = if states.len() <= FEW {
        (1..states.len()).all(|i| states[..i].iter().all(|s| s.name != states[i].name))
    } else {
        let mut names = HashSet::with_capacity(states.len());
        states.iter().all(|state| names.insert(&*state.name))
    };
    if unique {
        return states;
    }
    let mut places = HashMap::with_capacity(states.len());
    let mut kept = Vec::with_capacity(states.len());
    for state in states.drain(..) {
        match places.entry(state.name.clone()) {
            Entry::Occupied(place) => kept[*place.get()] = state,
            Entry::Vacant(place) => {
                place.insert(kept.len());
                kept.push(state);
            }
        }
    }
    kept
}
