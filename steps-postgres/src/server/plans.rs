//! How the server is to plan what changes something.

/// All of it finds its rows by an index, and is said again and again. So a plan is not made for each call; and the one
/// that is kept must not be that of the first call, which may have met empty tables, and would read all of what is in
/// them by now. Nor is anything large enough to be compiled.
pub(super) const BY_KEYS: [(&str, &str); 3] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("jit", "off"),
];

/// Returns what says so for one transaction.
pub(super) fn by_keys() -> String {
    BY_KEYS
        .map(|(name, value)| format!("SET LOCAL {name} = {value}"))
        .join("; ")
}
