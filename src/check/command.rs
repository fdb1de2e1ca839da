//! The command: flags to a plan, and the report to standard output.

use std::{
    io::{self, IsTerminal as _, Write},
    process::ExitCode,
    time::{Duration, Instant},
};

use anstream::AutoStream;

use super::{
    format,
    report::{Report, Verdict},
    run::{NoReport, Plan, run},
};
use crate::{
    client::{Options, Trust, Url},
    config::{CheckArgs, CheckName, ReportFormat},
};

/// Largest message in bytes that a check receives, unless it is about large ones. A check may have many connections.
const MAX_MESSAGE: usize = 256 * 1024;

/// The exit code of the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// Nothing is broken.
    Fine = 0,
    /// Something is broken.
    Broken = 1,
    /// The arguments are invalid.
    Usage = 2,
    /// Nobody answers.
    Nobody = 3,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status as u8)
    }
}

/// Runs the command, and writes its report to standard output. An error is one line on standard error.
pub async fn command(args: CheckArgs) -> ExitStatus {
    let plan = match plan(&args) {
        Ok(plan) => plan,
        Err(error) => return fail(ExitStatus::Usage, &error),
    };
    let start = Instant::now();
    let is_text = args.format == ReportFormat::Text;
    let is_compared = args.direct.is_some();
    let on_check = |check: &_| {
        if is_text && let Some(line) = format::text::line(check, is_compared) {
            print(&line);
        }
    };
    match run(plan, show_clock, on_check).await {
        Ok(report) => {
            print(&whole(&report, args.format, start.elapsed()));
            match report.verdict {
                Verdict::Broken => ExitStatus::Broken,
                _ => ExitStatus::Fine,
            }
        }
        Err(error @ NoReport::Usage(_)) => fail(ExitStatus::Usage, &error.to_string()),
        Err(error @ NoReport::Nobody { .. }) => fail(ExitStatus::Nobody, &error.to_string()),
    }
}

fn whole(report: &Report, format: ReportFormat, took: Duration) -> String {
    match format {
        ReportFormat::Text => format::text::end(report, took),
        ReportFormat::Json => format::json::write(report),
        ReportFormat::Junit => format::junit::write(report),
        ReportFormat::Markdown => format::markdown::write(report),
    }
}

/// Returns what the flags ask for.
fn plan(args: &CheckArgs) -> Result<Plan, String> {
    let url = |text: &str, name: &str| {
        text.parse::<Url>()
            .map_err(|error| format!("invalid value {text:?} for {name}: {error}"))
    };
    let mut trust = Trust::default();
    trust.add_system();
    for path in &args.ca {
        trust.add_file(path).map_err(|error| format!("--ca: {error}"))?;
    }
    if args.insecure {
        trust.accept_any();
    }
    let runs =
        |name: &CheckName| (args.only.is_empty() || args.only.contains(name)) && !args.skip.contains(name);
    let checks: Vec<_> = super::checks::all().iter().copied().filter(runs).collect();
    if checks.is_empty() {
        return Err("--skip leaves no check of --only".to_owned());
    }
    Ok(Plan {
        url: url(&args.url, "URL")?,
        direct: match &args.direct {
            Some(direct) => Some(url(direct, "--direct")?),
            None => None,
        },
        options: Options {
            origin: args.origin.clone(),
            // A check that is not about compression does not depend on it.
            extensions: Vec::new(),
            headers: args.headers.clone(),
            trust,
            connect_to: args.connect_to.as_ref().map(ToString::to_string),
            timeout: args.timeout,
            max_message_size: MAX_MESSAGE,
            ..Options::default()
        },
        subprotocols: args.subprotocol.clone(),
        idle: args.idle,
        checks,
    })
}

/// Writes to standard output, with colours on a terminal. A reader that has enough, such as `head`, is no error.
fn print(text: &str) {
    let mut out = AutoStream::auto(io::stdout()).lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

fn fail(status: ExitStatus, error: &str) -> ExitStatus {
    eprintln!("ws-echo: {error}");
    status
}

/// Shows how much of a long wait has passed, on a terminal.
fn show_clock(wait: Option<(Duration, Duration)>) {
    let mut err = io::stderr();
    if err.is_terminal() {
        let seconds = |span: Duration| format!("{}:{:02}", span.as_secs() / 60, span.as_secs() % 60);
        let text = wait.map_or_else(String::new, |(passed, total)| {
            format!("{} of {}", seconds(passed), seconds(total))
        });
        // The next text overwrites it.
        let _ = write!(err, "\r{text:20}\r");
    }
}
