//! Generated code names items of steps-core through one hidden module. Each of them must exist. Where
//! the macro has reported an error, rustc does not say that one is missing; an editor does.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use proc_macro2::{TokenStream, TokenTree};
use syn::{Item, UseTree};

use super::{Macro, parse};
use crate::{flow, handlers, reader::Reader, step};

/// Input for every expansion, with and without errors.
const EXPANSIONS: &[(Macro, &str, &str)] = &[
    (
        step::step,
        "retry(times = 3, every = \"1s\", max = \"1m\", when = is_busy), timeout = \"5s\", readonly",
        "async fn make(cloud: &Cloud, n: u32) -> Result<u32, Error> { Ok(n) }",
    ),
    (
        step::step,
        "poll(every = \"1s\", times = 3, within = \"1m\")",
        "async fn wait(n: u32) -> Result<Option<u32>, Error> { Ok(None) }",
    ),
    (
        step::step,
        "blocking, volatile, name = \"read\", alias = \"load\"",
        "fn read(path: &str, n: u32) -> Result<Vec<u8>, Error> { Ok(Vec::new()) }",
    ),
    (
        step::step,
        "readonly, tomeout = 1",
        "async fn wrong(n: u32) -> Result<u32, Error> { Ok(n) }",
    ),
    (
        step::step,
        "external",
        "async fn scan(image: &str, cx: &Cx) -> Result<External<u32>, Error> { todo() }",
    ),
    (
        step::step,
        "transaction, retry(times = 3, every = \"1s\", when = is_busy)",
        "async fn reserve(tx: &mut Connection, guest: &str) -> Result<u32, Error> { Ok(1) }",
    ),
    (
        step::step,
        "transaction",
        "fn note(tx: &Connection, guest: &str) -> Result<u32, Error> { Ok(1) }",
    ),
    (
        handlers::step::undo,
        "reserve, transaction, before",
        "async fn release(tx: &mut Connection, guest: &str, seat: &u32, before: &u32) -> Result<(), Error> { Ok(()) }",
    ),
    (
        handlers::step::undo,
        "note, transaction",
        "fn forget(tx: &Connection, guest: &str, seat: &u32) -> Result<(), Error> { Ok(()) }",
    ),
    (
        step::step,
        "external, poll(every = \"1s\")",
        "async fn wrong(n: u32) -> Result<u32, Error> { Ok(n) }",
    ),
    (
        handlers::external::stop,
        "scan, retry(times = 3, when = is_busy), timeout = \"5s\"",
        "async fn stop_scan(image: &str, cx: &Cx) -> Result<(), Error> { Ok(()) }",
    ),
    (
        handlers::external::on_check_in,
        "scan",
        "async fn told(image: &str, cx: &Cx, text: &str) {}",
    ),
    (
        handlers::external::on_check_in,
        "scan, blocking",
        "fn told(image: &str, cx: &Cx, parts: &[u8]) {}",
    ),
    (step::step, "", "fn wrong<T>(n: T) -> u32 { 1 }"),
    (
        flow::plan,
        "deadline = \"1h\", reversible, name = \"job\"",
        "async fn work(cloud: &Cloud) {
            steps! {
                make(cloud, n: u32, cx);
                #[step(retry(times = 2))] other = make(&cloud.api, name: &str, list: &[u8], path: &Path);
                ask = signal::<u32>().within(\"2d\");
                nap = sleep(time: &str);
            }
        }",
    ),
    (
        flow::plan,
        "",
        "async fn wrong(cloud: Cloud) { steps! { make(cloud, n); group = { make(cloud); } } }",
    ),
    (
        flow::flow,
        "deadline = \"1h\", reversible, on_failure = \"hold\", name = \"job\", alias = \"task\"",
        "async fn work(cloud: &Cloud, spec: Spec) -> Result<u32, Error> {
            steps! {
                make(cloud, 1);
                #[deadline(\"10m\")] waits = steps::signal::<u32>();
                nap = sleep(\"soon\");
                child = start other(1).id(\"a\");
                apart = start other(1).detached();
                ended = join child;
                ask = signal::<u32>().within(\"2d\");
                let id = Uuid::now_v7();
                #[optional] let n: u32 = 1;
                #[step(retry(times = 2))] #[optional] maybe = make(cloud, 2);
                #[caught] got = make(cloud, 2);
                first = race { one = make(cloud, 2); two = { inner = make(cloud, 1); } }
                way = match &spec.kind {
                    card = Kind::Card(n) if n > limit(n) => { inner = make(cloud, n); }
                    bill = Kind::Bill { n, .. } | Kind::Note(n) => make(cloud, n);
                    none = _ => {}
                }
                sub = flow other(cloud);
                #[optional] sub_maybe = flow other(cloud);
                group = { inner = make(cloud, make); }
                #[optional] group_maybe = { inner = make(cloud, 1); }
                both = parallel { one = make(cloud, 1); other = make(cloud, 2); }
                some = if spec.big { inner = make(cloud, 1); }
                either = if spec.big { inner = make(cloud, 1); } else { inner = make(cloud, 2); }
                found = if let Some(n) = maybe { inner = make(cloud, *n); }
                each = for item in spec.items by item.id { inner = make(cloud, item.n); }
                #[optional] each_maybe = for item in spec.items by item.id parallel(2) {
                    inner = if item.big { innermost = make(cloud, item.n); }
                    more = for other in item.others by other.id { innermost = make(cloud, other.n); }
                }
                rounds = loop max 3 { inner = make(cloud, prev.map_or(0, |p| p.inner)); }
                    until inner > 3;
                kept = loop keep 3 { beat = make(cloud, 1); } until false;
            }
            let all = (make, maybe, sub, sub_maybe, group, both, some, either, each, rounds);
            Ok(all.0)
        }",
    ),
    (
        flow::flow,
        "",
        "async fn alone() -> Result<u32, Error> { steps! { last = make(); } Ok(last) }",
    ),
    (
        flow::flow,
        "",
        "async fn work(cloud: &Cloud, n: u32) -> Result<u32, Error> {
            steps! {
                half = ;
                group = { inner = ; }
                each = for item in n { half = ma }
                either = if n { half = } else { half = }
            }
            Ok(1)
        }",
    ),
    (
        flow::flow,
        "",
        "async fn work() -> Result<u32, Error> { steps! { of_itself = flow work(); } Ok(1) }",
    ),
    (flow::flow, "", "async fn work(n: u32) -> u32 { n }"),
    (
        flow::flow,
        "",
        "async fn work<T>(n: T) -> Result<u32, Error> { steps! {} Ok(1) }",
    ),
    (
        handlers::step::undo,
        "make, before, retry(times = 3), blocking",
        "fn unmake(cloud: &Cloud, n: u32, made: &u32, before: &u32) -> Result<(), Error> { Ok(()) }",
    ),
    (
        handlers::step::verify,
        "make, blocking(detached)",
        "fn made(cloud: &Cloud, n: u32) -> Option<u32> { None }",
    ),
    (
        handlers::step::observe,
        "make",
        "async fn look(cloud: &Cloud, n: u32) -> Result<u32, Error> { Ok(n) }",
    ),
    (
        handlers::step::observe,
        "make",
        "async fn look(cloud: &Cloud, n: u32) -> u32 { n }",
    ),
    (
        handlers::flow::on_done,
        "work",
        "async fn tell(cloud: &Cloud, spec: &Spec, output: &u32) {}",
    ),
    (
        handlers::flow::on_failed,
        "work",
        "async fn tell(cloud: &Cloud, spec: &Spec, failure: &Failure) {}",
    ),
    (
        handlers::flow::on_stopped,
        "work",
        "async fn tell(cloud: &Cloud, spec: &Spec, failure: &Failure) {}",
    ),
];

