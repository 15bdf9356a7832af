import { describe, expect, test } from "bun:test";
import { formatHostIp } from "../../../lib/base/ip.ts";
import { policyNode, policyPod } from "../../../lib/kubernetes/agent/policy-objects.ts";
import { nodes, pods } from "../../../lib/kubernetes/resources.ts";

const metadata = {
  ...{ name: "web", namespace: "shop", uid: "u1", labels: { app: "web" } },
  creationTimestamp: "2026-01-02T03:04:05Z",
};

function pod(spec: object, status: object) {
  const object = pods.read({ metadata, spec: { nodeName: "n1", containers: [], ...spec }, status });
  const { addresses, ...rest } = policyPod(object, "n1");
  return { ...rest, addresses: addresses.map(formatHostIp) };
}

describe("a pod", () => {
  test("has the addresses of both families, its labels, and the age by which it is told apart", () => {
    const podIPs = [{ ip: "10.32.0.2" }, { ip: "fd00::2" }];
    expect(pod({}, { phase: "Running", podIP: "10.32.0.2", podIPs })).toEqual({
      ...{ id: "u1", namespace: "shop", name: "web", labels: new Map([["app", "web"]]) },
      ...{ addresses: ["10.32.0.2", "fd00::2"], ports: [], node: "n1", isLocal: true },
      sinceMs: Date.UTC(2026, 0, 2, 3, 4, 5),
    });
  });

  test("that stands for a static one of a node has the id by which its runtime knows it as well, and its own", () => {
    const annotations = { "kubernetes.io/config.mirror": "hash" };
    const spec = { nodeName: "n1", containers: [] };
    const mirror = pods.read({ metadata: { ...metadata, annotations }, spec, status: {} });
    expect(policyPod(mirror, "n1")).toMatchObject({ id: "u1", runtimeId: "hash" });
  });

  test("of an old server has the one address that is told", () => {
    expect(pod({}, { podIP: "10.32.0.2" }).addresses).toEqual(["10.32.0.2"]);
    expect(pod({}, {}).addresses).toEqual([]);
  });

  test("has none while it has ended, or on the network of its host", () => {
    const status = { podIP: "10.32.0.2" };
    expect(pod({}, { ...status, phase: "Succeeded" }).addresses).toEqual([]);
    expect(pod({}, { ...status, phase: "Failed" }).addresses).toEqual([]);
    expect(pod({ hostNetwork: true }, status).addresses).toEqual([]);
    expect(pod({}, { ...status, phase: "Unknown" }).addresses).toEqual(["10.32.0.2"]);
  });

  test("names the ports of its containers, and of init containers that stay", () => {
    const port = (name: string, containerPort: number, protocol = "TCP") => ({
      ports: [{ ...(name !== "" && { name }), containerPort, protocol }],
    });
    const spec = {
      containers: [port("http", 80), port("", 81), port("odd", 82, "QUIC"), port("dns", 53, "UDP")],
      initContainers: [port("once", 90), { ...port("stays", 91, "SCTP"), restartPolicy: "Always" }],
    };
    expect(pod(spec, {}).ports).toEqual([
      { name: "http", protocol: "TCP", port: 80 },
      { name: "dns", protocol: "UDP", port: 53 },
      { name: "stays", protocol: "SCTP", port: 91 },
    ]);
  });

  test("is of another node unless it was given to this one", () => {
    expect(pod({ nodeName: "n2" }, {}).isLocal).toBe(false);
    expect(pod({ nodeName: "" }, {}).isLocal).toBe(false);
  });
});

test("a node has the addresses that are on a network, not its names", () => {
  const addresses = [
    { type: "Hostname", address: "10.0.0.9" },
    { type: "InternalIP", address: "10.0.0.1" },
    { type: "ExternalIP", address: "2001:db8::1" },
    { type: "InternalIP", address: "none" },
  ];
  const object = nodes.read({
    metadata: { name: "n1", labels: { a: "b" } },
    status: { addresses },
  });
  const node = policyNode(object);
  expect(node.addresses.map(formatHostIp)).toEqual(["10.0.0.1", "2001:db8::1"]);
  expect([node.name, [...node.labels]]).toEqual(["n1", [["a", "b"]]]);
});
