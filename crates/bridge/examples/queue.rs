//! A small provider system: shows the queue as it changes.
//!
//! ```text
//! RADLINE_TOKEN=… cargo run -p radline-bridge --example queue -- http://127.0.0.1:50051
//! ```

use std::error::Error;
use std::io::Write;

use radline_bridge::grpc::v1;
use radline_bridge::grpc::v1::provider_service_client::ProviderServiceClient;
use tonic::Request;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("say where: http://HOST:PORT")?;
    let token = std::env::var("RADLINE_TOKEN").map_err(|_| "set RADLINE_TOKEN")?;
    let mut client = ProviderServiceClient::connect(address).await?;
    let mut request = Request::new(v1::WatchQueueRequest { filter: None, all_calls: true });
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse()?);
    let mut queue = client.watch_queue(request).await?.into_inner();
    let mut output = std::io::stdout();
    while let Some(state) = queue.message().await? {
        writeln!(output, "-- {} calls", state.calls.len())?;
        for call in state.calls {
            let why = call.escalation.as_ref().map_or("talks with Radline", |need| &need.text);
            let who =
                if call.caller_name.is_empty() { "unknown caller" } else { &call.caller_name };
            writeln!(output, "{:?}: {who}: {why}", call.state())?;
        }
    }
    Ok(())
}
