//! The names that generated code uses. They are not for other code, and change without notice.

#![allow(missing_docs)]
pub use crate::{
    base::{error::StepError, future::BoxFuture, json::Json},
    language::{
        arguments::{Bind, BindRef, Done, ToBind},
        cells::{
            Cell, Each, Group, Maybe,
            branch::{Branch, BranchCell, Else, Then},
            flow::FlowCell,
            rounds::{LoopCell, Round},
        },
        codec::{Codec, NeverSaved, Unsaved, codec, unsaved},
        cx::Cx,
        editor,
        external::{ExternalReturn, Told, externals, told},
        flow::{Flow, FlowOutput, HasTable, Root},
        flow_handlers::{FlowProbe, NoFlowHandler, OnDone, OnFailed, OnStopped},
        frame::{Frame, Ops, Slots},
        glue::{
            BROKEN, EnterResult, NoMatch, boxed, decided, entered, frame, items_at_once, listed,
            matched, most_rounds, no_call, no_match, no_scope, no_until, reversible,
            reversible_flow, saved_aliases, saved_name,
        },
        handlers::{
            Handlers, IsExternal, NoHandler, Observe, OnCheckIn, Probe, Reversible, ReversibleFlow,
            Stop, Undo, Verify,
        },
        input::{end_fields, input_codec, load_field, load_fields, reads, save_field, save_fields},
        keep::Keep,
        let_line::{LetError, let_codec, let_line, looks_like},
        misuse::{
            HasPolicy, NoArgs, NoParams, NotAFlow, NotStarted, Nothing, StepOnly, Takes, flow_call,
            has_policy, no_duration, step_call,
        },
        outcome::{Caught, Optional},
        plan::{
            AsArg, Given, Gives, Param, Plan, PlanBuilder, PlanCall, PlanFields, PlanOutputs,
            PlanSlot, PlanSlots, PlanSteps, Planned, Registered, Tree, enter_plan, load_planned,
            plan_arms, plan_runs, plan_whole,
        },
        recorded::{
            FlowValue, ListOwned, ListRef, LookOption, LookOwned, LookRef, Once, OnceAny, Source,
            types::{Got, GotOther, GotRecorded, recording, typed_frame},
        },
        returns::{
            HandlerReturn, PollReturn, StepReturn, before, check_before, ended, found, seen,
            seen_result,
        },
        run_op::{drive, polls, runs},
        schema::{NoSchema, Shows},
        scope::{Enter, Entered, LoadError, Op, OpResult, Saved, Scope},
        slot::{EndSlot, load, load_end},
        step::{About, Args, AsFlow, Call, Error, Function, Output, Ref, Same, Step, codec_of},
        threads::{blocking, detached},
        transaction::{Transactional, transacts, undo_transacts},
        within::signal_within,
    },
    model::{
        failure::{Failure, StepFailure},
        policy::{Policy, Poll, Retry},
        state::StepKind,
        table::{
            Check, FlowHandlers, InputField, Line, Marks, OnFailure, SchemaOf, StepMeta, Table,
            Way, Work, check_depth, fingerprint, kept_rounds,
        },
        typed::{
            AtRoot, FlowRef, InLoop, ItemStates, Loops, NoSteps, Place, RefPath, StepRef,
            StepState, View, Within,
        },
    },
    run::{
        Run,
        children::{join_child, start_child},
    },
};
pub use core::{
    borrow::Borrow,
    clone::Clone,
    convert::{Infallible, Into},
    future::ready,
    marker::{PhantomData, Send, Sync},
    option::Option,
    result::Result,
    time::Duration,
    unreachable,
};
pub use serde_json::Error as JsonError;
pub use std::{
    borrow::ToOwned,
    string::{String, ToString},
    sync::{Arc, OnceLock},
    vec::Vec,
};
