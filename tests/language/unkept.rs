//! A step whose output can't be recorded has failed, and its effect is there: it is verified, or
//! taken back at once.

use std::sync::Mutex;

use steps::{Failure, RunLimits, State, Status, prelude::*, state::StateError};

/// What was done, in order; and how often an undo fails.
#[derive(Default)]
struct World {
    log: Mutex<Vec<String>>,
    undo_fails: Mutex<u32>,
    found: Option<usize>,
}

impl World {
    fn note(&self, text: impl Into<String>) {
        self.log.lock().unwrap().push(text.into());
    }

    fn told(&self) -> String {
        std::mem::take(&mut *self.log.lock().unwrap()).join(" ")
    }
}

fn limits() -> RunLimits {
    RunLimits::DEFAULT.payload(100)
}

#[step]
async fn book(world: &World) -> Result<(), String> {
    world.note("book");
    Ok(())
}

#[undo(book)]
async fn unbook(world: &World, (): &()) {
    world.note("unbook");
}

#[step(retry(times = 5, every = "1ms"))]
async fn rent(world: &World, size: usize) -> Result<String, String> {
    world.note("rent");
    Ok("x".repeat(size))
}

#[undo(rent, retry(times = 2, every = "1ms"))]
async fn give_back(world: &World, size: usize, rented: &String) -> Result<(), String> {
    assert_eq!(*rented, "x".repeat(size));
    let mut fails = world.undo_fails.lock().unwrap();
    if *fails > 0 {
        *fails -= 1;
        world.note("busy");
        return Err("busy".to_owned());
    }
    world.note("return");
    Ok(())
}

#[flow]
async fn travel(world: &World, size: usize) -> Result<usize, String> {
    steps! {
        book(world);
        car = rent(world, size);
    }
    Ok(car.len())
}

async fn refused(world: &World) -> Failure {
    travel(world, 200).limits(limits()).await.unwrap_err()
}

#[tokio::test]
async fn an_output_over_the_limit_is_taken_back_at_once() {
    let world = World::default();
    assert_eq!(travel(&world, 98).limits(limits()).await.unwrap(), 98);
    assert_eq!(world.told(), "book rent");
    let failure = refused(&world).await;
    assert_eq!(world.told(), "book rent return unbook");
    assert_eq!(
        failure.to_string(),
        "flow `travel` failed at `car`: its output is 202 bytes of JSON, and the limit is 100: save \
         it elsewhere, and only where it is here (what had been done was undone)"
    );
    let car = failure.state.get("car").unwrap();
    assert_eq!((car.status, car.attempts), (Status::Undone, 1));
    assert_eq!(car.undo.as_ref().map(|undo| undo.attempts), Some(1));
    // It can be read, recovered and made again.
    let mut state = State::from_json(&failure.state.to_json()).unwrap();
    state.recover().unwrap();
    let again = travel(&world, 200)
        .resume(state)
        .with_state()
        .await
        .unwrap();
    assert_eq!((again.0, world.told().as_str()), (200, "book rent"));
}

#[tokio::test]
async fn taking_it_back_has_the_policy_of_the_undo() {
    let world = World::default();
    *world.undo_fails.lock().unwrap() = 2;
    let failure = refused(&world).await;
    assert_eq!(world.told(), "book rent busy busy return unbook");
    assert_eq!(failure.status(), Status::Undone);
}

#[tokio::test]
async fn one_that_can_not_be_taken_back_is_stuck_until_an_operator_has_decided() {
    let world = World::default();
    *world.undo_fails.lock().unwrap() = 3;
    let failure = refused(&world).await;
    assert_eq!(world.told(), "book rent busy busy busy");
    assert_eq!(failure.status(), Status::Stuck);
    assert_eq!(failure.step(), Some("car"));
    assert_eq!(failure.undo_failed()[0].path, "car");

    // The output is gone, so nothing here can try again.
    let mut state = State::from_json(&failure.state.to_json()).unwrap();
    assert_eq!(state.retry_undo().unwrap(), 1);
    let failure = travel(&world, 200).resume(state).await.unwrap_err();
    assert_eq!(failure.status(), Status::Stuck);
    assert_eq!(world.told(), "");
    let error = &failure.undo_failed()[0].error;
    assert!(error.contains("take back by hand what it did"), "{error}");

    let mut state = State::clone(&failure.state);
    state.mark_undone("car").unwrap();
    let failure = travel(&world, 200).resume(state).await.unwrap_err();
    assert_eq!(
        (failure.status(), world.told().as_str()),
        (Status::Undone, "unbook")
    );
}

/// Without an undo.
#[step]
async fn print(world: &World) -> Result<String, String> {
    world.note("print");
    Ok("x".repeat(200))
}

#[flow]
async fn letter(world: &World) -> Result<(), String> {
    steps! { book(world); print(world); }
    Ok(())
}

#[tokio::test]
async fn what_stays_is_told() {
    let world = World::default();
    let failure = letter(&world).limits(limits()).await.unwrap_err();
    assert_eq!(world.told(), "book print unbook");
    let error = &failure.failed()[0].error;
    assert!(
        error.ends_with("(what it did stays, as it has no undo)"),
        "{error}"
    );
}

#[step]
async fn order(world: &World, size: usize) -> Result<String, String> {
    world.note("order");
    if size == 0 {
        return Err("timed out".to_owned());
    }
    Ok("x".repeat(size))
}

#[verify(order)]
async fn ordered(world: &World, _size: usize) -> Option<String> {
    world.note("verify");
    world.found.map(|size| "y".repeat(size))
}

#[undo(order)]
async fn cancel(world: &World, _size: usize, order: &String) {
    world.note(format!("cancel {order:.1} {}", String::len(order)));
}

