//! Stores that break a rule, each in one way that a real one might: the suite has to notice.

mod changes;
mod children;
mod claims;
mod clock;
mod conditions;
mod duties;
mod find;
mod heartbeats;
mod labels;
mod limits;
mod log;
mod messages;
mod nodes;
mod notes;
mod notices;
mod renewals;
mod singleton;
mod sound;
mod statistics;
mod trace;
mod transactions;
mod transfer;
mod writes;

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;

use crate::testing::store::{Broken, RULES, fixture::Fixture, subject::Source};
use crate::{
    base::{clock::TestClock as _, future::BoxFuture, json::Json},
    store::{
        Acquire, Acquired, Change, ChangeQuery, Claim, Claimed, Duty, DutyQuery, DutySet,
        ExecutionInfo, ExecutionQuery, FlowClaim, FlowLimited, Form, InTransaction, LabelQuery,
        Lease, LimitFlow, LimitedFlow, LogQuery, MessageReceipt, NewLines, NoteChange, Notes,
        Notices, Renew, Renewal, SendMessage, SetDuty, Settled, Statistics, StatisticsQuery, Store,
        StoreError, StoredExecution, StoredLog, Subscription, SubscriptionInfo, Transacted, Write,
        Written,
    },
    testing::FakeClock,
};
use sound::Sound;

type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;
type Call<A, T> = for<'a> fn(&'a Sound, A) -> Answer<'a, T>;

/// What a store does instead of what it should.
struct Twist {
    /// In words.
    what: &'static str,
    /// The rules that must notice.
    breaks: &'static [&'static str],
    write: Call<Write, Written>,
    claim: Call<Claim, Claimed>,
    acquire: Call<Acquire, Acquired>,
    renew: Call<Renew, Vec<Renewal>>,
    send: Call<SendMessage, MessageReceipt>,
    transact:
        for<'a> fn(&'a Sound, Lease, String, Box<dyn InTransaction + 'a>) -> Answer<'a, Transacted>,
    transacted: Call<(Lease, String), Option<Option<Json>>>,
    notices: fn(&Sound) -> Notices,
    annotate: Call<(String, Vec<NoteChange>), Option<Notes>>,
    duty: Call<String, Option<Duty>>,
    duties: Call<DutyQuery, Vec<Duty>>,
    set_duty: Call<SetDuty, DutySet>,
    subscribe: Call<Subscription, ()>,
    unsubscribe: Call<String, bool>,
    end_subscription: Call<(String, String), bool>,
    subscriptions: Call<(), Vec<SubscriptionInfo>>,
    changes: Call<ChangeQuery, Vec<Change>>,
    settle: Call<Settled, ()>,
    limited_flows: Call<(), Vec<LimitedFlow>>,
    limit_flow: Call<LimitFlow, FlowLimited>,
    log: Call<NewLines, ()>,
    logged: Call<LogQuery, Option<StoredLog>>,
    keep_form: Call<Form, i64>,
    form: Call<i64, Option<Form>>,
    forget_refusals: Call<Vec<FlowClaim>, ()>,
    load: Call<String, Option<StoredExecution>>,
    list: Call<ExecutionQuery, Vec<ExecutionInfo>>,
    count: Call<ExecutionQuery, u64>,
    delete: Call<ExecutionQuery, u64>,
    statistics: Call<StatisticsQuery, Statistics>,
    label_values: Call<LabelQuery, Vec<String>>,
    close: Call<(), ()>,
    reopen: fn(&Sound) -> Sound,
}

/// Does all as it should.
const SOUND: Twist = Twist {
    what: "nothing",
    breaks: &[],
    write: |sound, write| sound.write(write),
    claim: |sound, claim| sound.claim(claim),
    acquire: |sound, acquire| sound.acquire(acquire),
    renew: |sound, renew| sound.renew(renew),
    send: |sound, message| sound.send(message),
    transact: |sound, lease, name, work| sound.transact(lease, name, work),
    transacted: |sound, (lease, name)| sound.transacted(lease, name),
    notices: |sound| sound.notices(),
    annotate: |sound, (id, changes)| sound.annotate(id, changes),
    duty: |sound, name| sound.duty(name),
    duties: |sound, query| sound.duties(query),
    set_duty: |sound, set| sound.set_duty(set),
    subscribe: |sound, subscription| sound.subscribe(subscription),
    unsubscribe: |sound, name| sound.unsubscribe(name),
    end_subscription: |sound, (name, why)| sound.end_subscription(name, why),
    subscriptions: |sound, ()| sound.subscriptions(),
    changes: |sound, query| sound.changes(query),
    settle: |sound, settled| sound.settle(settled),
    limited_flows: |sound, ()| sound.limited_flows(),
    limit_flow: |sound, limit| sound.limit_flow(limit),
    log: |sound, lines| sound.log(lines),
    logged: |sound, query| sound.logged(query),
    keep_form: |sound, form| sound.keep_form(form),
    form: |sound, number| sound.form(number),
    forget_refusals: |sound, flows| sound.forget_refusals(flows),
    load: |sound, id| sound.load(id),
    list: |sound, query| sound.list(query),
    count: |sound, query| sound.count(query),
    delete: |sound, query| sound.delete(query),
    statistics: |sound, query| sound.statistics(query),
    label_values: |sound, query| sound.label_values(query),
    close: |sound, ()| sound.close(),
    reopen: Sound::reopen,
};

