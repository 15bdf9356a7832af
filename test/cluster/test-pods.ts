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

/** Pods of one namespace of a cluster, each a server and a client. */
export class TestPods {
  readonly namespace: string;
  readonly #lab: ClusterLab;

  private constructor(lab: ClusterLab, namespace: string) {
    this.#lab = lab;
    this.namespace = namespace;
  }

  static async in(lab: ClusterLab, namespace: string): Promise<TestPods> {
    const labels = { "kubernetes.io/metadata.name": namespace };
    const metadata = { name: namespace, labels };
    await lab.plane.applyAll([{ apiVersion: "v1", kind: "Namespace", metadata }]);
    return new TestPods(lab, namespace);
  }

  /** Makes pods, and waits until they serve; gives their addresses. */
  async run(pods: readonly PodParts[]): Promise<string[]> {
    await this.apply(pods.map(podObject));
    await eventually(
      `pods of ${this.namespace} that are ready`,
      async () => ({ ready: await this.#ready(), events: await this.#events() }),
      ({ ready }) => pods.every(({ name }) => ready.includes(name)),
      120_000,
    );
    return Promise.all(pods.map(({ name }) => this.addressOf(name)));
  }

  /** The names of those that are ready. */
  async #ready(): Promise<string[]> {
    const condition = '{.status.conditions[?(@.type=="Ready")].status}';
    const lines = `jsonpath={range .items[*]}{.metadata.name} ${condition}{"\\n"}{end}`;
    const said = await this.kubectl(["get", "pods", "-o", lines]);
    return said.split("\n").flatMap((line) => /^(.*) True$/.exec(line)?.[1] ?? []);
  }

  /** What went wrong with pods, as the cluster tells it. */
  #events(): Promise<string> {
    const wrong = ["--field-selector", "type=Warning", "--no-headers"];
    return this.kubectl(["get", "events", ...wrong, "-o", "custom-columns=:.message"]);
  }

  addressOf(name: string): Promise<string> {
    return this.kubectl(["get", "pod", name, "-o", "jsonpath={.status.podIP}"]);
  }

  /** A service that leads to the pods with a label; gives its address. */
  async service(name: string, app: string, more: object = {}): Promise<string> {
    const spec = { selector: { app }, ports: [{ port: httpPort }], ...more };
    await this.apply([{ apiVersion: "v1", kind: "Service", metadata: { name }, spec }]);
    return this.kubectl(["get", "service", name, "-o", "jsonpath={.spec.clusterIP}"]);
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
  async eventuallyConnects(name: string, address: string, does: boolean): Promise<void> {
    await eventually(
      `connections from ${name} to ${address} that are ${does ? "made" : "refused"}`,
      () => this.connects(name, address),
      (made) => made === does,
      30_000,
    );
  }

  async end(): Promise<void> {
    const { plane } = this.#lab;
    await plane.mustKubectl(["delete", "namespace", this.namespace], { waitMs: 120_000 });
  }
}

function podObject({ name, node, labels = { app: name }, hostPort }: PodParts): object {
  const port = { containerPort: httpPort, ...(hostPort !== undefined && { hostPort }) };
  const container = {
    ...{ name: "main", image: agnhostImage, ports: [port] },
    args: ["netexec", `--http-port=${httpPort}`],
    readinessProbe: { httpGet: { path: "/healthz", port: httpPort }, periodSeconds: 1 },
  };
  const own = { nodeName: node.name, dnsPolicy: "Default", terminationGracePeriodSeconds: 0 };
  const spec = { ...own, containers: [container] };
  return { apiVersion: "v1", kind: "Pod", metadata: { name, labels }, spec };
}
