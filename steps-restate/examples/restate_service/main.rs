//! Orders on Restate: a service whose flow reserves, waits for an approval, and charges; and the calls to it.
//!
//! `restate_service --help` says how to start the server.

mod flow;

use std::{error::Error, sync::Arc, time::Duration};

use flow::{Order, Shop, order};
use steps_restate::{
    Client, ClientError,
    sdk::{endpoint::Endpoint, http_server::HttpServer},
    serve,
};

const HELP: &str = "\
Orders on Restate.

Start a server first; it is of other makers, under the Business Source License:

    npx @restatedev/restate-server

Then this service, and tell the server of it, once:

    restate_service serve 127.0.0.1:9080
    curl localhost:9070/deployments --json '{\"uri\": \"http://127.0.0.1:9080\"}'

And from another shell:

    restate_service start ID AMOUNT    begins an order, of at most 1000
    restate_service approve ID NAME    which it waits for
    restate_service undo ID            takes it back, if it has not ended
    restate_service show ID            its tree
    restate_service outcome ID         waits for its end

The server may be killed, and so may the service, at any time. The server's page, http://localhost:9070, shows
what is recorded.

The environment variable RESTATE is the address of the server's ingress, by default http://localhost:8080.
";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    if let ["serve", address] = args[..] {
        let shop = Arc::new(Shop {
            pause: Duration::from_millis(300),
        });
        let endpoint = Endpoint::builder().bind(serve(order::with(shop)));
        HttpServer::new(endpoint.build())
            .listen_and_serve(address.parse()?)
            .await;
        return Ok(());
    }
    let url = std::env::var("RESTATE").unwrap_or_else(|_| "http://localhost:8080".to_owned());
    let restate = Client::new(&url)?;
    match args[..] {
        ["start", id, amount] => {
            let wanted = Order {
                customer: "Ada".to_owned(),
                amount: amount.parse()?,
            };
            let run = restate.start(order::input(wanted)).id(id).await?;
            let word = if run.existed() {
                "is there already"
            } else {
                "has begun"
            };
            println!("order {id} {word}");
        }
        ["approve", id, name] => {
            let run = restate.execution::<order>(id);
            run.signal(order::STEPS.approved_by, &name.to_owned())
                .await?;
            println!("order {id} is approved");
        }
        ["undo", id] => {
            restate.execution::<order>(id).undo().await?;
            println!("order {id} is to be taken back");
        }
        ["show", id] => match restate.execution::<order>(id).state().await? {
            Some(state) => print!("{}", state.state().tree()),
            None => println!("order {id} has not begun to wait yet"),
        },
        ["outcome", id] => match restate.execution::<order>(id).outcome().await {
            Ok(receipt) => println!("{receipt}"),
            Err(ClientError::Failed { failure, .. }) => println!("{failure}"),
            Err(error) => return Err(error.into()),
        },
        ["--help" | "-h"] => print!("{HELP}"),
        _ => {
            eprint!("{HELP}");
            std::process::exit(2);
        }
    }
    Ok(())
}