#[test]
fn every_core_item_named_in_an_expansion_exists() {
    let Some(exported) = exported() else { return };
    let missing: Vec<String> = named()
        .into_iter()
        .filter(|name| !exported.contains(name))
        .collect();
    assert!(
        missing.is_empty(),
        "steps-core exports no {missing:?} for generated code"
    );
}

/// An item that none of the expansions names would escape the test above.
#[test]
fn the_expansions_name_every_core_item_in_our_source() {
    let named = named();
    for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text = fs::read_to_string(&file).expect("a source file");
        for prefix in ["__p::", "#private::", "__private::"] {
            for (at, _) in text.match_indices(prefix) {
                let rest = &text[at + prefix.len()..];
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
                let name = &rest[..end.unwrap_or(rest.len())];
                // Schemas are only in the tables where the feature asks for them.
                let left_out = name == "Shows" && !cfg!(feature = "schemars");
                assert!(
                    name.is_empty() || named.contains(name) || left_out,
                    "`{name}` in {} is in none of the expansions",
                    file.display()
                );
            }
        }
    }
}

/// The items that the expansions name.
fn named() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (expand, attr, item) in EXPANSIONS {
        for reader in [Reader::Compiler, Reader::Editor] {
            collect(expand(reader, parse(attr), parse(item)), &mut names);
        }
    }
    names
}

/// Collects what follows `__private::` or `__p::`: a name, or a list of names in braces.
fn collect(tokens: TokenStream, names: &mut BTreeSet<String>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (index, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => collect(group.stream(), names),
            TokenTree::Ident(module) if *module == "__private" || *module == "__p" => {
                let [_, first, second, after, ..] = &tokens[index..] else {
                    continue;
                };
                if !is(first, ':') || !is(second, ':') {
                    continue;
                }
                match after {
                    TokenTree::Ident(name) => {
                        names.insert(name.to_string());
                    }
                    TokenTree::Group(list) => {
                        let list: Vec<TokenTree> = list.stream().into_iter().collect();
                        let paths = list.split(|token| is(token, ','));
                        let first = paths.filter_map(<[_]>::first);
                        names.extend(first.map(ToString::to_string));
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

fn is(token: &TokenTree, char: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == char)
}

/// What steps-core exports for generated code. `None` where it is not beside this crate, as in a
/// package from the registry.
fn exported() -> Option<BTreeSet<String>> {
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("../steps-core/src");
    if !core.exists() {
        return None;
    }
    let text = fs::read_to_string(core.join("codegen.rs")).expect("a source file");
    let mut names = BTreeSet::new();
    for item in syn::parse_file(&text).expect("Rust").items {
        match item {
            Item::Use(item) => leaves(&item.tree, &mut names),
            Item::Fn(item) => names.extend([item.sig.ident.to_string()]),
            Item::Const(item) => names.extend([item.ident.to_string()]),
            Item::Type(item) => names.extend([item.ident.to_string()]),
            Item::Trait(item) => names.extend([item.ident.to_string()]),
            Item::Struct(item) => names.extend([item.ident.to_string()]),
            _ => {}
        }
    }
    Some(names)
}

/// Adds the names that a `use` introduces.
fn leaves(tree: &UseTree, names: &mut BTreeSet<String>) {
    match tree {
        UseTree::Path(path) => leaves(&path.tree, names),
        UseTree::Name(name) => names.extend([name.ident.to_string()]),
        UseTree::Rename(rename) => names.extend([rename.rename.to_string()]),
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, names)),
        UseTree::Glob(_) => panic!("a glob says no names"),
    }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else {
            files.push(path);
        }
    }
    files
}
