import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { NetworkNamespace } from "../../lib/host/netns.ts";
import { FakeApiServer } from "../kubernetes/fake-api-server.ts";
import { someNode } from "../kubernetes/fake-cluster.ts";
import { type Host, type Lab, weaveCommand } from "./lab.ts";
import { eventually, must } from "./shell.ts";

/** An API server on the switch of a lab, where all of its hosts reach it. */
export class LabApiServer implements AsyncDisposable {
  readonly server: FakeApiServer;
  readonly kubeconfig: string;
  readonly #namespace: NetworkNamespace;

  private constructor(lab: Lab, namespace: NetworkNamespace) {
    this.#namespace = namespace;
    // Its socket is of the namespace in which it was opened.
    this.server = namespace.run(() => new FakeApiServer({ hostname: LabApiServer.ip }));
    this.kubeconfig = join(lab.folder, "kubeconfig");
    const cluster = { server: `http://${LabApiServer.ip}:${this.server.port}` };
    writeFileSync(
      this.kubeconfig,
      JSON.stringify({
        "current-context": "lab",
        contexts: [{ name: "lab", context: { cluster: "lab" } }],
        clusters: [{ name: "lab", cluster }],
      }),
    );
  }

  static readonly ip = "192.168.77.250";

  static async start(lab: Lab): Promise<LabApiServer> {
    const hub = `${lab.prefix}-sw`;
    await must(["ip", "-n", hub, "addr", "add", `${LabApiServer.ip}/24`, "dev", "br0"]);
    return new LabApiServer(lab, new NetworkNamespace(`/run/netns/${hub}`));
  }

  comeBack(): void {
    this.#namespace.run(() => this.server.comeBack());
  }

  /** The list of the cluster's peers: names of nodes by names of peers. */
  get peers(): Record<string, string> {
    const { metadata } = this.server.cluster.get("configmaps", "kube-system/weave-net") ?? {};
    const text = metadata?.annotations?.["kube-peers.weave.works/peers"] ?? '{"Peers":[]}';
    const { Peers } = JSON.parse(text) as { Peers: { PeerName: string; NodeName: string }[] };
    return Object.fromEntries(Peers.map(({ PeerName, NodeName }) => [PeerName, NodeName]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    this.#namespace.close();
  }
}

/** A host whose router is what the pod of a node runs. */
export class KubeNode {
  readonly name: string;
  readonly host: Host;
  readonly root: string;
  readonly #api: LabApiServer;
  #router: Bun.Subprocess<"ignore", "ignore", "pipe"> | undefined;
  #log = "";

  constructor(host: Host, api: LabApiServer) {
    this.name = `n${host.number}`;
    this.host = host;
    this.#api = api;
    this.root = join(host.lab.folder, `root${host.number}`);
    mkdirSync(join(this.root, "etc/cni/net.d"), { recursive: true });
    writeFileSync(join(this.root, "etc/machine-id"), `machine ${host.number}\n`);
  }

  /** As the kubelet does when it begins. */
  register(): void {
    this.#api.server.cluster.apply(someNode(this.name, { InternalIP: this.host.ip }));
  }

  get env(): Record<string, string> {
    return {
      ...this.host.env,
      ...{ HOSTNAME: this.name, KUBECONFIG: this.#api.kubeconfig, HOST_ROOT: this.root },
      ...{ WEAVE_NO_FASTDP: "1", WEAVE_METRICS_ADDR: "127.0.0.1:6782" },
    };
  }

  /** @param more variables of the pod */
  start(more: Readonly<Record<string, string>> = {}): void {
    const inside = ["nsenter", `--net=/run/netns/${this.host.namespace}`];
    this.#router = Bun.spawn([...inside, ...weaveCommand(), "kube"], {
      env: { ...process.env, ...this.env, ...more },
      stdio: ["ignore", "ignore", "pipe"],
    });
    void this.#keepLog(this.#router.stderr);
  }

  async #keepLog(stderr: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const part of stderr) this.#log += decoder.decode(part, { stream: true });
  }

  /** As the kubelet does; gives the exit code. */
  async stop(): Promise<number | undefined> {
    this.#router?.kill();
    return this.#router?.exited;
  }

  /** Waits until the router has said something. */
  async said(pattern: RegExp): Promise<void> {
    const found = async (): Promise<boolean> => {
      await this.host.exec(["true"]);
      return pattern.test(this.#log);
    };
    await eventually(`${this.name} to say ${pattern}`, found, (isSaid) => isSaid);
  }

  /** What `GET` on the control API answers; status 0 while nobody does. */
  async get(path: string): Promise<{ status: number; body: string }> {
    const unix = join(this.host.env.WEAVE_RUN_DIR!, "control.sock");
    try {
      const answer = await fetch(`http://localhost${path}`, { unix });
      return { status: answer.status, body: await answer.text() };
    } catch {
      // A moment for whoever starts.
      await this.host.exec(["true"]);
      return { status: 0, body: "" };
    }
  }

  async ready(): Promise<void> {
    const isReady = ({ status }: { status: number }): boolean => status === 200;
    await eventually(`${this.name} ready`, () => this.get("/readyz"), isReady, 30_000);
  }

  get peerName(): Promise<string> {
    return this.host.mustWeave(["report", "-f", "{{.Router.Name}}"]);
  }

  condition(): object | undefined {
    const node = this.#api.server.cluster.get("nodes", this.name);
    const { conditions = [] } = (node?.status ?? {}) as { conditions?: { type: string }[] };
    return conditions.find(({ type }) => type === "NetworkUnavailable");
  }

  get network(): { plugins: { hairpinMode?: boolean }[] } {
    return JSON.parse(readFileSync(join(this.root, "etc/cni/net.d/10-weave.conflist"), "utf8"));
  }

  /** Gives a network namespace an interface, as the runtime of this node would; its address. */
  async addPod(namespace: string, pod: string): Promise<string> {
    const plugins = join(this.root, "opt/cni/bin");
    const { code, stdout, stderr } = await this.host.exec([join(plugins, "weave-net")], {
      stdin: JSON.stringify({ cniVersion: "1.0.0", name: "weave", type: "weave-net" }),
      env: {
        ...this.host.env,
        ...{ CNI_COMMAND: "ADD", CNI_CONTAINERID: `${pod}0123456789`, CNI_IFNAME: "eth0" },
        ...{ CNI_NETNS: `/run/netns/${namespace}`, CNI_PATH: plugins },
        CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=${pod}`,
      },
    });
    if (code !== 0) throw new Error(`ADD ${pod}: ${stdout}${stderr}`);
    return JSON.parse(stdout).ips[0].address.split("/")[0];
  }
}