struct Twisted {
    sound: Sound,
    twist: &'static Twist,
}

impl Store for Twisted {
    fn write(&self, write: Write) -> Answer<'_, Written> {
        (self.twist.write)(&self.sound, write)
    }
    fn claim(&self, claim: Claim) -> Answer<'_, Claimed> {
        (self.twist.claim)(&self.sound, claim)
    }
    fn acquire(&self, acquire: Acquire) -> Answer<'_, Acquired> {
        (self.twist.acquire)(&self.sound, acquire)
    }
    fn renew(&self, renew: Renew) -> Answer<'_, Vec<Renewal>> {
        (self.twist.renew)(&self.sound, renew)
    }
    fn send(&self, message: SendMessage) -> Answer<'_, MessageReceipt> {
        (self.twist.send)(&self.sound, message)
    }
    fn write_within<'a>(
        &'a self,
        write: Write,
        transaction: &'a mut (dyn std::any::Any + Send),
    ) -> Answer<'a, Written> {
        self.sound.write_within(write, transaction)
    }

    fn transact<'a>(
        &'a self,
        lease: Lease,
        name: String,
        work: Box<dyn InTransaction + 'a>,
    ) -> Answer<'a, Transacted> {
        (self.twist.transact)(&self.sound, lease, name, work)
    }

    fn transacted(&self, lease: Lease, name: String) -> Answer<'_, Option<Option<Json>>> {
        (self.twist.transacted)(&self.sound, (lease, name))
    }

    fn notices(&self) -> Notices {
        (self.twist.notices)(&self.sound)
    }
    fn annotate(&self, id: String, changes: Vec<NoteChange>) -> Answer<'_, Option<Notes>> {
        (self.twist.annotate)(&self.sound, (id, changes))
    }
    fn duty(&self, name: String) -> Answer<'_, Option<Duty>> {
        (self.twist.duty)(&self.sound, name)
    }
    fn duties(&self, query: DutyQuery) -> Answer<'_, Vec<Duty>> {
        (self.twist.duties)(&self.sound, query)
    }
    fn set_duty(&self, set: SetDuty) -> Answer<'_, DutySet> {
        (self.twist.set_duty)(&self.sound, set)
    }
    fn subscribe(&self, subscription: Subscription) -> Answer<'_, ()> {
        (self.twist.subscribe)(&self.sound, subscription)
    }
    fn unsubscribe(&self, name: String) -> Answer<'_, bool> {
        (self.twist.unsubscribe)(&self.sound, name)
    }
    fn end_subscription(&self, name: String, why: String) -> Answer<'_, bool> {
        (self.twist.end_subscription)(&self.sound, (name, why))
    }
    fn subscriptions(&self) -> Answer<'_, Vec<SubscriptionInfo>> {
        (self.twist.subscriptions)(&self.sound, ())
    }
    fn changes(&self, query: ChangeQuery) -> Answer<'_, Vec<Change>> {
        (self.twist.changes)(&self.sound, query)
    }
    fn settle(&self, settled: Settled) -> Answer<'_, ()> {
        (self.twist.settle)(&self.sound, settled)
    }

    fn limited_flows(&self) -> Answer<'_, Vec<LimitedFlow>> {
        (self.twist.limited_flows)(&self.sound, ())
    }
    fn limit_flow(&self, limit: LimitFlow) -> Answer<'_, FlowLimited> {
        (self.twist.limit_flow)(&self.sound, limit)
    }
    fn log(&self, lines: NewLines) -> Answer<'_, ()> {
        (self.twist.log)(&self.sound, lines)
    }
    fn logged(&self, query: LogQuery) -> Answer<'_, Option<StoredLog>> {
        (self.twist.logged)(&self.sound, query)
    }
    fn keep_form(&self, form: Form) -> Answer<'_, i64> {
        (self.twist.keep_form)(&self.sound, form)
    }
    fn form(&self, number: i64) -> Answer<'_, Option<Form>> {
        (self.twist.form)(&self.sound, number)
    }
    fn forget_refusals(&self, flows: Vec<FlowClaim>) -> Answer<'_, ()> {
        (self.twist.forget_refusals)(&self.sound, flows)
    }
    fn load(&self, id: String) -> Answer<'_, Option<StoredExecution>> {
        (self.twist.load)(&self.sound, id)
    }
    fn list(&self, query: ExecutionQuery) -> Answer<'_, Vec<ExecutionInfo>> {
        (self.twist.list)(&self.sound, query)
    }
    fn count(&self, query: ExecutionQuery) -> Answer<'_, u64> {
        (self.twist.count)(&self.sound, query)
    }
    fn delete(&self, query: ExecutionQuery) -> Answer<'_, u64> {
        (self.twist.delete)(&self.sound, query)
    }
    fn label_values(&self, query: LabelQuery) -> Answer<'_, Vec<String>> {
        (self.twist.label_values)(&self.sound, query)
    }
    fn statistics(&self, query: StatisticsQuery) -> Answer<'_, Statistics> {
        (self.twist.statistics)(&self.sound, query)
    }
    fn close(&self) -> Answer<'_, ()> {
        (self.twist.close)(&self.sound, ())
    }
}

