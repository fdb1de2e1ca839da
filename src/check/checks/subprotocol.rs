//! `subprotocol`: the names that arrive, and the one that comes back.

use serde_json::Value;

use crate::{
    check::{
        definition::{Definition, Needs},
        far_end::{description, leave},
        outcome::Outcome,
        target::Target,
    },
    client::ConnectError,
};

/// The check.
pub(super) const CHECK: Definition = Definition {
    needs: Needs::WebSocket,
    words: include_str!("../words/subprotocol.json"),
    run: |target| Box::pin(run(target)),
};

/// The names that are offered to ws-echo, which accepts any.
const MADE_UP: [&str; 2] = ["check.one", "check.two"];

async fn run(target: &Target) -> Outcome {
    let mut outcome = Outcome::default();
    let names: Vec<String> = if !target.subprotocols.is_empty() {
        target.subprotocols.clone()
    } else if target.is_ws_echo() {
        MADE_UP.map(str::to_owned).to_vec()
    } else {
        outcome.unknown("the far end may know none; --subprotocol names one to offer");
        return outcome;
    };
    let one_line = names.join(", ");
    match offer(target, vec![one_line.clone()]).await {
        Ok(answer) => judge(target, &names, &one_line, &answer, &mut outcome),
        Err(error) => outcome.broken_unless(
            !target.is_ws_echo(),
            "refused",
            format!("{one_line} offered: {error}"),
        ),
    }
    if names.len() > 1 && target.is_ws_echo() {
        match offer(target, names.clone()).await {
            Ok(answer) => {
                let arrived = answer.arrived.unwrap_or_default();
                if arrived == names {
                    outcome.ok("the same over two lines");
                } else if arrived.is_empty() {
                    outcome.broken("lost", "over two lines none arrived");
                } else {
                    let arrived = arrived.join(", ");
                    outcome.differs(
                        "lines",
                        format!("of {} over two lines, {arrived} arrived", names.join(" and ")),
                    );
                }
            }
            Err(error) => outcome.differs("lines", format!("over two lines: {error}")),
        }
    }
    outcome
}

/// The way of an offer and of its answer.
struct Answer {
    /// The names that arrived. `None` if the far end does not show them.
    arrived: Option<Vec<String>>,
    /// The name that the far end chose, as it says.
    chosen: Option<String>,
    /// The name in the response.
    answered: Option<String>,
}

async fn offer(target: &Target, lines: Vec<String>) -> Result<Answer, ConnectError> {
    let mut connection = target
        .connect_with("hello=json", |options| options.subprotocols = lines)
        .await?;
    let answered = connection.negotiated().subprotocol.clone();
    let described = if target.is_ws_echo() {
        connection.next_message().await.as_ref().and_then(description)
    } else {
        None
    };
    leave(connection).await;
    let offered = |described: &Value| {
        let names = described["subprotocol"]["offered"]
            .as_array()
            .into_iter()
            .flatten();
        names
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect()
    };
    Ok(Answer {
        arrived: described.as_ref().map(offered),
        chosen: described
            .as_ref()
            .and_then(|described| described["subprotocol"]["chosen"].as_str())
            .map(str::to_owned),
        answered,
    })
}

fn judge(target: &Target, names: &[String], offered: &str, answer: &Answer, outcome: &mut Outcome) {
    match (&answer.arrived, &answer.answered) {
        (Some(arrived), _) if arrived.is_empty() => {
            outcome.broken("lost", format!("{offered} offered, and none arrived"));
        }
        (Some(arrived), answered) if arrived != names => {
            let arrived = arrived.join(", ");
            let answered = answered.as_deref().unwrap_or("none");
            outcome.broken(
                "changed",
                format!("{offered} offered, {arrived} arrived, {answered} came back"),
            );
        }
        (_, None) => match &answer.chosen {
            Some(chosen) => outcome.broken(
                "answer-lost",
                format!("{offered} arrived, {chosen} was chosen and did not come back"),
            ),
            None => outcome.broken_unless(
                !target.is_ws_echo(),
                "answer-lost",
                format!("{offered} offered, and none chosen"),
            ),
        },
        (_, Some(answered)) => outcome.ok(format!("{offered} offered, {answered} came back")),
    }
}
