//! The deployment files: Dockerfile, docker-compose.yml and deploy/. The tests check that they agree with each other and with
//! the flags of the server. tests/system/ runs them.

use std::time::Duration;

use clap::CommandFactory as _;
use serde_json::Value;
use ws_echo::config::{Cli, Config};

use crate::project;

fn file(name: &str) -> String {
    std::fs::read_to_string(project::root().join(name)).unwrap()
}

fn yaml(name: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(&file(name)).unwrap()
}

/// Returns the document of this kind. Fails unless there is exactly one.
fn kubernetes(kind: &str) -> Value {
    let mut of_kind = yaml("deploy/kubernetes.yaml")
        .into_iter()
        .filter(|document| document["kind"] == kind);
    let document = of_kind.next().unwrap_or_else(|| panic!("no {kind}"));
    assert!(of_kind.next().is_none(), "more than one {kind}");
    document
}

fn container() -> Value {
    kubernetes("Deployment")["spec"]["template"]["spec"]["containers"][0].clone()
}

fn compose(service: &str) -> Value {
    yaml("docker-compose.yml")[0]["services"][service].clone()
}

fn duration(text: &Value) -> Duration {
    humantime::parse_duration(text.as_str().unwrap()).unwrap()
}

/// Returns the value of an environment variable of the Kubernetes container.
fn variable(name: &str) -> Value {
    let env = container()["env"].clone();
    let found = env.as_array().unwrap().iter().find(|entry| entry["name"] == name);
    found.unwrap_or_else(|| panic!("no {name}"))["value"].clone()
}

/// Returns the rest of the line that starts with `name`. Fails unless there is exactly one such line.
fn setting(text: &str, name: &str) -> String {
    let mut found = text.lines().filter_map(|line| line.trim().strip_prefix(name));
    let value = found
        .next()
        .unwrap_or_else(|| panic!("no {name}"))
        .trim()
        .to_owned();
    assert!(found.next().is_none(), "{name} twice");
    value
}

fn grace() -> Duration {
    Config::default().shutdown_grace.duration().unwrap()
}

#[test]
fn every_variable_is_one_that_the_server_reads() {
    let command = Cli::command();
    let variables: Vec<_> = command
        .get_arguments()
        .filter_map(|flag| flag.get_env())
        .collect();
    let mut used = 0;
    for name in ["docker-compose.yml", "Dockerfile", "deploy/kubernetes.yaml"] {
        let text = file(name);
        // Compose itself reads the variables in ${...}, for ports and the name of the image.
        let bare = text.split("${").enumerate().map(|(index, part)| match index {
            0 => part,
            _ => part.split_once('}').unwrap().1,
        });
        for part in bare.flat_map(|part| part.split(|c: char| !c.is_ascii_uppercase() && c != '_')) {
            if part.starts_with("WS_ECHO_") && !NOT_FLAGS.contains(&part) {
                assert!(
                    variables.iter().any(|variable| *variable == part),
                    "{name} has {part}"
                );
                used += 1;
            }
        }
    }
    assert!(used > 10, "only {used} found");
}

/// Names in comments that no flag has: the common prefix, and the variables that compose reads.
const NOT_FLAGS: [&str; 4] = [
    "WS_ECHO_",
    "WS_ECHO_PORT",
    "WS_ECHO_TLS_PORT",
    "WS_ECHO_SCALE_PORT",
];

#[test]
fn kubernetes_waits_for_the_delay_and_the_grace_period_and_the_delay_is_longer_than_a_probe() {
    let pod = &kubernetes("Deployment")["spec"]["template"]["spec"];
    let grace = Duration::from_secs(pod["terminationGracePeriodSeconds"].as_u64().unwrap());
    let delay = duration(&variable("WS_ECHO_SHUTDOWN_DELAY"));
    assert!(grace > delay + duration(&variable("WS_ECHO_SHUTDOWN_GRACE")));
    let ready = &container()["readinessProbe"];
    let probe = ready["periodSeconds"].as_u64().unwrap() * ready["failureThreshold"].as_u64().unwrap();
    assert!(delay > Duration::from_secs(probe));
}

#[test]
fn kubernetes_probes_the_paths_of_the_health_checks_at_the_port_of_the_image() {
    let container = container();
    let port = &container["ports"][0];
    for (probe, path) in [
        ("startupProbe", "/healthz"),
        ("livenessProbe", "/healthz"),
        ("readinessProbe", "/readyz"),
    ] {
        assert_eq!(container[probe]["httpGet"]["path"], path, "{probe}");
        assert_eq!(container[probe]["httpGet"]["port"], port["name"], "{probe}");
    }
    assert_eq!(
        kubernetes("Service")["spec"]["ports"][0]["targetPort"],
        port["name"]
    );
    // The image listens on the same port.
    assert!(file("Dockerfile").contains(&format!("WS_ECHO_LISTEN=0.0.0.0:{}", port["containerPort"])));
    let scraped = &kubernetes("Deployment")["spec"]["template"]["metadata"]["annotations"];
    assert_eq!(scraped["prometheus.io/port"], port["containerPort"].to_string());
}

