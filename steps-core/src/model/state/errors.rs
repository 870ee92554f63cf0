//! The errors that a node keeps: few of many, and none that is long.

use super::NodeData;
use crate::base::error::{MAX_TEXT, within};

impl NodeData {
    /// How many errors a node keeps: the first, and the newest.
    pub const MAX_ERRORS: usize = 10;

    /// The most bytes that the text of an error has. Of a longer one the end and what was before
    /// the middle are kept, with how much was cut out between them.
    pub const MAX_ERROR_BYTES: usize = MAX_TEXT;

    /// How many errors there were: those that are kept, and those that were left out.
    pub fn error_count(&self) -> u32 {
        let kept = u32::try_from(self.errors.len()).unwrap_or(u32::MAX);
        kept.saturating_add(self.errors_left_out)
    }

    /// Adds the newest error. If there are many, the oldest but the first is left out.
    pub(crate) fn add_error(&mut self, text: String) {
        if self.errors.len() >= Self::MAX_ERRORS {
            self.errors.remove(1);
            self.errors_left_out = self.errors_left_out.saturating_add(1);
        }
        self.errors.push(within(text));
    }

    /// Takes all errors away. Returns how many there were.
    pub(crate) fn clear_errors(&mut self) -> u32 {
        let count = self.error_count();
        self.errors.clear();
        self.errors_left_out = 0;
        count
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::state::{State, arbitrary};

    #[test]
    fn errors_grow() {
        let mut node = NodeData::default();
        for n in 1..=1000 {
            node.add_error(format!("error {n}"));
        }
        let kept = [1, 992, 993, 994, 995, 996, 997, 998, 999, 1000];
        assert_eq!(node.errors, kept.map(|n| format!("error {n}")));
        assert_eq!((node.errors_left_out, node.error_count()), (990, 1000));
        assert_eq!(node.clear_errors(), 1000);
        assert_eq!(node, NodeData::default());
    }

    /// More than 64 MiB of text, all of it within what an execution may hold by default.
    #[test]
    fn a_state_whose_errors_are_large_can_be_read() {
        let mut state = State::from(NodeData::default());
        for n in 0..450 {
            let mut node = NodeData {
                name: n.to_string().into(),
                status: crate::Status::Running,
                ..NodeData::default()
            };
            for _ in 0..NodeData::MAX_ERRORS {
                node.add_error("x".repeat(2 * NodeData::MAX_ERROR_BYTES));
            }
            state.states.push(node.into());
        }
        let text = state.to_json();
        assert!(text.len() > 64 << 20, "{}", text.len());
        assert_eq!(State::from_json(&text).unwrap(), state);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn whatever_the_errors_are_they_are_bounded_and_come_back(
            state in arbitrary::state(),
            texts in prop::collection::vec((".{0,40}", 0..300_usize), 1..20),
        ) {
            let mut state = state;
            state.status = crate::Status::Undoing;
            state.clear_errors();
            let count = texts.len();
            for (text, times) in texts {
                state.add_error(text.repeat(times));
            }
            prop_assert!(state.errors.len() <= NodeData::MAX_ERRORS);
            let longest = state.errors.iter().map(String::len).max();
            prop_assert!(longest <= Some(NodeData::MAX_ERROR_BYTES));
            prop_assert_eq!(state.error_count() as usize, count);
            prop_assert_eq!(&State::from_json(&state.to_json()).unwrap(), &state);
        }
    }
}
