use steps::prelude::*;

#[step]
async fn make(n: u32) -> Result<String, String> {
    Ok(n.to_string())
}

#[undo(make)]
async fn unmake(_n: u32, _made: &String) {}

#[step]
async fn send(text: &str) -> Result<(), String> {
    println!("{text}");
    Ok(())
}

#[flow]
async fn tell(n: u32) -> Result<(), String> {
    steps! {
        text = make(n);
        sent = send(&text);
    }
    Ok(sent)
}

#[flow(reversible)]
async fn twice(n: u32) -> Result<String, String> {
    steps! {
        first = make(n);
        second = make(n);
    }
    Ok(first + &second)
}

#[flow(reversible)]
async fn work(n: u32) -> Result<String, String> {
    steps! {
        pair = flow twice(n);
        group = {
            told = flow tell(n);
        }
    }
    let () = group.told;
    Ok(pair)
}

fn main() {
    drop(work(1));
    let _: Option<WorkState> = None;
    let _ = work::STEPS.pair;
}
