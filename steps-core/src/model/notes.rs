//! What a service notes of an execution beside its tree.

use super::{act::Act, attrs::Attrs, trigger::Trigger};

/// The longest status message, in bytes.
const LONGEST: usize = 16 * 1024;

/// What a new execution has besides its input and labels. Most have nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Notes {
    /// The attributes.
    pub attrs: Attrs,
    /// What started it.
    pub trigger: Trigger,
    /// How it is going, in the service's own words.
    pub status_message: Option<String>,
    /// What operators have done with it, the oldest first: the newest [`Act::MOST`].
    pub acts: Vec<Act>,
}

/// A change of what is noted of an execution.
#[derive(Clone, Debug, PartialEq)]
pub enum NoteChange {
    /// These take the place of all attributes.
    Attrs(Attrs),
    /// The attributes are [patched](Attrs::patched) with this.
    Patch(Attrs),
    /// This takes the place of the status message; `None` removes it.
    StatusMessage(Option<String>),
    /// An operator has done this; what they did before stays.
    Act(Act),
}

impl Notes {
    /// Makes changes, one after the other.
    pub fn change(&mut self, changes: &[NoteChange]) {
        for change in changes {
            self.make(change);
        }
    }

    fn make(&mut self, change: &NoteChange) {
        match change {
            NoteChange::Attrs(attrs) => self.attrs.clone_from(attrs),
            NoteChange::Patch(patch) => self.attrs = self.attrs.patched(patch),
            NoteChange::StatusMessage(text) => self.status_message.clone_from(text),
            NoteChange::Act(act) => act.clone().note(&mut self.acts),
        }
    }
}

/// Returns a status message as it is kept: its first 16 KiB, and without a NUL, which not every
/// database keeps; `None` if it is empty.
pub(crate) fn message(text: &str) -> Option<String> {
    let text = &text[..text.floor_char_boundary(LONGEST)];
    (!text.is_empty()).then(|| text.replace('\0', "\u{fffd}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_acts_the_newest_are_kept() {
        let mut notes = Notes::default();
        for n in 0..=Act::MOST {
            let act = Act::new(jiff::Timestamp::UNIX_EPOCH, n.to_string(), "ann");
            notes.change(&[NoteChange::Act(act)]);
        }
        assert_eq!(notes.acts.len(), Act::MOST);
        assert_eq!(notes.acts[0].act, "1");
    }

    #[test]
    fn a_message_is_kept_as_far_as_it_can_be() {
        assert_eq!(message(""), None);
        assert_eq!(message("a\0b").as_deref(), Some("a\u{fffd}b"));
        let long = "ä".repeat(LONGEST);
        assert_eq!(message(&long).map(|text| text.len()), Some(LONGEST));
    }
}
