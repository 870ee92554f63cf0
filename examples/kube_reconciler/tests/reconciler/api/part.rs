//! The objects that the tests look at, each by the path that it has in any namespace.

use std::fmt;

/// One object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    api: &'static str,
    plural: &'static str,
    name: &'static str,
}

pub(crate) const DATABASE: Part = Part::new("apis/example.com/v1", "databases", "main");
pub(crate) const SECRET: Part = Part::new("api/v1", "secrets", "main-password");
pub(crate) const VOLUME: Part = Part::new("api/v1", "persistentvolumeclaims", "main");
pub(crate) const SERVER: Part = Part::new("apis/apps/v1", "statefulsets", "main");
pub(crate) const SERVICE: Part = Part::new("api/v1", "services", "main");

/// One of each kind that a test may find.
pub(crate) const PARTS: [Part; 5] = [DATABASE, SECRET, VOLUME, SERVER, SERVICE];

impl Part {
    const fn new(api: &'static str, plural: &'static str, name: &'static str) -> Self {
        Self { api, plural, name }
    }

    /// Its kind, as paths have it.
    pub(crate) fn plural(self) -> &'static str {
        self.plural
    }

    /// The path of the objects of its kind.
    pub(crate) fn list(self, namespace: &str) -> String {
        let Self { api, plural, .. } = self;
        format!("/{api}/namespaces/{namespace}/{plural}")
    }

    /// Its path.
    pub(crate) fn path(self, namespace: &str) -> String {
        format!("{}/{}", self.list(namespace), self.name)
    }
}

/// Its kind and its name: the end of its path.
impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.plural, self.name)
    }
}
