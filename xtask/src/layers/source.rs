//! The declarations and paths in one file. They are read from its tokens, so a macro's arguments
//! count and comments don't.

use std::collections::BTreeMap;

use proc_macro2::{Delimiter, Group, Ident, LexError, TokenStream, TokenTree};

/// The path of a module: the names from the crate's root down.
pub(super) type ModulePath = Vec<String>;

/// A path as it is written, such as `super::record::Record`.
pub(super) type Written = Vec<String>;

/// A module, inline or in its own file.
#[derive(Debug, Default)]
pub(super) struct Declared {
    /// The names of its submodules that have their own files.
    pub(super) files: Vec<String>,
    /// The paths that its `use` items import, by their local names.
    pub(super) uses: BTreeMap<String, Written>,
}

/// One place that names an item of a module.
#[derive(Debug)]
pub(super) struct Mention {
    pub(super) module: ModulePath,
    pub(super) line: usize,
    pub(super) path: Written,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `use …`
    Import,
    /// `pub use …`
    Reexport,
    /// In an expression, a type, or a macro's arguments.
    Path,
}

/// The contents of a file, without tests.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// The file's own module, and its inline modules.
    pub(super) modules: BTreeMap<ModulePath, Declared>,
    pub(super) mentions: Vec<Mention>,
    /// The macros that it exports; they are in the crate's root.
    pub(super) macros: Vec<String>,
}

impl Source {
    /// Reads the file of this module.
    pub(super) fn read(module: &[String], text: &str) -> Result<Self, LexError> {
        let mut source = Self::default();
        source.items(text.parse()?, module);
        Ok(source)
    }

