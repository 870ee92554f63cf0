//! Paths.
pub fn join<S: AsRef<str>>(names: &[S]) -> String {
    names.iter().map(|n| n.as_ref().replace('\\', "\\\\").replace('.', "\\.")).collect::<Vec<_>>().join(".")
}
pub fn split(path: &str) -> Vec<String> { path.split('.').map(str::to_owned).collect() }