#[test]
fn every_kubernetes_selector_matches_the_labels_of_the_pods() {
    let deployment = kubernetes("Deployment");
    let labels = &deployment["spec"]["template"]["metadata"]["labels"];
    assert!(!labels.as_object().unwrap().is_empty());
    assert_eq!(&deployment["spec"]["selector"]["matchLabels"], labels);
    assert_eq!(&kubernetes("Service")["spec"]["selector"], labels);
    assert_eq!(
        &kubernetes("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        labels
    );
    let scaler = kubernetes("HorizontalPodAutoscaler");
    assert_eq!(
        scaler["spec"]["scaleTargetRef"]["name"],
        deployment["metadata"]["name"]
    );
    assert!(
        deployment["spec"].get("replicas").is_none(),
        "the autoscaler sets the number of replicas"
    );
}

#[test]
fn kubernetes_adds_replicas_below_the_limit_of_connections() {
    let metric = &kubernetes("HorizontalPodAutoscaler")["spec"]["metrics"][0]["pods"];
    assert_eq!(metric["metric"]["name"], "ws_echo_connections");
    let target: u64 = metric["target"]["averageValue"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let limit: u64 = variable("WS_ECHO_MAX_CONNECTIONS")
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(target < limit);
}

#[test]
fn every_container_is_hardened() {
    for service in ["ws-echo", "tls", "echo", "haproxy"] {
        let service = compose(service);
        assert_eq!(service["read_only"], true);
        assert_eq!(service["cap_drop"][0], "ALL");
        assert_eq!(service["security_opt"][0], "no-new-privileges:true");
    }
    let pod = &kubernetes("Deployment")["spec"]["template"]["spec"];
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
    let container = &container()["securityContext"];
    assert_eq!(container["readOnlyRootFilesystem"], true);
    assert_eq!(container["allowPrivilegeEscalation"], false);
    assert_eq!(container["capabilities"]["drop"][0], "ALL");
    let user = format!("USER {0}:{0}", pod["securityContext"]["runAsUser"]);
    assert!(file("Dockerfile").contains(&user));
}

#[test]
fn compose_and_systemd_wait_longer_than_the_server() {
    for service in ["ws-echo", "tls"] {
        assert!(
            duration(&compose(service)["stop_grace_period"]) > grace(),
            "{service}"
        );
    }
    let echo = compose("echo");
    let delay = duration(&echo["environment"]["WS_ECHO_SHUTDOWN_DELAY"]);
    assert!(duration(&echo["stop_grace_period"]) > delay + grace());
    // HAProxy must run until the replicas have closed their sessions.
    assert!(duration(&compose("haproxy")["stop_grace_period"]) > delay + grace());
    let unit = file("deploy/ws-echo.service");
    let seconds = setting(&unit, "TimeoutStopSec=").parse().unwrap();
    assert!(Duration::from_secs(seconds) > grace());
}

#[test]
fn haproxys_timeout_is_longer_than_the_servers_and_the_shutdown_delay_is_longer_than_a_check() {
    let haproxy = file("deploy/haproxy.cfg");
    let timeout = |name: &str| duration(&setting(&haproxy, &format!("timeout {name} ")).into());
    let config = Config::default();
    let idle = config.idle_timeout.duration().unwrap();
    assert!(config.ping_interval.duration().unwrap() < idle);
    // After the idle timeout, the server waits 2 s for the reply to its Close.
    assert!(timeout("tunnel") > idle + Duration::from_secs(2));
    let server = setting(&haproxy, "default-server ");
    let inter = server
        .split(' ')
        .skip_while(|word| *word != "inter")
        .nth(1)
        .unwrap();
    let delay = &compose("echo")["environment"]["WS_ECHO_SHUTDOWN_DELAY"];
    assert!(duration(delay) > duration(&inter.into()) + timeout("check"));
}

#[test]
fn the_kubernetes_memory_limit_is_enough_for_the_limit_of_connections() {
    let connections: u64 = variable("WS_ECHO_MAX_CONNECTIONS")
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let limit = container()["resources"]["limits"]["memory"]
        .as_str()
        .unwrap()
        .to_owned();
    let gibibytes: u64 = limit.strip_suffix("Gi").unwrap().parse().unwrap();
    // docs/capacity.md: a connection after compressed messages, with the memory of the kernel.
    assert!(connections * 358_000 < gibibytes << 30);
}