    fn items(&mut self, tokens: TokenStream, module: &[String]) {
        self.modules.entry(module.to_vec()).or_default();
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut rest = &tokens[..];
        let (mut is_pub, mut exports) = (false, false);
        while let [token, after @ ..] = rest {
            rest = after;
            match token {
                TokenTree::Punct(sign) if sign.as_char() == '#' => {
                    if let [TokenTree::Group(attribute), after @ ..] = rest
                        && attribute.delimiter() == Delimiter::Bracket
                    {
                        rest = after;
                        if is_test(attribute) {
                            rest = after_item(rest);
                        }
                        exports |= attribute.stream().to_string() == "macro_export";
                    }
                    continue;
                }
                TokenTree::Ident(word) if word == "pub" => {
                    is_pub = true;
                    if let [TokenTree::Group(group), after @ ..] = rest
                        && is_visibility(group)
                    {
                        rest = after;
                    }
                    continue;
                }
                TokenTree::Ident(word) if word == "use" && !starts_with(rest, '<') => {
                    let end = rest.iter().position(|token| is(token, ';'));
                    let (tree, after) = rest.split_at(end.unwrap_or(rest.len()));
                    rest = after;
                    let kind = if is_pub { Kind::Reexport } else { Kind::Import };
                    self.imports(tree, &mut Vec::new(), module, kind);
                }
                TokenTree::Ident(word) if word == "mod" => {
                    if let [TokenTree::Ident(name), after @ ..] = rest {
                        rest = after;
                        self.module(name, &mut rest, module);
                    }
                }
                TokenTree::Ident(word) if word == "macro_rules" => {
                    if let [_, TokenTree::Ident(name), after @ ..] = rest {
                        rest = after;
                        self.macros.extend(exports.then(|| name.to_string()));
                    }
                }
                TokenTree::Ident(word) => {
                    let mut path = vec![word.to_string()];
                    while let Some((name, after)) = next_of_path(rest) {
                        path.push(name.to_string());
                        rest = after;
                    }
                    if path.len() > 1 {
                        self.mention(word, path, module, Kind::Path);
                    }
                }
                TokenTree::Group(group) => self.items(group.stream(), module),
                // The next token continues the previous path or expression.
                TokenTree::Punct(sign) if matches!(sign.as_char(), ':' | '.') => {
                    let member = matches!(sign.as_char(), '.') || starts_with(rest, ':');
                    if starts_with(rest, ':') {
                        rest = &rest[1..];
                    }
                    if member && let [TokenTree::Ident(_), after @ ..] = rest {
                        rest = after;
                        while let Some((_, after)) = next_of_path(rest) {
                            rest = after;
                        }
                    }
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            (is_pub, exports) = (false, false);
        }
    }

    /// Reads `mod name;` or `mod name { … }`, after the name.
    fn module(&mut self, name: &Ident, rest: &mut &[TokenTree], module: &[String]) {
        match *rest {
            [TokenTree::Group(body), after @ ..] => {
                *rest = after;
                let inner: ModulePath = module.iter().cloned().chain([name.to_string()]).collect();
                self.items(body.stream(), &inner);
            }
            _ => {
                let here = self.modules.entry(module.to_vec()).or_default();
                here.files.push(name.to_string());
            }
        }
    }

    /// Reads one tree of a `use` item: `a::b`, `a::{b, c as d}`, `a::*`.
    fn imports(&mut self, tree: &[TokenTree], path: &mut Written, module: &[String], kind: Kind) {
        match tree {
            // `::std`: another crate.
            [] | [TokenTree::Punct(_), _, ..] => {}
            [TokenTree::Group(group)] => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                for tree in inner.split(|token| is(token, ',')) {
                    self.imports(tree, &mut path.clone(), module, kind);
                }
            }
            [first, rest @ ..] => {
                let name = first.to_string();
                if name != "self" || path.is_empty() {
                    path.push(name);
                }
                match rest {
                    [a, b, rest @ ..] if is(a, ':') && is(b, ':') => {
                        if let [star] = rest
                            && is(star, '*')
                        {
                            self.mention(star, path.clone(), module, kind);
                        } else {
                            self.imports(rest, path, module, kind);
                        }
                    }
                    alias => {
                        let alias = match alias {
                            [_, TokenTree::Ident(alias)] => alias.to_string(),
                            _ => path.last().cloned().unwrap_or_default(),
                        };
                        let here = self.modules.entry(module.to_vec()).or_default();
                        here.uses.insert(alias, path.clone());
                        self.mention(first, path.clone(), module, kind);
                    }
                }
            }
        }
    }

    fn mention(&mut self, at: &impl Spanned, path: Written, module: &[String], kind: Kind) {
        self.mentions.push(Mention {
            module: module.to_vec(),
            line: at.line(),
            path,
            kind,
        });
    }
}

trait Spanned {
    fn line(&self) -> usize;
}

impl Spanned for Ident {
    fn line(&self) -> usize {
        self.span().start().line
    }
}

impl Spanned for TokenTree {
    fn line(&self) -> usize {
        self.span().start().line
    }
}

/// Returns the next name of a path, after a `::`.
fn next_of_path(tokens: &[TokenTree]) -> Option<(&Ident, &[TokenTree])> {
    match tokens {
        [a, b, TokenTree::Ident(name), rest @ ..] if is(a, ':') && is(b, ':') => Some((name, rest)),
        _ => None,
    }
}

fn is(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

fn starts_with(tokens: &[TokenTree], sign: char) -> bool {
    tokens.first().is_some_and(|token| is(token, sign))
}

/// Returns whether an attribute is `cfg(test)`, or requires `test` among other conditions.
fn is_test(attribute: &Group) -> bool {
    let text = attribute.stream().to_string().replace(' ', "");
    text == "cfg(test)" || text.starts_with("cfg(all(test,")
}

/// Returns whether a group is the `(crate)` of a `pub(crate)`, and not the first field's type of a
/// tuple struct.
fn is_visibility(group: &Group) -> bool {
    let text = group.stream().to_string();
    matches!(&*text, "crate" | "self" | "super") || text.starts_with("in ")
}

/// Returns the tokens after an item: after its `;`, its `{ … }`, or the `,` of a field or an arm.
fn after_item(tokens: &[TokenTree]) -> &[TokenTree] {
    let is_use = |token: &TokenTree| matches!(token, TokenTree::Ident(word) if word == "use");
    // The braces of `use a::{b, c};` do not end the item.
    let is_import = tokens.iter().take(3).any(is_use);
    let end = tokens.iter().position(|token| match token {
        TokenTree::Group(group) => !is_import && group.delimiter() == Delimiter::Brace,
        token => is(token, ';') || is(token, ','),
    });
    &tokens[end.map_or(tokens.len(), |end| end + 1)..]
}
