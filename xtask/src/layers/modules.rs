//! The modules of a crate, and the files that a path in the source leads to.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::source::{Declared, Kind, Mention, ModulePath, Source, Written};
use crate::Result;

/// A crate's modules, without those for tests.
#[derive(Debug, Default)]
pub(super) struct Modules {
    by_path: BTreeMap<ModulePath, Module>,
    mentions: Vec<Mention>,
    /// Exported macros, with the module of the file in which they are defined.
    macros: BTreeMap<String, ModulePath>,
}

#[derive(Debug)]
struct Module {
    file: PathBuf,
    declared: Declared,
}

/// An import from one file to another.
#[derive(Clone, Debug)]
pub(super) struct Arrow<'a> {
    pub(super) from: &'a Path,
    pub(super) from_module: &'a ModulePath,
    pub(super) line: usize,
    /// The path as it is written.
    pub(super) path: String,
    /// The modules that the path leads through. The last one declares the item; the others only
    /// re-export it.
    pub(super) via: Vec<&'a ModulePath>,
    /// The file of the last module.
    pub(super) to: &'a Path,
    /// Whether a module re-exports an item of a module below it.
    pub(super) from_below: bool,
}

/// The most re-exports that one path may lead through; more count as a circle.
const REEXPORTS: usize = 16;

impl Modules {
    /// Reads all modules that the `lib.rs` in this folder, or else the `main.rs`, declares, directly or
    /// indirectly.
    pub(super) fn read(folder: &Path, sources: &BTreeMap<PathBuf, String>) -> Result<Self> {
        let mut modules = Self::default();
        let program = folder.join("main.rs");
        let is_program = sources.contains_key(&program);
        let library = folder.join("lib.rs");
        let root = if is_program { program } else { library };
        modules.file(root, folder, &[], sources)?;
        Ok(modules)
    }

    /// Reads the file of a module, and the files of its submodules, which are in this folder.
    fn file(
        &mut self,
        file: PathBuf,
        folder: &Path,
        module: &[String],
        sources: &BTreeMap<PathBuf, String>,
    ) -> Result {
        let text = sources
            .get(&file)
            .ok_or_else(|| format!("{}: no such file", file.display()))?;
        let source =
            Source::read(module, text).map_err(|error| format!("{}: {error}", file.display()))?;
        self.mentions.extend(source.mentions);
        for name in source.macros {
            self.macros.insert(name, module.to_vec());
        }
        for (path, declared) in source.modules {
            let below: PathBuf = path[module.len()..].iter().collect();
            let below = folder.join(below);
            for name in declared.files.iter().filter(|name| *name != "tests") {
                let inner: ModulePath = path.iter().cloned().chain([name.clone()]).collect();
                let (flat, nested) = (below.join(format!("{name}.rs")), below.join(name));
                let file = if sources.contains_key(&flat) {
                    flat
                } else {
                    nested.join("mod.rs")
                };
                self.file(file, &nested, &inner, sources)?;
            }
            let file = file.clone();
            self.by_path.insert(path, Module { file, declared });
        }
        Ok(())
    }

    /// Returns the file of a module.
    pub(super) fn file_of(&self, module: &ModulePath) -> Option<&Path> {
        self.by_path.get(module).map(|module| &*module.file)
    }

    /// Returns the modules of the crate's root.
    pub(super) fn of_root(&self) -> impl Iterator<Item = &str> {
        let paths = self.by_path.keys().filter(|path| path.len() == 1);
        paths.map(|path| path[0].as_str())
    }

    /// Returns all imports from one file to another.
    pub(super) fn arrows(&self) -> Vec<Arrow<'_>> {
        self.mentions
            .iter()
            .filter_map(|mention| self.arrow(mention))
            .collect()
    }

    fn arrow<'a>(&'a self, mention: &'a Mention) -> Option<Arrow<'a>> {
        let from = self.file_of(&mention.module)?;
        if mention.kind == Kind::Path && self.is_foreign(mention) {
            return None;
        }
        let via = self.resolve(&mention.module, &mention.path, REEXPORTS)?;
        let last = *via.last()?;
        let to = self.file_of(last)?;
        (from != to).then(|| Arrow {
            from,
            from_module: &mention.module,
            line: mention.line,
            path: mention.path.join("::"),
            to,
            from_below: mention.kind == Kind::Reexport && last.starts_with(&mention.module),
            via,
        })
    }

    /// Returns whether a path in an expression begins neither with a keyword nor with a module that
    /// is declared beside it. A path that begins with an imported name needs no check, because the
    /// import itself is checked.
    fn is_foreign(&self, mention: &Mention) -> bool {
        let first = mention.path[0].as_str();
        !matches!(first, "crate" | "self" | "super") && self.child(&mention.module, first).is_none()
    }

    fn child(&self, module: &[String], name: &str) -> Option<&ModulePath> {
        let path: ModulePath = module.iter().cloned().chain([name.to_owned()]).collect();
        self.by_path.get_key_value(&path).map(|(path, _)| path)
    }

    /// Returns the modules that a path leads through; `None` if it leads out of the crate.
    fn resolve(&self, from: &[String], path: &[String], left: usize) -> Option<Vec<&ModulePath>> {
        let left = left.checked_sub(1)?;
        let (mut here, _) = self.by_path.get_key_value(from)?;
        let mut names = path.iter().map(String::as_str).peekable();
        match *names.peek()? {
            "crate" => {
                names.next();
                here = self.by_path.get_key_value(&[][..]).map(|(root, _)| root)?;
            }
            "self" => {
                names.next();
            }
            "super" => {}
            first if self.child(here, first).is_some() => {}
            first => {
                let used = self.by_path.get(here)?.declared.uses.get(first)?;
                if used == path || used[0] == first {
                    return None;
                }
                let rest: Written = used.iter().chain(&path[1..]).cloned().collect();
                return self.resolve(here, &rest, left);
            }
        }
        while let Some(name) = names.next() {
            if name == "super" {
                let above = here.split_last()?.1;
                here = self.by_path.get_key_value(above)?.0;
            } else if let Some(child) = self.child(here, name) {
                here = child;
            } else if let Some(used) = self.by_path.get(here)?.declared.uses.get(name) {
                let rest: Written = used
                    .iter()
                    .cloned()
                    .chain(names.map(String::from))
                    .collect();
                let further = self.resolve(here, &rest, left).unwrap_or_default();
                return Some([here].into_iter().chain(further).collect());
            } else if here.is_empty()
                && let Some(module) = self.macros.get(name)
            {
                return self
                    .by_path
                    .get_key_value(module)
                    .map(|(path, _)| vec![path]);
            } else {
                break;
            }
        }
        Some(vec![here])
    }
}