/// Where twisted stores come from. Their time is a clock's that jumps.
struct Workshop {
    sound: Sound,
    clock: FakeClock,
    twist: &'static Twist,
}

impl Source for Workshop {
    fn reopens(&self) -> bool {
        true
    }

    fn open(&self) -> BoxFuture<'_, Arc<dyn Store>> {
        let twist = self.twist;
        let sound = (twist.reopen)(&self.sound);
        Box::pin(async move { Arc::new(Twisted { sound, twist }) as Arc<dyn Store> })
    }

    fn pass(&self, time: Duration) -> BoxFuture<'_, ()> {
        self.clock.advance(time);
        Box::pin(std::future::ready(()))
    }

    fn set_forward(&self, by: SignedDuration) -> BoxFuture<'_, bool> {
        self.clock.set(self.clock.now() + by);
        Box::pin(std::future::ready(true))
    }
}

/// What a rule finds of a twisted store.
async fn check(twist: &'static Twist, rule: &str) -> Result<(), Broken> {
    let found = RULES.iter().find(|known| known.name == rule);
    let rule = found.unwrap_or_else(|| panic!("there is no rule `{rule}`"));
    let clock = FakeClock::new();
    let sound = Sound::new(&clock);
    let workshop = Workshop {
        sound,
        clock,
        twist,
    };
    let fixture = Fixture::new(Arc::new(workshop)).await;
    let outcome = (rule.test)(fixture).await;
    outcome.map_err(|fault| Broken {
        rule: *rule,
        what: fault.0,
    })
}

fn all() -> impl Iterator<Item = &'static Twist> {
    [
        writes::ALL,
        nodes::ALL,
        notes::ALL,
        notices::ALL,
        transfer::ALL,
        conditions::ALL,
        claims::ALL,
        clock::ALL,
        renewals::ALL,
        heartbeats::ALL,
        messages::ALL,
        find::ALL,
        children::ALL,
        duties::ALL,
        labels::ALL,
        changes::ALL,
        limits::ALL,
        log::ALL,
        singleton::ALL,
        trace::ALL,
        transactions::ALL,
        statistics::ALL,
    ]
    .into_iter()
    .flatten()
}

#[tokio::test]
async fn a_sound_store_breaks_no_rule_by_a_clock_that_jumps() {
    for rule in RULES {
        check(&SOUND, rule.name).await.unwrap();
    }
}

#[tokio::test]
async fn each_broken_store_is_noticed() {
    let mut unnoticed = Vec::new();
    for twist in all() {
        for rule in twist.breaks {
            let Err(broken) = check(twist, rule).await else {
                unnoticed.push(format!("`{rule}`: one that {}", twist.what));
                continue;
            };
            let text = broken.to_string();
            let told = [rule, "expected: ", "came: "].map(|part| text.contains(part));
            assert_eq!(told, [true; 3], "{text}");
        }
    }
    assert_eq!(unnoticed, [""; 0]);
}

#[test]
fn each_rule_notices_some_broken_store() {
    let noticed: Vec<&str> = all().flat_map(|twist| twist.breaks).copied().collect();
    let idle = RULES.iter().filter(|rule| !noticed.contains(&rule.name));
    let idle: Vec<&str> = idle.map(|rule| rule.name).collect();
    assert_eq!(idle, [""; 0], "rules that no broken store shows to work");
}
