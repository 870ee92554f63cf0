//! What a function, a method or a macro does, as far as its name tells: whether it gives the same value
//! each time.

use syn::Path;

use crate::idents::{PRIMITIVES, is_snake, is_type};

/// Whether a function gives the same value each time, by its path.
pub(super) fn is_plain_function(path: &Path, args: usize) -> bool {
    let names: Vec<String> = path
        .segments
        .iter()
        .map(|part| part.ident.to_string())
        .collect();
    let Some((name, before)) = names.split_last() else {
        return true;
    };
    // `Some(…)`, `Id(…)`, `Address::V4(…)`.
    if !is_snake(name) {
        return true;
    }
    let Some(of) = before.last() else {
        return false;
    };
    if changes(name) {
        return false;
    }
    if STANDARD.contains(&of.as_str()) || PRIMITIVES.contains(&of.as_str()) {
        return true;
    }
    // `Id::from(…)`, `Version::new(1, 2)`: of what they are given. `Ulid::new()` makes a new one.
    let converts = matches!(name.as_str(), "from" | "try_from" | "default")
        || name.starts_with("from_")
        || (name == "new" && args > 0);
    is_type(of) && converts
}

/// Whether a method or a function, by its name, tells the time, a random number or the next of
/// something, or changes something.
pub(super) fn changes(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "elapsed", "fetch", "lock", "next_id", "now", "random", "sample", "shuffle", "swap",
        "try_lock",
    ];
    const BEGINNINGS: &[&str] = &[
        "fetch_", "gen_", "next_u", "now_", "random_", "recv", "try_recv",
    ];
    NAMES.contains(&name) || BEGINNINGS.iter().any(|begin| name.starts_with(begin))
}

/// Whether a method of what the flow is lent, by its name, makes something new.
pub(super) fn makes(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "fresh",
        "gen",
        "generate",
        "increment",
        "load",
        "next",
        "pop",
        "take",
    ];
    const BEGINNINGS: &[&str] = &["fresh_", "generate_", "new_", "next_", "unique_"];
    NAMES.contains(&name) || BEGINNINGS.iter().any(|begin| name.starts_with(begin))
}

/// Methods that only read a constant: on a `static` that changes, they would not compile or read
/// nothing that changes.
pub(super) const READS: &[&str] = &[
    "as_bytes",
    "as_micros",
    "as_millis",
    "as_nanos",
    "as_ref",
    "as_secs",
    "as_str",
    "clone",
    "cloned",
    "copied",
    "into",
    "is_empty",
    "iter",
    "len",
    "max",
    "min",
    "to_owned",
    "to_string",
    "to_vec",
];

/// Macros that give a constant.
pub(super) const FIXED: &[&str] = &[
    "cfg",
    "column",
    "concat",
    "env",
    "file",
    "include_bytes",
    "include_str",
    "line",
    "module_path",
    "option_env",
    "stringify",
];

/// Types and traits of the standard library whose functions only make a value of what they are given.
const STANDARD: &[&str] = &[
    "Arc",
    "AsRef",
    "BTreeMap",
    "BTreeSet",
    "BinaryHeap",
    "Borrow",
    "Box",
    "Clone",
    "Cow",
    "Default",
    "Deref",
    "Duration",
    "Err",
    "From",
    "HashMap",
    "HashSet",
    "Into",
    "IpAddr",
    "Ipv4Addr",
    "Ipv6Addr",
    "NonZero",
    "Ok",
    "Option",
    "Ord",
    "OsStr",
    "OsString",
    "Path",
    "PathBuf",
    "PartialEq",
    "PartialOrd",
    "Range",
    "Rc",
    "Result",
    "Reverse",
    "SocketAddr",
    "Some",
    "String",
    "ToOwned",
    "ToString",
    "TryFrom",
    "TryInto",
    "Vec",
    "VecDeque",
    "Wrapping",
    "cmp",
    "str",
];
