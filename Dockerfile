# Needs BuildKit, the default of Docker 23 and of every `docker compose`. No `# syntax=` line: the engine's own parser is
# enough and saves a download.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
# The other packages of the workspace: cargo reads their manifests, and compiles none of them.
COPY benches/micro/Cargo.toml benches/micro/
COPY tests/system/Cargo.toml tests/system/
COPY build build
COPY static static
COPY src src
# The cached target directory outlives the build. cargo compares modification times, and the files of another checkout may be
# older than the cached build. So `touch` forces a rebuild of this crate and of the page in it. Dependencies are rebuilt if
# Cargo.lock changes.
#
# crt-static on the gnu target makes a static binary, which runs in an empty image. With --target, the flag does not apply to
# build scripts and procedural macros, which cannot be static.
RUN --mount=type=cache,id=ws-echo-registry,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=ws-echo-target,target=/build/target,sharing=locked \
    touch build/main.rs src/lib.rs src/main.rs && \
    target=$(rustc -vV | sed -n 's/^host: //p') && \
    RUSTFLAGS='-C target-feature=+crt-static' cargo build --release --locked --target "$target" && \
    cp "target/$target/release/ws-echo" /ws-echo

FROM scratch
LABEL org.opencontainers.image.title="ws-echo" \
      org.opencontainers.image.description="A WebSocket echo server for testing clients, proxies and networks." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"
COPY LICENSE /LICENSE
COPY --from=build /ws-echo /ws-echo
# A numeric address, because the image has no name service. Only IPv4, because not every container has IPv6. Docker publishes
# the port on the host's ::1 too.
ENV WS_ECHO_LISTEN=0.0.0.0:3000
USER 65532:65532
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=4s --start-period=10s --retries=3 CMD ["/ws-echo", "healthcheck"]
ENTRYPOINT ["/ws-echo"]
# Values for --build-arg, described in docs/operations.md. They are last, because they change with every build and would
# invalidate the cache of later steps.
ARG SOURCE
ARG REVISION
ARG CREATED
LABEL org.opencontainers.image.source="$SOURCE" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"
