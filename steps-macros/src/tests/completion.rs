//! An editor completes a name by a second expansion, of the source with a mark at the end of what is
//! typed. It looks the mark up in the first, by its offset: up to the mark, both must be the same.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::{idents, parse};
use crate::{flow, handlers, reader::Reader};

const MARK: &str = "theMark";

/// Each `$` is a place where something is typed.
const FLOW: &str = "async fn work(cloud: &Cloud$, spec: Spec$) -> Result<u32, Error$> {
    steps! {
        make$(cloud$, 1);
        let id: Uuid$ = Uuid$::now_v7$();
        #[step(retry(times = 2, when = is_busy$))] #[optional] maybe = make(cloud, make$);
        sub = flow other$(cloud, id$);
        both = parallel { one = vms$::make$(cloud, 1$); other = make(cloud, sub.first$); }
        #[caught] first = race { one = make(cloud$, 1); two = { inner = make(cloud, sub$); } }
        way = match &spec.kind$ {
            card = Kind::Card$(n) if n > sub$ => { inner = make(cloud, n$); }
            none = _ => make(cloud$, 1);
        }
        either = if spec.big$ { inner = make(cloud$, 1); } else { inner = make$(cloud, 2); }
        found = if let Some(n) = maybe$ { inner = make(cloud, *n$); }
        each = for item in spec.items$ by item.id$ { inner = make(cloud, item.n$); }
        rounds = loop max 3 { inner = make(cloud, prev.map_or$(0, |p| p.inner$)); } until inner$ > 3;
        begun = start other$(cloud, id$).id(spec.id$).label(0, &spec.$).la$(0, 1).detached();
        told = join begun;
        kind = match spec.$ { card = Kind::Card(n) => make(cloud, n$); }
        some = if spec.$ { inner = make(cloud$, 1); } else if let Some(n) = spec.$ { inner = make(cloud, n$); }
        none = $;
        half = vms$::mak$
        lost(cloud, &spec.$)
        last = join(cloud, &both.one$, spec.$)
    }
    let last = last.size$;
    Ok(last$)
}";

fn expand(source: &str) -> TokenStream {
    flow::flow(Reader::Editor, TokenStream::new(), parse(source))
}

/// Returns the tokens as text, with a space after each: how they are laid out says nothing.
fn flat(tokens: TokenStream) -> String {
    let token = |token| match token {
        TokenTree::Group(group) => {
            let (open, close) = match group.delimiter() {
                Delimiter::Brace => ("{ ", "} "),
                Delimiter::Bracket => ("[ ", "] "),
                Delimiter::Parenthesis => ("( ", ") "),
                Delimiter::None => ("", ""),
            };
            format!("{open}{}{close}", flat(group.stream()))
        }
        token => format!("{token} "),
    };
    tokens.into_iter().map(token).collect()
}

#[test]
fn up_to_what_is_typed_an_expansion_does_not_depend_on_it() {
    let plain = flat(expand(&FLOW.replace('$', "")));
    let places = FLOW.match_indices('$');
    for (at, _) in places {
        let (before, after) = FLOW.split_at(at);
        let (before, after) = (before.replace('$', ""), after.replace('$', ""));
        let marked = flat(expand(&format!("{before}{MARK}{after}")));
        let Some(offset) = marked.find(MARK) else {
            panic!("what is typed here is lost: {before}");
        };
        let same = plain.get(..offset) == marked.get(..offset);
        let end = marked[..offset].len().saturating_sub(80);
        assert!(same, "{}\n{before}", &marked[end..offset]);
    }
}

#[test]
fn the_target_of_a_handler_is_completed() {
    let item = "async fn unmake(n: u32, made: &u32) {}";
    let of = |attr| {
        flat(handlers::step::undo(
            Reader::Editor,
            parse(attr),
            parse(item),
        ))
    };
    for (plain, marked) in [
        ("ma", "matheMark"),
        ("vms::", "vms::theMark"),
        ("", "theMark"),
    ] {
        let (plain, marked) = (of(plain), of(marked));
        let offset = marked.find(MARK).expect("the mark");
        assert_eq!(plain[..offset], marked[..offset]);
    }
}

#[test]
fn the_names_in_scope_are_the_users() {
    let source = FLOW.replace('$', "");
    // The first item is the closure with the lines.
    let item: TokenStream = expand(&source).into_iter().take(9).collect();
    assert!(item.to_string().contains("async |"), "{item}");
    let names = idents(&item);
    let lets = names.windows(2).filter(|pair| pair[0] == "let");
    let lets: Vec<String> = lets.map(|pair| pair[1].to_string()).collect();
    for name in &lets {
        let known =
            source.contains(name.as_str()) || ["_", "cx", "else_if"].contains(&name.as_str());
        assert!(known, "{name} is none of the user's");
    }
    for name in [
        "cx", "spec", "make", "id", "maybe", "inner", "prev", "half", "last",
    ] {
        assert!(lets.iter().any(|it| it == name), "{name} is not in scope");
    }
}
