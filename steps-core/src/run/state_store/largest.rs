//! Finds what takes most of the room in a saved state.

use crate::model::state::State;

/// Returns the path of the node with the most bytes of its own, and how many they are. The root's path is empty.
pub(super) fn largest(state: &State) -> (String, usize) {
    let root = own_bytes(state);
    let below = state.walk().map(|(path, node)| (path, own_bytes(node)));
    // Of two that are as large, the first.
    std::iter::once((String::new(), root))
        .chain(below)
        .reduce(|most, next| if next.1 > most.1 { next } else { most })
        .unwrap_or_default()
}

/// How long the text of a node is without the nodes below it.
fn own_bytes(node: &State) -> usize {
    State::from(node.node.clone()).to_json().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_node_with_the_most_bytes_of_its_own_is_found() {
        let state = |input: usize, a: usize, b: usize| {
            let [input, a, b] = [input, a, b].map(|length| "x".repeat(length));
            let text = format!(
                r#"{{"name":"f","startedAt":"2026-01-01T00:00:00Z","input":{{"i":"{input}"}},"states":[
                    {{"name":"g","kind":"group","startedAt":"2026-01-01T00:00:00Z","states":[
                        {{"name":"a","startedAt":"2026-01-01T00:00:00Z","doneAt":"2026-01-01T00:00:00Z","output":"{a}"}},
                        {{"name":"b","startedAt":"2026-01-01T00:00:00Z","doneAt":"2026-01-01T00:00:00Z","output":"{b}"}}]}}]}}"#
            );
            State::from_json(&text).expect("it is a state")
        };
        let (path, bytes) = largest(&state(10, 500, 1000));
        assert_eq!(path, "g.b");
        assert!((1000..1200).contains(&bytes), "{bytes}");
        assert_eq!(largest(&state(10, 500, 500)).0, "g.a");
        assert_eq!(largest(&state(3000, 500, 1000)).0, "");
    }
}
