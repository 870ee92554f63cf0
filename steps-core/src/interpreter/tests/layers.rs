//! A wide graph costs what as many plain branches cost.

use super::{Back, Cut, Fate, Lab, RandomLine, Recorder, What, generate, run};
use crate::{
    interpreter::tests::generate::Top,
    model::{
        status::Status,
        table::{FlowHandlers, Line, Marks, OnFailure, Table, Work},
    },
};

const LAYERS: usize = 10;
const WIDTH: usize = 100;

fn steps(count: usize) -> &'static [RandomLine] {
    let step = || RandomLine {
        marks: Marks::default(),
        uses: 0,
        what: What::Step {
            fate: Fate::Good,
            undo: Back::Good,
            yields: 1,
        },
    };
    std::iter::repeat_with(step)
        .take(count)
        .collect::<Vec<_>>()
        .leak()
}

/// Runs one `parallel` or several after each other. Returns how often something was recorded.
fn commits(groups: &'static [RandomLine], nodes: Vec<Line>) -> usize {
    let table: &'static Table = Box::leak(Box::new(Table {
        name: "wide",
        aliases: &[],
        input: &[],
        output: "",
        check: |_| Ok(()),
        schema: None,
        nodes: nodes.leak(),
        on_failure: OnFailure::Undo,
        deadline: None,
        handlers: FlowHandlers::NONE,
    }));
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(async {
        let lab = Lab::new();
        let top = Top { lab, lines: groups };
        let journal = Recorder::new().cut_at(None::<Cut>).without_documents();
        let state = run(&top, table, None, &journal).await;
        assert_eq!(state.status, Status::Done);
        assert_eq!(top.lab.log().len(), LAYERS * WIDTH);
        journal.commits()
    })
}

fn group(lines: &'static [RandomLine]) -> RandomLine {
    RandomLine {
        marks: Marks::default(),
        uses: 0,
        what: What::Parallel(lines.to_vec()),
    }
}

/// Each line of a layer uses all of the layer before: 90,000 arrows.
#[test]
fn a_thousand_lines_in_ten_layers_cost_what_ten_plain_parallels_cost() {
    let all: &'static [RandomLine] = vec![group(steps(LAYERS * WIDTH))].leak();
    let mut nodes = generate::owned(all, false);
    let Work::Parallel(lines) = nodes[0].work else {
        panic!("it is a parallel");
    };
    let mut lines: Vec<Line> = generate::owned(all[0].what.lines(), true)
        .into_iter()
        .zip(lines)
        .map(|(line, _)| line)
        .collect();
    for (index, line) in lines.iter_mut().enumerate() {
        let layer = index / WIDTH * WIDTH;
        line.uses = (layer.saturating_sub(WIDTH)..layer)
            .collect::<Vec<_>>()
            .leak();
    }
    nodes[0].work = Work::Parallel(lines.leak());
    let layered = commits(all, nodes);

    let plain = std::iter::repeat_with(|| group(steps(WIDTH))).take(LAYERS);
    let plain: &'static [RandomLine] = plain.collect::<Vec<_>>().leak();
    let plain = commits(plain, generate::owned(plain, false));
    assert!(
        layered * 10 <= plain * 12,
        "{layered} commits, {plain} of ten plain ones"
    );
}
