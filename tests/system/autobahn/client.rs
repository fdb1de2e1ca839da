//! The suite as a server, against the client of the library, which echoes.

use std::{path::PathBuf, time::Duration};

use system_tests::port;
use ws_echo::client::{Connection, Event, Options, Url};

use super::{
    AGENT, Verdicts, assert_all_pass, compares_hashes, read_verdicts, reports_on, run_shares, suite,
};

#[test]
#[ignore = "needs wstest"]
fn the_client_passes_every_case_of_the_autobahn_testsuite() {
    assert_all_pass(&run_shares(&reports_on("client"), run_share));
}

async fn run_share(reports: PathBuf, share: &'static [&'static str]) -> Verdicts {
    let address = format!("127.0.0.1:{}", port::free());
    let spec = serde_json::json!({
        "url": format!("ws://{address}"),
        "outdir": reports,
        "options": { "failByDrop": false, "utf8validateIncoming": !compares_hashes(share) },
        "cases": share,
        "exclude-cases": [],
        "exclude-agent-cases": {},
    });
    let mut suite = suite("fuzzingserver", &spec, &reports).spawn().unwrap();
    let url = |target: &str| format!("ws://{address}{target}").parse::<Url>().unwrap();
    let options = Options {
        timeout: Duration::from_secs(120),
        ..Options::default()
    };
    let mut count = loop {
        match Connection::connect(&url("/getCaseCount"), &options).await {
            Ok(count) => break count,
            // The suite takes a second to start.
            Err(_) if suite.try_wait().unwrap().is_none() => {
                tokio::time::sleep(Duration::from_millis(50)).await
            }
            Err(error) => panic!("wstest has exited: {error}"),
        }
    };
    let count = count.next_message().await.expect("the number of cases").payload;
    let count: usize = str::from_utf8(&count).unwrap().parse().unwrap();
    for case in 1..=count {
        let url = url(&format!("/runCase?case={case}&agent={AGENT}"));
        echo(Connection::connect(&url, &options).await.unwrap()).await;
    }
    let update = url(&format!("/updateReports?agent={AGENT}"));
    let mut update = Connection::connect(&update, &options).await.unwrap();
    // The suite closes the connection once the reports are written.
    while update.next().await.is_some() {}
    let _ = suite.kill().await;
    read_verdicts(&reports)
}

/// Echoes each message, until the suite ends the connection.
async fn echo(mut connection: Connection) {
    while let Some(event) = connection.next_in_time().await {
        if let Event::Message(message, _) = event {
            // The suite may read nothing before it has written its own messages.
            connection.queue(&message);
        }
    }
}
