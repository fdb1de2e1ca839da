# Needs BuildKit, the default of Docker 23 and of every `docker compose`. No `# syntax=` line: the engine's own parser
# is enough, and one download less is needed.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
COPY benches benches
COPY src src
# The target directory outlives the build, and cargo tells what changed by time stamps. Those of another checkout may be
# older than what is in there, so this crate is always built anew, its dependencies only when the lock file says so.
#
# crt-static on the gnu target makes a binary that needs nothing around it; --target keeps the flag off build scripts
# and procedural macros, which cannot have it.
RUN --mount=type=cache,id=ws-echo-registry,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=ws-echo-target,target=/build/target,sharing=locked \
    touch src/lib.rs src/main.rs && \
    target=$(rustc -vV | sed -n 's/^host: //p') && \
    RUSTFLAGS='-C target-feature=+crt-static' cargo build --release --locked --target "$target" && \
    cp "target/$target/release/ws-echo" /ws-echo

FROM scratch
LABEL org.opencontainers.image.title="ws-echo" \
      org.opencontainers.image.description="The WebSocket endpoint that you point a client, a proxy or a network at to learn the truth about it." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"
COPY LICENSE /LICENSE
COPY --from=build /ws-echo /ws-echo
COPY static /static
# A number, for there is no name service in here; IPv4 alone, for not every container has IPv6, and Docker's published
# port answers on the host's ::1 all the same.
ENV WS_ECHO_LISTEN=0.0.0.0:3000 \
    WS_ECHO_STATIC_DIR=/static
USER 65532:65532
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=4s --start-period=10s --retries=3 CMD ["/ws-echo", "healthcheck"]
ENTRYPOINT ["/ws-echo"]
# What only whoever builds it knows, as --build-arg; last, for it changes with every build. docs/operations.md shows it.
ARG SOURCE
ARG REVISION
ARG CREATED
LABEL org.opencontainers.image.source="$SOURCE" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"
