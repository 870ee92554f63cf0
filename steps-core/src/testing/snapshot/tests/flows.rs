//! Random flows, and changes of them.

use crate::{
    base::json::Json,
    model::{
        policy::Policy,
        state::StepKind,
        table::{
            Check, FlowHandlers, InputField, Line, Marks, OnFailure, Recording, StepMeta, Table,
            Way, Work,
        },
    },
};

/// A type of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Ty {
    Number,
    Text,
}

impl Ty {
    fn name(self) -> &'static str {
        match self {
            Self::Number => "u32",
            Self::Text => "String",
        }
    }

    fn check(self) -> Check {
        match self {
            Self::Number => |text| serde_json::from_str::<u32>(text).map(drop),
            Self::Text => |text| serde_json::from_str::<String>(text).map(drop),
        }
    }

    pub(super) fn value(self) -> Json {
        match self {
            Self::Number => Json::encode(&1_u32),
            Self::Text => Json::encode("1"),
        }
        .unwrap()
    }
}

/// Items of this type.
#[derive(Debug)]
struct Items(Ty);

impl Recording for Items {
    fn check(&self, saved: &str, _: Way) -> Result<(), String> {
        let items: Vec<Json> = serde_json::from_str(saved).map_err(|error| error.to_string())?;
        let mut items = items.iter();
        items
            .try_for_each(|item| (self.0.check())(item.get()))
            .map_err(|error| error.to_string())
    }

    fn type_name(&self) -> &'static str {
        self.0.name()
    }
}

#[derive(Clone, Debug)]
pub(super) struct Random {
    pub(super) name: u8,
    pub(super) alias: Option<u8>,
    pub(super) optional: bool,
    pub(super) work: What,
}

#[derive(Clone, Debug)]
pub(super) enum What {
    Step(Ty, Option<StepKind>),
    Group(Vec<Random>),
    Parallel(Vec<Random>),
    If(Vec<Random>, Vec<Random>),
    For(Ty, Vec<Random>),
    Loop(u32, Vec<Random>),
    /// With the type of its one input, if it has one, and that of its output.
    Flow(Option<Ty>, Ty, Vec<Random>),
}

pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        usize::try_from(self.0 >> 40).unwrap() % most
    }

    pub(super) fn one_in(&mut self, most: usize) -> bool {
        self.below(most) == 0
    }

    fn ty(&mut self) -> Ty {
        if self.one_in(2) { Ty::Number } else { Ty::Text }
    }

    pub(super) fn lines(&mut self, depth: usize, names: &mut u8) -> Vec<Random> {
        let count = 1 + self.below(3);
        (0..count).map(|_| self.line(depth, names)).collect()
    }

    fn line(&mut self, depth: usize, names: &mut u8) -> Random {
        *names += 1;
        Random {
            name: *names,
            alias: None,
            optional: self.one_in(6),
            work: self.work(depth, names),
        }
    }

    fn work(&mut self, depth: usize, names: &mut u8) -> What {
        match self.below(if depth == 0 { 3 } else { 9 }) {
            0 | 1 => What::Step(self.ty(), None),
            2 => match self.below(4) {
                3 => What::Step(self.ty(), Some(StepKind::Let)),
                0 => What::Step(self.ty(), Some(StepKind::Signal)),
                1 => What::Step(self.ty(), Some(StepKind::Sleep)),
                _ => What::Step(self.ty(), Some(StepKind::Volatile)),
            },
            3 => What::Group(self.lines(depth - 1, names)),
            4 => What::Parallel(self.lines(depth - 1, names)),
            5 => {
                let then = self.lines(depth - 1, names);
                let has_else = self.one_in(2);
                What::If(
                    then,
                    if has_else {
                        self.lines(depth - 1, names)
                    } else {
                        Vec::new()
                    },
                )
            }
            6 => What::For(self.ty(), self.lines(depth - 1, names)),
            7 => What::Loop(
                u32::try_from(self.below(4)).unwrap(),
                self.lines(depth - 1, names),
            ),
            _ => {
                let input = (!self.one_in(3)).then(|| self.ty());
                What::Flow(input, self.ty(), self.lines(depth - 1, names))
            }
        }
    }

    /// Changes something in these lines, or below them.
    pub(super) fn change(&mut self, lines: &mut Vec<Random>, names: &mut u8) {
        let at = self.below(lines.len().max(1));
        match self.below(10) {
            0 => {
                let line = self.line(1, names);
                lines.insert(self.below(lines.len() + 1), line);
            }
            1 if !lines.is_empty() => drop(lines.remove(at)),
            2 if !lines.is_empty() => {
                let other = self.below(lines.len());
                lines.swap(at, other);
            }
            _ if lines.is_empty() => {}
            3 => {
                let line = &mut lines[at];
                *names += 1;
                let old = std::mem::replace(&mut line.name, *names);
                line.alias = self.one_in(2).then_some(old);
            }
            4 => lines[at].optional ^= true,
            5 => {
                let other = self.work(1, names);
                lines[at].work = other;
            }
            _ => self.change_work(&mut lines[at].work, names),
        }
    }

    fn change_work(&mut self, work: &mut What, names: &mut u8) {
        match work {
            What::Step(ty, kind) => match self.below(4) {
                3 => *kind = self.one_in(2).then_some(StepKind::Let),
                0 => *ty = self.ty(),
                1 => *kind = self.one_in(2).then_some(StepKind::Sleep),
                _ => *kind = self.one_in(2).then_some(StepKind::Volatile),
            },
            What::For(ty, _) if self.one_in(2) => *ty = self.ty(),
            What::Loop(max, _) if self.one_in(2) => *max = u32::try_from(self.below(4)).unwrap(),
            What::Flow(input, ..) if self.one_in(3) => *input = self.one_in(3).then(|| self.ty()),
            What::Flow(_, output, _) if self.one_in(3) => *output = self.ty(),
            What::Group(lines) if self.one_in(3) => *work = What::Parallel(std::mem::take(lines)),
            What::If(then, _) if self.one_in(2) => self.change(then, names),
            What::Group(lines)
            | What::Parallel(lines)
            | What::For(_, lines)
            | What::Loop(_, lines)
            | What::Flow(_, _, lines)
            | What::If(_, lines) => self.change(lines, names),
        }
    }
}

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn name(number: u8) -> &'static str {
    leak(format!("n{number}"))
}

pub(super) fn table(lines: &[Random], input: Option<Ty>, output: Ty) -> &'static Table {
    let input = input.map(|ty| InputField {
        name: "n",
        aliases: &[],
        ty: ty.name(),
        check: ty.check(),
        schema: None,
    });
    leak(Table {
        name: "random",
        aliases: &[],
        input: Vec::leak(input.into_iter().collect()),
        output: output.name(),
        check: output.check(),
        schema: None,
        nodes: nodes(lines),
        on_failure: OnFailure::Undo,
        deadline: None,
        handlers: FlowHandlers::NONE,
    })
}

pub(super) fn nodes(lines: &[Random]) -> &'static [Line] {
    let nodes = lines.iter().map(|line| Line {
        name: name(line.name),
        aliases: Vec::leak(line.alias.map(name).into_iter().collect()),
        calls: "",
        uses: &[],
        marks: Marks {
            optional: line.optional,
            ..Marks::default()
        },
        work: match &line.work {
            What::Step(ty, kind) => Work::Step(StepMeta {
                policy: Policy::NONE,
                undo_policy: Policy::NONE,
                undo: true,
                verify: false,
                observe: false,
                stop: None,
                check_in: None,
                kind: *kind,
                signal: None,
                output: ty.name(),
                check: ty.check(),
                schema: None,
                before: None,
            }),
            What::Group(lines) => Work::Group(nodes(lines)),
            What::Parallel(lines) => Work::Parallel(nodes(lines)),
            What::If(then, otherwise) => Work::If {
                then: nodes(then),
                otherwise: nodes(otherwise),
                value: None,
            },
            What::For(ty, body) => Work::For {
                body: nodes(body),
                at_once: 1,
                items: leak(Items(*ty)),
            },
            What::Loop(max, body) => Work::Loop {
                body: nodes(body),
                max: *max,
                keep: 0,
                prev: &[],
            },
            What::Flow(input, output, lines) => Work::Flow(table(lines, *input, *output)),
        },
    });
    Vec::leak(nodes.collect())
}
