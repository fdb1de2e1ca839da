//! The binary: parses the command line, starts the log, and runs the command.

use std::{env, process::ExitCode};

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use ws_echo::{
    config::{Cli, CommandLineError, Config, Subcommand},
    healthcheck, logging,
    server::{Server, StartError, descriptors},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::from_args(env::args_os()) {
        Ok(cli) => cli,
        Err(CommandLineError::Help(text)) => text.exit(),
        Err(CommandLineError::Usage(error)) => {
            eprintln!("ws-echo: {error}");
            return ExitCode::from(2);
        }
    };
    logging::start(cli.config.log_format);
    let runner = actix_web::rt::System::new();
    let outcome = match cli.command {
        Some(Subcommand::Healthcheck { url }) => runner
            .block_on(healthcheck::probe(url, &cli.config))
            .map_err(|error| error.to_string()),
        None => runner
            .block_on(serve(cli.config))
            .map_err(|error| error.to_string()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ws-echo: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(config: Config) -> Result<(), StartError> {
    let (max_connections, max_http_connections) = (config.max_connections, config.max_http_connections);
    let server = Server::bind(config)?;
    // After the steps that can fail: a server that cannot start prints one line with the reason only.
    descriptors::raise_limit(max_connections, max_http_connections);
    let shutdown = CancellationToken::new();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    // Also without TLS, because SIGHUP without a handler ends the process.
    let (mut hangup, reload) = (signal(SignalKind::hangup())?, server.reload());
    actix_web::rt::spawn(async move {
        while hangup.recv().await.is_some() {
            reload.reload();
        }
    });
    let token = shutdown.clone();
    actix_web::rt::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        token.cancel();
    });
    server.run(shutdown).await
}
