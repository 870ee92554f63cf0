//! The list of all rules: their names, and what they say.

use super::{rule::Rule, rules};

/// Hands the list to another macro.
#[macro_export]
#[doc(hidden)]
macro_rules! __store_rules {
    ($then:path, $($with:tt)*) => { $then! { $($with)*;
        create {
            create_keeps_all: "An execution is kept as it was made, with the nodes of the same write.",
            create_held: "An execution that is made for a worker is held by it from the start.",
            create_due: "An execution that is made for nobody is due as its write says.",
            create_held_and_rest: "A lease that the write which makes an execution gives back is not good.",
            create_exists: "Of an id that is there, nothing is written, and what is there is told.",
            create_without_worker_keeps_no_lease: "An execution can't be made for nobody and keep its lease.",
            create_at_once: "Of several of one id that are made at once, just one is made.",
        }
        fence {
            stale_lease_is_fenced: "A write under a lease that is not the newest is refused, and nothing of it kept.",
            ended_lease_still_writes: "A lease that has ended is good until somebody else takes the execution.",
            given_back_lease_is_fenced: "A lease that was given back is not good.",
            lease_of_deleted_is_fenced: "A lease on what was deleted is not good, even if its id is in use again.",
            fences_grow: "Each lease on an execution has a larger fencing number than any before it.",
        }
        nodes {
            nodes_replace_those_of_their_number: "A node takes the place of the one of its number; the others stay.",
            replace_deletes_the_others: "A write that replaces deletes the rows it does not have, of its execution only.",
            removed_rows_are_gone: "A write deletes the rows that it says are gone, and no others; not if it is refused.",
            replace_may_leave_no_root: "A write that replaces and brings no root deletes its row, too; what is known of the execution stays.",
            every_node_comes_back: "Nodes of all kinds come back as they were written.",
            root_comes_back: "The root comes back as it was written, and tells of the execution.",
            extremes_come_back: "Ids, flows, labels, priorities and inputs come back, whatever they hold.",
            large_values_come_back: "Values of more than 1 MiB come back.",
            many_rows_come_back: "An execution may have 10,000 rows and more.",
            root_tells_the_execution: "Status, times, error and output of an execution are those of its root.",
        }
        begun {
            a_step_begins_with_the_end_of_another: "A step that begins at the end of another one is there as it was written, whatever is written to either.",
            a_step_that_began_so_stands_by_itself: "It is there without the one before it, and the other is there without it.",
        }
        past {
            claims_leave_out_what_is_past: "A claim leaves out what the last write to say so has said is past; nothing else does.",
        }
        claims {
            claim_gives_all: "A claim gives all that is kept of an execution, and its messages.",
            claim_order: "Those of higher priority come first, then those that were due first.",
            claim_ageing: "With ageing, those that have been due for longer count as of a higher priority.",
            claim_limits: "A claim gives no more than its limits, in all and of each flow.",
            claim_shares: "A claim gives no more than a share of rows and bytes, or one execution, and says that it has left others.",
            claim_names: "A claim gives executions of all names of its flows, and of no other.",
            claim_only_what_is_due: "A claim gives what is due, and nothing before its time.",
            claim_after_the_end_of_a_lease: "When a lease ends, the execution is due, and tells from whom it was taken.",
            next_due: "A claim tells when the next execution of its flows is due.",
        }
        clock {
            setting_the_clock_ends_no_lease: "No lease ends because the wall clock is set forward.",
            setting_the_clock_prolongs_no_lease: "No lease lasts longer because the wall clock is set back.",
            what_is_due_stays_due: "What is due stays due if the wall clock is set back.",
            waits_go_by_the_wall_clock: "What waits for a time is due once the wall clock shows it, however it came to that.",
            what_was_waited_for_is_due: "A claim gives what its worker has waited for, if it still waits for that time.",
            next_wait: "A claim tells which execution waits for the earliest time.",
        }
        notes {
            notes_come_back: "What is noted of an execution comes back as it was written, by a claim, a load and a list.",
            notes_change: "What is noted is changed whoever holds the execution, one change after the other, and of no other.",
            notes_of_a_write: "Notes of a write are kept with it or not at all.",
            steps_are_counted: "A list tells how many steps of each execution are in which status, and when it was last changed.",
        }
        notices {
            notices_tell_what_others_leave: "A store that says it listens tells of what is made due for nobody, and of messages.",
        }
        transfer {
            load_gives_the_inbox: "A load gives the messages in the inbox, the oldest first, and leaves them there.",
            made_elsewhere_keeps_its_time: "An execution that is made with a time of its creation is listed by that.",
            what_is_made_may_have_messages: "The write that makes an execution may send messages to it, which are sent only if it makes it.",
        }
        acquire {
            hold_takes: "A hold gives an execution, due or not, with all that is kept of it.",
            hold_only_what_nobody_holds: "A hold gives nothing that is held, and says by whom.",
            hold_by_force: "A hold that takes over any lease takes over one that has not ended, which is not good from then on.",
            hold_after_the_end_of_a_lease: "A hold takes over when a lease has ended.",
        }
        refuse {
            refused_is_passed_over: "An execution that a flow refused is not given to that flow again, but to others.",
            taking_ends_a_refusal: "A refusal ends when somebody takes the execution.",
            all_who_refused_are_remembered: "An execution that several have refused is given to none of them, and each is readmitted by itself.",
            readmit_ends_a_refusal: "A refusal ends when that flow is readmitted, and no other.",
        }
        forms {
            a_form_keeps_its_number: "A form of a flow has one number, which is larger than those of all before it.",
            an_execution_has_its_newest_form: "An execution has the number of the newest form that has worked on it.",
        }
        renew {
            renew_puts_off: "A renewal puts off the end of a lease, counted from now.",
            only_a_renewal_puts_off: "Nothing but a renewal puts off the end of a lease, and its worker is told until somebody takes the execution.",
            renew_says_what_is_lost: "A renewal says for each lease, in order, whether it is good.",
            renew_does_not_wake_what_rests: "A heartbeat that comes late changes nothing of what was given back.",
            renew_gives_messages: "A renewal gives the messages that came since.",
        }
        heartbeat {
            heartbeat_puts_off_all: "A heartbeat of all that a worker holds puts off the end of each of them, and of no other lease.",
            renewal_of_some_is_theirs: "A renewal of some of a worker's leases counts for these alone.",
            heartbeat_gives_messages: "A heartbeat of all gives the messages that came since, as often as they are not known.",
            heartbeat_says_what_is_lost: "A heartbeat of all says of each lease that was taken, deleted or given back that it is lost.",
            what_had_a_heartbeat_is_given_back: "What is given back after a heartbeat of all is as after none.",
        }
        messages {
            tell_only_in_a_status: "A message is kept in the statuses that it is for; else the status is told.",
            tell_wakes_what_rests: "A message to an execution that nobody holds makes it due now.",
            tell_leaves_a_lease_alone: "A message to an execution that is held waits for its holder.",
            tell_numbers_grow: "The number of a message is larger than that of any before it.",
            tell_replaces: "A message that replaces takes the place of those of its kind and path, with a number of its own.",
            tell_queues: "Messages of one kind and path queue in order, up to the bound of the sender.",
            tell_only_if_nothing_was_taken: "A message is kept only if as many were taken as its sender says.",
            replaced_signal_is_not_taken: "A write that takes a signal which is not there any more is refused, and nothing of it kept.",
            taken_messages_are_deleted: "A write deletes the messages that it has taken, and no other.",
            rest_is_over_if_a_message_came: "What is given back is due now if there is a message its holder has not seen, and the holder is told.",
            messages_come_back: "Messages come back as they were sent, the oldest first.",
        }
        children {
            children_come_with_the_write: "Executions that a write starts are there with it, as they were made, and held by nobody.",
            taken_ids_refuse_the_write: "A write that starts an execution whose id is in use is refused, and nothing of it kept.",
            told_with_the_write: "Messages of a write are sent with it, each under its own conditions, and not without it.",
            children_are_found: "Lists, counts and deletions go by who has started an execution.",
            those_without_parent_are_found: "A query for those without parent has what nobody has started, and what somebody has who is gone.",
        }
        find {
            load_what_is_there: "An execution is found by its id, to the byte.",
            list_order: "A list has the newest first, with all that is known of each.",
            list_pages: "Each execution has a place of its own, and pages, one after the other, have each once, in this order.",
            list_goes_on_after_what_is_gone: "A page begins after its place in the list, whether or not what stood there is still there.",
            list_filters: "A list has what meets all that a query sets, with all that is known of each.",
            count_filters: "A count has what meets all that a query sets, whatever its limit and place.",
            find_by_what_is_so_now: "Lists and counts go by what is so now, whatever was so before.",
        }
        conditions {
            find_by_conditions: "A list, a count and a deletion have what meets each condition of a query.",
            list_sorts: "A list is sorted as its query says, what has no value last, and of the same values the newest first.",
            list_sorted_pages: "Pages of a list that is sorted, one after the other, have each once, also after one that is gone.",
        }
        labels {
            label_values_are_listed: "The values of a label that so many executions have are listed in their order, page by page.",
        }
        statistics {
            statistics_count_all: "Statistics count all executions that were created in a time, and in the one before, and tell the slowest.",
            statistics_of_steps: "Statistics tell of each step how often it began, failed, was retried and undone, and where its time went.",
            statistics_of_a_sample: "Of more executions than the sample may have, as many are looked at as it may have, and all are counted.",
        }
        delete {
            delete_only_what_has_ended: "What has not ended is not deleted.",
            delete_nothing_that_is_held: "What somebody holds is not deleted.",
            delete_what_a_query_finds: "What a query finds is deleted, after its place in the list, the oldest first, up to its limit.",
            delete_filters: "A deletion deletes what meets all that a query sets, and nothing else.",
            delete_leaves_nothing: "Of what was deleted nothing is left, and its id may be used again.",
        }
        duties {
            duties_come_back: "A duty comes back as it was written, by its name and in a list.",
            duties_change_by_revision: "A duty is changed or removed only under the revision that was read, and its revision only grows.",
            duties_are_listed: "A list has the duties of a prefix, or those that are due, in their order and page by page.",
            duties_start_executions: "Executions that a change of a duty starts are there with it, and not without it; an id that is in use is told.",
            duties_at_once: "Of several changes of a duty at once, just one is made.",
        }
        changes {
            changes_are_kept: "A write keeps what it changes for each subscription to it, from when there is one, whoever has subscribed.",
            changes_begin_with_a_step: "The end of a step and the beginning of the next are two changes, also in one write.",
            changes_of_a_replaced_tree: "A write that replaces a tree changes what has another status at its place.",
            changes_come_with_the_write: "A change is kept with its write or not at all, also those of executions that a write or a duty starts.",
            changes_outlast_the_execution: "Changes of what was deleted stay.",
            changes_are_listed: "A list has what was not told after a number, but for executions with one in vain; or those in vain, by when they are due.",
            changes_are_settled: "What was told is deleted, what was told in vain is kept as that, of no other subscription.",
            subscriptions_come_back: "Subscriptions come back as they were last set, with how many changes wait.",
            subscriptions_end: "One that has ended or was removed keeps no changes, and the other ones do.",
        }
        limits {
            limits_come_back: "What is kept of a flow that is paused or limited comes back, and changes only under the revision that was read.",
            nobody_is_given_what_is_paused: "No claim gives an execution of a flow that is paused, and none is made for a worker; others are given.",
            no_more_begin_than_may_at_once: "Of a flow with a limit, no more begin than there is room for; what has begun is given whatever the limit.",
            a_place_is_free_when_its_lease_has_ended: "What is held and has not begun takes up room until its lease ends; what has begun, until it ends.",
            no_more_begin_of_a_label: "Those with one value of the label of a limit are counted for themselves, whenever they were made.",
            no_more_begin_than_a_rate: "No more begin in a time than a rate says, over all who claim, and a claim tells when the next may.",
            priorities_count_behind_limits: "Behind limits, too, those of higher priority come first, and a claim tells what waits.",
            refusals_count_behind_limits: "Behind limits, too, what a flow refused is not given to it until it is readmitted.",
        }
        log {
            a_log_comes_back: "What steps have logged comes back as it was written, in its order, of its execution alone.",
            a_log_is_found_by_step: "A log is read of a step and what is below it, after a line, the oldest or the newest of more lines.",
            a_log_is_bounded: "Of a step and of an execution the newest lines are kept, and each line tells which of its step it is.",
            a_log_goes_with_its_execution: "What a worker has logged is kept whoever holds the execution by then, and goes with it; nothing is kept of one that is gone.",
        }
        singleton {
            a_key_is_that_of_one: "A key is that of one execution of a flow until that has ended; who starts another one is told.",
            a_key_is_needed_to_go_on_again: "What has ended and goes on again needs its key, or is refused; a rollback goes on without.",
            keys_at_once: "Of several of one key that are made at once, just one is made.",
        }
        trace {
            a_trace_comes_back: "The trace context that an execution is created with comes back with it: to whoever claims, holds, loads, finds or repeats it.",
        }
        transactions {
            transactions_are_kept: "What is kept with a transaction is found by its name, until a write ends it.",
            abandoned_transactions_leave_nothing: "Of a transaction whose work is abandoned, nothing is kept.",
            transactions_are_made_once: "A transaction of a name that was committed is not made again.",
            transactions_are_fenced: "A transaction is committed, and asked for, under the newest lease only.",
            writes_end_transactions: "A write ends the transactions that it names, of its execution; not if it is refused.",
        }
        bounds {
            largest_numbers_are_kept: "Leases, times and limits may be as large as their types allow, numbers of nodes below 2²⁴.",
            long_lists_are_taken: "A call may name tens of thousands of leases or messages, and thousands of flows.",
        }
        together {
            claims_at_once: "No two workers get the same execution.",
            holds_at_once: "No two get the same execution by a hold.",
            messages_at_once_are_not_lost: "A message that comes while a lease is given back is not lost.",
            reads_see_whole_writes: "Who reads while somebody writes sees a write whole or not at all.",
            a_dropped_call_is_whole_or_nothing: "A write that nobody waits for any more is kept whole or not at all.",
            writes_at_once: "Of writes at once, all good ones are kept, and bad ones fail alone.",
        }
        close {
            close_ends_all_calls: "After a store was closed, all calls fail, and change nothing.",
            close_finishes_what_was_asked_for: "Of a write that was under way as a store closed, it is told whether it is kept.",
            reopening_keeps_all: "What was acknowledged is there when the store is opened again.",
            opened_twice_is_one_store: "Who opens a store twice sees the same executions, and the same leases.",
        }
    } };
}

macro_rules! rules {
    (; $($module:ident { $($rule:ident: $says:literal,)* })*) => {
        /// All rules of a store.
        pub const RULES: &[Rule] = &[$($(
            Rule {
                name: stringify!($rule),
                says: $says,
                test: |fixture| Box::pin(rules::$module::$rule(fixture)),
            },
        )*)*];
    };
}

__store_rules! { rules, }