#[flow]
async fn shop(world: &World, size: usize) -> Result<String, String> {
    steps! { order(world, size); }
    Ok(order)
}

#[tokio::test]
async fn a_verify_is_asked_about_what_can_not_be_recorded() {
    for (size, found, ends, told) in [
        // It knows a shorter form.
        (200, Some(1), Status::Done, "order verify"),
        // Nothing is there.
        (200, None, Status::Undone, "order verify"),
        // What it finds can't be recorded, either.
        (200, Some(150), Status::Undone, "order verify cancel y 150"),
        // The same after an error.
        (0, Some(150), Status::Undone, "order verify cancel y 150"),
    ] {
        let world = World {
            found,
            ..World::default()
        };
        let run = shop(&world, size).limits(limits());
        let status = match run.with_state().await {
            Ok((output, state)) => {
                assert_eq!(output, "y", "later code is given what is recorded");
                state.state().status
            }
            Err(failure) => failure.status(),
        };
        assert_eq!((status, world.told().as_str()), (ends, told), "{found:?}");
    }
}

/// Gives what JSON has no form of.
#[step]
async fn measure(world: &World) -> Result<f64, String> {
    world.note("measure");
    Ok(f64::NAN)
}

#[undo(measure)]
async fn unmeasure(world: &World, value: &f64) {
    world.note(format!("unmeasure {value}"));
}

#[flow]
async fn survey(world: &World) -> Result<(), String> {
    steps! { book(world); measure(world); }
    Ok(())
}

#[tokio::test]
async fn an_output_that_can_not_be_read_back_is_taken_back_too() {
    let world = World::default();
    let failure = survey(&world).await.unwrap_err();
    assert_eq!(world.told(), "book measure unmeasure NaN unbook");
    assert_eq!(failure.step(), Some("measure"));
}

#[flow(on_failure = "hold")]
async fn held(world: &World, size: usize) -> Result<usize, String> {
    steps! { book(world); car = rent(world, size); }
    Ok(car.len())
}

#[flow]
async fn maybe(world: &World, size: usize) -> Result<bool, String> {
    steps! {
        #[optional]
        car = rent(world, size);
        book(world);
    }
    Ok(car.is_some())
}

#[flow]
async fn each(world: &World, size: usize) -> Result<usize, String> {
    steps! {
        cars = for n in [1, size, 2] by n parallel { car = rent(world, n); }
    }
    Ok(cars.len())
}

#[tokio::test]
async fn a_held_flow_and_an_optional_line_take_it_back_too() {
    let world = World::default();
    let failure = held(&world, 200).limits(limits()).await.unwrap_err();
    assert_eq!(world.told(), "book rent return");
    let mut state = State::clone(&failure.state);
    assert_eq!(state.status, Status::Failed);
    state.recover().unwrap();
    held(&world, 200).resume(state).await.unwrap();
    assert_eq!(world.told(), "rent", "each is done once");

    assert!(!maybe(&world, 200).limits(limits()).await.unwrap());
    assert_eq!(world.told(), "rent return book");
    each(&world, 200).limits(limits()).await.unwrap_err();
    let told = world.told();
    let count = |what: &str| told.split(' ').filter(|one| *one == what).count();
    assert_eq!(count("rent"), count("return"), "{told}");
}

#[flow]
async fn inner(world: &World, size: usize) -> Result<String, String> {
    steps! { book(world); }
    Ok("x".repeat(size))
}

#[flow]
async fn outer(world: &World, nested: usize, own: usize) -> Result<String, String> {
    steps! {
        car = rent(world, 1);
        text = flow inner(world, nested);
    }
    Ok(text + &"x".repeat(own))
}

#[tokio::test]
async fn the_output_of_a_flow_is_limited_nested_or_not() {
    for (nested, own, at) in [(200, 0, "text"), (1, 200, "")] {
        let world = World::default();
        let run = outer(&world, nested, own).limits(limits());
        let failure = run.await.unwrap_err();
        assert_eq!(
            (failure.step(), world.told().as_str()),
            (Some(at), "rent book unbook return")
        );
        assert!(
            failure.to_string().contains("its output is 20"),
            "{failure}"
        );
    }
}

#[flow]
async fn keyed(world: &World, size: usize) -> Result<(), String> {
    steps! { all = for key in ["x".repeat(size)] by key[1..] { book(world); } }
    let _ = all;
    Ok(())
}

#[flow]
async fn with_nested_input(world: &World, size: usize) -> Result<usize, String> {
    steps! { text = flow takes(world, "x".repeat(size)); }
    Ok(text)
}

#[flow]
async fn takes(world: &World, text: String) -> Result<usize, String> {
    steps! { book(world); }
    Ok(text.len())
}

#[tokio::test]
async fn items_keys_and_inputs_are_limited_before_anything_is_done() -> Result<(), StateError> {
    let world = World::default();
    let failure = keyed(&world, 200).limits(limits()).await.unwrap_err();
    assert!(
        failure
            .to_string()
            .contains("failed at `all`: its input is 20"),
        "{failure}"
    );
    let failure = with_nested_input(&world, 200)
        .limits(limits())
        .await
        .unwrap_err();
    assert!(
        failure
            .to_string()
            .contains("failed at `text`: its input is 2"),
        "{failure}"
    );
    assert_eq!(world.told(), "");
    // What is left can be read, cleared and made again, with nothing lost of it.
    let mut state = State::from_json(&failure.state.to_json())?;
    state.recover().unwrap();
    let run = with_nested_input(&world, 200).resume(state);
    assert_eq!(run.await.unwrap(), 200);
    Ok(())
}
