import { eventually, type Outcome, type RunOptions } from "../hosts/shell.ts";
import type { ClusterLab } from "./cluster-lab.ts";
import type { ClusterNode } from "./cluster-node.ts";
import { agnhostImage } from "./images.ts";

export interface PodParts {
  readonly name: string;
  readonly node: ClusterNode;
  /** Default: the pod's name as `app`. */
  readonly labels?: Readonly<Record<string, string>>;
  /** A port of its node that leads to port 80 of the pod. */
  readonly hostPort?: number;
}

/** Ports that every pod serves: each answers with the pod's name at `/hostname`. */
export const httpPort = 80;

const startMaxS = 120;

/** Pods of one namespace of a cluster, each a server and a client. */
export class TestPods {
  readonly namespace: string;
  readonly #lab: ClusterLab;

  private constructor(lab: ClusterLab, namespace: string) {
    this.#lab = lab;
    this.namespace = namespace;
  }

  static async in(lab: ClusterLab, namespace: string): Promise<TestPods> {
    await lab.plane.applyAll([namespaceObject(namespace)]);
    return new TestPods(lab, namespace);
  }

  /** New namespaces with a pod each, `name`, on one node after the other; waits until all serve. */
  static async crowd(
    lab: ClusterLab,
    namespaces: readonly string[],
    name: string,
  ): Promise<TestPods[]> {
    const { nodes, plane } = lab;
    const items = namespaces.flatMap((namespace, at) => [
      namespaceObject(namespace),
      podObject({ name, namespace, node: nodes[at % nodes.length]! }),
    ]);
    const stdin = JSON.stringify({ apiVersion: "v1", kind: "List", items });
    await plane.mustKubectl(["create", "-f", "-"], { stdin });
    const all = ["--all-namespaces", "pod", "-l", `app=${name}`];
    const wait = ["wait", "--for=condition=Ready", `--timeout=${startMaxS}s`];
    await plane.mustKubectl([...wait, ...all], { waitMs: (startMaxS + 5) * 1000 });
    return namespaces.map((namespace) => new TestPods(lab, namespace));
  }

  /** Makes pods, and waits until they serve; gives their addresses. */
  async run(pods: readonly PodParts[]): Promise<string[]> {
    await this.apply(pods.map(podObject));
    const wait = ["wait", "--for=condition=Ready", `--timeout=${startMaxS}s`];
    const all = pods.map(({ name }) => `pod/${name}`);
    await this.kubectl([...wait, ...all], (startMaxS + 5) * 1000).catch(async (cause) => {
      throw new Error(`pods of ${this.namespace}: ${await this.#events()}`, { cause });
    });
    const lines = 'jsonpath={range .items[*]}{.metadata.name} {.status.podIP}{"\\n"}{end}';
    const said = (await this.kubectl(["get", "pods", "-o", lines])).split("\n");
    const addresses = new Map(said.map((line) => line.split(" ") as [string, string]));
    return pods.map(({ name }) => addresses.get(name)!);
  }

  /** What went wrong with pods, as the cluster tells it. */
  #events(): Promise<string> {
    const wrong = ["--field-selector", "type=Warning", "--no-headers"];
    return this.kubectl(["get", "events", ...wrong, "-o", "custom-columns=:.message"]);
  }

  addressOf(name: string): Promise<string> {
    return this.kubectl(["get", "pod", name, "-o", "jsonpath={.status.podIP}"]);
  }

  /** A service that leads to the pods with a label; gives its address, or `None`. */
  async service(name: string, app: string, more: object = {}): Promise<string> {
    const spec = { selector: { app }, ports: [{ port: httpPort }], ...more };
    await this.apply([{ apiVersion: "v1", kind: "Service", metadata: { name }, spec }]);
    return this.kubectl(["get", "service", name, "-o", "jsonpath={.spec.clusterIP}"]);
  }

  /** The port of every node that leads to a service, of the type for that. */
  nodePort(name: string): Promise<string> {
    return this.kubectl(["get", "service", name, "-o", "jsonpath={.spec.ports[0].nodePort}"]);
  }

  apply(objects: readonly object[]): Promise<string> {
    return this.#lab.plane.applyAll(objects, this.namespace);
  }

  /** @throws Error when the client fails */
  kubectl(args: readonly string[], waitMs?: number): Promise<string> {
    const options = waitMs === undefined ? {} : { waitMs };
    return this.#lab.plane.mustKubectl(["-n", this.namespace, ...args], options);
  }

  exec(name: string, command: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    const words = ["-n", this.namespace, "exec", name, "--", ...command];
    return this.#lab.plane.kubectl(words, options);
  }

  /** Gives what it printed, without the line end. @throws Error when it fails */
  async mustExec(name: string, command: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.exec(name, command);
    if (code === 0) return stdout.trimEnd();
    throw new Error(`${command.join(" ")} in ${name}: exit ${code}\n${stdout}${stderr}`);
  }

  /** One attempt at a TCP connection from a pod. */
  async connects(name: string, address: string, port = httpPort): Promise<boolean> {
    const target = `${address}:${port}`;
    return (await this.exec(name, ["/agnhost", "connect", "--timeout=1s", target])).code === 0;
  }

  /** Waits until connections from a pod come through, or no longer do. */
  async eventuallyConnects(
    name: string,
    address: string,
    does: boolean,
    port = httpPort,
  ): Promise<void> {
    await eventually(
      `connections from ${name} to ${address}:${port} that are ${does ? "made" : "refused"}`,
      () => this.connects(name, address, port),
      (made) => made === does,
      30_000,
    );
  }

  /** Has it all deleted, and waits for nothing. */
  async end(): Promise<void> {
    const { plane } = this.#lab;
    await plane.mustKubectl(["delete", "namespace", this.namespace, "--wait=false"]);
  }
}

/** With the label that later releases give it by themselves. */
function namespaceObject(name: string): object {
  const metadata = { name, labels: { "kubernetes.io/metadata.name": name } };
  return { apiVersion: "v1", kind: "Namespace", metadata };
}

function podObject(parts: PodParts & { readonly namespace?: string }): object {
  const { name, namespace, node, labels = { app: name }, hostPort } = parts;
  const port = { containerPort: httpPort, ...(hostPort !== undefined && { hostPort }) };
  const container = {
    ...{ name: "main", image: agnhostImage, ports: [port] },
    args: ["netexec", `--http-port=${httpPort}`],
    readinessProbe: { httpGet: { path: "/healthz", port: httpPort }, periodSeconds: 1 },
  };
  // Who may not ask for names is to hear of it soon.
  const options = ["timeout", "attempts"].map((name) => ({ name, value: "1" }));
  const own = { nodeName: node.name, dnsConfig: { options }, terminationGracePeriodSeconds: 0 };
  const spec = { ...own, containers: [container] };
  return { apiVersion: "v1", kind: "Pod", metadata: { name, namespace, labels }, spec };
}
