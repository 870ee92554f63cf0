//! The forms of flows, and who has refused which executions.

use super::{row::Row, rows::Rows};
use crate::store::{FlowClaim, Form};

impl Rows {
    pub(super) fn keep_form(&mut self, form: Form) -> i64 {
        let known = |other: &Form| other.fingerprint == form.fingerprint;
        let at = self.forms.iter().position(known).unwrap_or_else(|| {
            self.forms.push(form);
            self.forms.len() - 1
        });
        i64::try_from(at + 1).unwrap_or(i64::MAX)
    }

    pub(super) fn form(&self, number: i64) -> Option<Form> {
        let at = usize::try_from(number).ok()?.checked_sub(1)?;
        self.forms.get(at).cloned()
    }

    pub(super) fn forget_refusals(&mut self, flows: &[FlowClaim]) {
        for flow in flows {
            let has_refused = |row: &Row| {
                let refused = row.info.refused.as_ref();
                flow.names.iter().any(|name| *name == row.info.flow)
                    && refused.is_some_and(|refused| refused.by.contains(&flow.refuser))
            };
            let rows = self.by_key.iter().filter(|(_, row)| has_refused(row));
            let keys: Vec<i64> = rows.map(|(key, _)| *key).collect();
            for key in keys {
                self.change(key, |row| {
                    if let Some(refused) = &mut row.info.refused {
                        refused.by.retain(|by| *by != flow.refuser);
                    }
                    row.info.refused.take_if(|refused| refused.by.is_empty());
                });
            }
        }
    }
}
