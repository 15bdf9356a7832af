import { counter, gauge, histogram } from "../metric-spec.ts";

const resource = {
  labels: { resource: "kind of object, e.g. `pods`, `networkpolicies.networking.k8s.io`" },
  seriesMax: 8,
} as const;

export const containerMetrics = {
  weave_attach_seconds: histogram("Time it took to give a container its interface.", {
    labels: { by: "who asked: `command` (`weave attach`), `engine` (Docker) or `cni`" },
    seriesMax: 3,
  }),
  weave_attach_failures_total: counter("Containers that could not be given an interface.", {
    labels: { by: "as above" },
    seriesMax: 3,
  }),
  weave_docker_connected: gauge("1 while events of the Docker engine are followed.", {
    unit: "flag",
  }),
  weave_docker_connections_total: counter(
    "How often events of the Docker engine were subscribed to.",
  ),
  weave_docker_events_total: counter("Events of containers that the Docker engine has told.", {
    labels: { action: "`start`, `die`, `destroy`, …" },
    seriesMax: 8,
  }),
  weave_docker_missed_events_total: counter("Events of containers that were found by looking."),
  weave_docker_attached_containers: gauge(
    "Containers of the Docker engine that run and were attached by its events.",
  ),
  weave_docker_waiting_containers: gauge(
    "Containers of the Docker engine whose commands wait for the network.",
  ),
  weave_docker_attach_failures_total: counter(
    "Attempts to attach a container of the Docker engine that failed.",
  ),
  weave_proxy_connections: gauge("Clients of the Docker API proxy that are connected."),
  weave_proxy_connections_total: counter("Clients that have connected to the Docker API proxy."),
  weave_plugin_networks: gauge("Networks of Docker that are the router's."),
  weave_plugin_endpoints: gauge("Containers connected to such a network here."),
  weave_kubernetes_ready: gauge(
    "1 when the node can be used: what has to be done once is done, and policies are enforced.",
    { unit: "flag" },
  ),
  weave_kubernetes_peers_gone: gauge("Peers in the cluster's list whose nodes are gone."),
  weave_kubernetes_peers_reclaimed_total: counter(
    "Peers whose ranges were taken over here because their nodes are gone.",
  ),
  weave_kubernetes_list_conflicts_total: counter(
    "How often others had written the list of peers first.",
  ),
  weave_kubernetes_watching: gauge("1 while the API server tells of changes.", {
    unit: "flag",
    ...resource,
  }),
  weave_kubernetes_objects: gauge("Objects of the cluster that are known.", resource),
  weave_kubernetes_events_total: counter("Changes that the API server has told of.", resource),
  weave_kubernetes_lists_total: counter("How often all objects were asked for.", resource),
} as const;
