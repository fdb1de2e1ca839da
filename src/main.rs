//! The binary: parses the command line, starts the log, and runs the command.

use std::{env, io, process::ExitCode, thread};

use tokio_util::sync::CancellationToken;
use ws_echo::{
    config::{Cli, CommandLineError, Config, Subcommand},
    healthcheck, logging,
    platform::{Request, Signals},
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
    let watches_stdin = config.shutdown_on_stdin_end;
    let server = Server::bind(config)?;
    // After the steps that can fail: a server that cannot start prints one line with the reason only.
    descriptors::raise_limit(max_connections, max_http_connections);
    let (shutdown, reload) = (CancellationToken::new(), server.reload());
    let mut signals = Signals::install()?;
    if watches_stdin {
        shutdown_on_stdin_end(shutdown.clone())?;
    }
    let requested = shutdown.clone();
    actix_web::rt::spawn(async move {
        loop {
            match signals.next().await {
                Request::Shutdown => requested.cancel(),
                Request::Reload => reload.reload(),
            }
        }
    });
    server.run(shutdown).await
}

/// Reads standard input, whatever it contains, and cancels `shutdown` at its end.
fn shutdown_on_stdin_end(shutdown: CancellationToken) -> io::Result<()> {
    // Not a task of the runtime, which waits for its blocking reads when it ends.
    thread::Builder::new().spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        shutdown.cancel();
    })?;
    Ok(())
}
