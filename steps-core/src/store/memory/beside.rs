//! What a write makes besides its own execution: children, and messages to others.

use std::collections::BTreeSet;

use super::rows::Rows;
use crate::store::{Child, ErrorKind, LeaseAfter, NewExecution, SendMessage, StoreError};

impl Rows {
    /// Checks that no child has an id that is in use, or that the write gives twice.
    pub(super) fn check_children(
        &self,
        children: &[Child],
        own: Option<&String>,
    ) -> Result<(), StoreError> {
        let mut given: BTreeSet<&String> = own.into_iter().collect();
        for Child { new, .. } in children {
            if !given.insert(&new.id) || self.ids.contains_key(&new.id) {
                let message = format!("the id of the child {:?} is in use", new.id);
                return Err(StoreError::new(ErrorKind::Exists, message));
            }
        }
        Ok(())
    }

    /// Makes what a write makes besides its own execution.
    pub(super) fn go_with(
        &mut self,
        children: Vec<Child>,
        tells: Vec<SendMessage>,
    ) -> Result<(), StoreError> {
        for Child { new, nodes, due } in children {
            let then = LeaseAfter::Release {
                due,
                last_message: 0,
            };
            let new = NewExecution { held: None, ..new };
            self.create(new, nodes, None, Vec::new(), then)?;
        }
        for message in tells {
            self.send(message);
        }
        Ok(())
    }
}
