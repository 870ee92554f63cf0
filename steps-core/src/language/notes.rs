//! What a step notes of its execution: attributes and a status message.

use serde::Serialize;

use super::cx::Cx;
use crate::model::{
    attrs::{Attrs, InvalidAttrs},
    notes::{NoteChange, message},
};

impl Cx {
    /// Returns the execution's attributes: as they were when this process took the execution up, with
    /// the changes of its own steps since. A change from [outside](crate::engine::Handle::patch_attrs)
    /// is seen when it is taken up the next time. Without an engine there are none at first.
    pub fn attrs(&self) -> Attrs {
        self.host.attrs()
    }

    /// Sets the execution's attributes in place of those it has: any object that serde can save. They
    /// are written with the step's next record, at once or not at all with it. In a run without an
    /// engine, only its own steps see them.
    ///
    /// # Errors
    ///
    /// Returns an error if the value is no object, can't be saved as JSON, or is larger than the
    /// run's [`RunLimits`](crate::RunLimits) allow.
    pub fn set_attrs<T: Serialize + ?Sized>(&self, attrs: &T) -> Result<(), InvalidAttrs> {
        self.note(NoteChange::Attrs(Attrs::encode(attrs)?))
    }

    /// Patches the execution's attributes, as [`Attrs::patched`] says, with the step's next record: a
    /// field takes the place of the one of its name, and `null` removes. What others change meanwhile
    /// stays, but for these fields.
    ///
    /// # Errors
    ///
    /// As of [`set_attrs`](Self::set_attrs).
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use steps::prelude::*;
    ///
    /// #[step]
    /// async fn push(cx: &Cx, image: &str) -> Result<(), String> {
    ///     let digest = format!("sha256:{}", image.len());
    ///     cx.patch_attrs(&BTreeMap::from([("digest", digest)])).map_err(|e| e.to_string())?;
    ///     cx.set_status_message("pushed, and not scanned yet");
    ///     Ok(())
    /// }
    ///
    /// #[flow]
    /// async fn release(image: String) -> Result<(), String> {
    ///     steps! { push(cx, &image); }
    ///     Ok(())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = Engine::open("memory:").await?.serve(release::with()).start().await?;
    /// let run = engine.start(release::input("web".into())).await?;
    /// run.outcome().await?;
    /// let info = run.info().await?;
    /// assert_eq!(info.attrs.get::<String>("digest")?.as_deref(), Some("sha256:3"));
    /// assert_eq!(info.status_message.as_deref(), Some("pushed, and not scanned yet"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn patch_attrs<T: Serialize + ?Sized>(&self, patch: &T) -> Result<(), InvalidAttrs> {
        self.note(NoteChange::Patch(Attrs::encode(patch)?))
    }

    /// Sets the execution's status message, with the step's next record: how the execution is going, in
    /// the service's own words. It stays until it is set again; an empty one is none. Of more than
    /// 16 KiB, the beginning is kept.
    pub fn set_status_message(&self, text: impl AsRef<str>) {
        let change = NoteChange::StatusMessage(message(text.as_ref()));
        // Only attributes can be too large.
        let _ = self.host.note(self.id, change);
    }

    fn note(&self, change: NoteChange) -> Result<(), InvalidAttrs> {
        self.host.note(self.id, change).map_err(InvalidAttrs::new)
    }
}
