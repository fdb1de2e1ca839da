//! The binary: parses the command line, starts the log, and runs the command.

use std::{
    env,
    error::Error,
    io::{self, Write as _},
    process::{self, ExitCode},
    thread,
};

use tokio_util::sync::CancellationToken;
use ws_echo::{
    check, completions,
    config::{CommandLineError, Config, Invocation},
    healthcheck, logging, man,
    platform::{Request, Signals},
    server::{Server, StartError, descriptors},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let command = match Invocation::from_args(env::args_os()) {
        Ok(command) => command,
        Err(CommandLineError::Help(text)) => text.exit(),
        Err(CommandLineError::Usage(error)) => {
            eprintln!("ws-echo: {error}");
            return ExitCode::from(2);
        }
    };
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ws-echo: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Invocation) -> Result<(), Box<dyn Error>> {
    match command {
        Invocation::Serve(config) => {
            logging::start(config.log_format);
            actix_web::rt::System::new().block_on(serve(*config))?;
        }
        Invocation::Healthcheck { url, config } => {
            logging::start(config.log_format);
            actix_web::rt::System::new().block_on(healthcheck::probe(url, &config))?;
        }
        Invocation::Check(args) => {
            let status = actix_web::rt::System::new().block_on(check::command(*args));
            // Not a return: a thread that still resolves a name would delay it.
            process::exit(status as i32);
        }
        Invocation::Completions(shell) => print(&completions::script(shell)?)?,
        Invocation::Man => print(&man::page()?)?,
    }
    Ok(())
}

/// Writes a text to standard output.
fn print(text: &str) -> Result<(), String> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // The reader has enough, such as `head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| format!("cannot write to standard output: {error}")),
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
