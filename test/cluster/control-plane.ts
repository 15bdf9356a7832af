import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Booted, MachinePlace } from "../hosts/machine.ts";
import { eventually, type Outcome, type RunOptions } from "../hosts/shell.ts";
import type { ClusterFiles } from "./cluster-files.ts";
import { ClusterMachine, flags } from "./cluster-machine.ts";
import { admin, kubeconfig, type ServerAddress, tokenFile, type User } from "./credentials.ts";

/** Addresses of services. */
const serviceRange = "10.96.0.0/16";

const startMaxMs = 120_000;

/** Requests of service accounts are remembered, and what became of them; of no one else. */
const auditPolicy = JSON.stringify({
  ...{ apiVersion: "audit.k8s.io/v1", kind: "Policy", omitStages: ["RequestReceived"] },
  rules: [{ level: "Metadata", userGroups: ["system:serviceaccounts"] }, { level: "None" }],
});

/** A request as the API server remembers it (kubernetes.io, "Auditing"). */
export interface AuditedRequest {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: {
    readonly resource: string;
    readonly subresource?: string;
    readonly name?: string;
    readonly namespace?: string;
  };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** How many requests of a controller may be on their way; the usual ones are for patient clusters. */
export const eager = { "kube-api-qps": 200, "kube-api-burst": 400 };

export interface ControlPlaneOptions {
  readonly place: MachinePlace;
  readonly files: ClusterFiles;
  /** Who may ask besides the administrator. */
  readonly users: readonly User[];
}

/** A machine with etcd, an API server, and the controllers if they are asked for. */
export class ControlPlane extends ClusterMachine {
  readonly #files: ClusterFiles;

  /** One whose API server answers. */
  static async start({ place, files, users }: ControlPlaneOptions): Promise<ControlPlane> {
    const plane = new ControlPlane(place, await ClusterMachine.bootCluster(place), files);
    try {
      await plane.#startServer(users);
      return plane;
    } catch (error) {
      await plane.end();
      throw error;
    }
  }

  private constructor(place: MachinePlace, booted: Booted, files: ClusterFiles) {
    super(place, booted);
    this.#files = files;
  }

  get server(): ServerAddress {
    const certificate = this.outside(join(this.folder, "certificates/apiserver.crt"));
    return { url: `https://${this.ip}:6443`, authority: readFileSync(certificate, "utf8") };
  }

  async #startServer(users: readonly User[]): Promise<void> {
    const key = join(this.folder, "accounts.key");
    await this.mustExec(["openssl", "genrsa", "-out", key, "2048"]);
    const store = { "listen-client-urls": "http://127.0.0.1:2379" };
    this.serve("etcd", [
      ...["etcd", "--unsafe-no-fsync", "--log-level=warn"],
      ...flags({ ...store, "advertise-client-urls": "http://127.0.0.1:2379" }),
      ...flags({ "data-dir": join(this.folder, "etcd") }),
    ]);
    this.serve("kube-apiserver", [
      this.#files.program("kube-apiserver"),
      ...flags({
        ...{ "etcd-servers": "http://127.0.0.1:2379", "storage-media-type": "application/json" },
        ...{ "secure-port": 6443, "advertise-address": this.ip },
        ...{ "cert-dir": join(this.folder, "certificates") },
        ...{ "service-cluster-ip-range": serviceRange, "allow-privileged": true },
        "token-auth-file": this.file("tokens.csv", tokenFile([admin, ...users])),
        ...{ "authorization-mode": "Node,RBAC", "api-audiences": "cluster" },
        "audit-policy-file": this.file("audit.yaml", auditPolicy),
        "audit-log-path": join(this.folder, "audit.log"),
        ...{ "service-account-issuer": "https://cluster", "service-account-key-file": key },
        "service-account-signing-key-file": key,
        "kubelet-preferred-address-types": "InternalIP",
      }),
    ]);
    await eventually(
      "an API server that is ready",
      async () => ({ ...(await this.#ready()), log: this.said("kube-apiserver") }),
      ({ code }) => code === 0,
      startMaxMs,
    );
    this.file("admin.config", kubeconfig(this.server, admin));
  }

  /** There is no configuration of clients yet. */
  #ready(): Promise<Outcome> {
    const server = ["--server", `https://${this.ip}:6443`, "--insecure-skip-tls-verify"];
    const words = [...server, "--token", admin.token, "get", "--raw", "/readyz"];
    return this.exec(["timeout", "5", this.#files.program("kubectl"), ...words]);
  }

  /** What makes objects do something: controllers, and who places pods on nodes. */
  startControllers(): void {
    const config = join(this.folder, "admin.config");
    const common = { kubeconfig: config, "leader-elect": false, port: 0, ...eager };
    this.serve("kube-controller-manager", [
      this.#files.program("kube-controller-manager"),
      ...flags({
        ...common,
        controllers: "*,-nodeipam,-route,-service,-cloud-node-lifecycle",
        "service-account-private-key-file": join(this.folder, "accounts.key"),
        "root-ca-file": join(this.folder, "certificates/apiserver.crt"),
        ...{ "node-monitor-period": "1s", "node-monitor-grace-period": "15s" },
      }),
    ]);
    this.serve("kube-scheduler", [this.#files.program("kube-scheduler"), ...flags(common)]);
  }

  /** Runs the client, as the administrator unless `user` is somebody else. */
  kubectl(args: readonly string[], options: RunOptions & { user?: User } = {}): Promise<Outcome> {
    const { user, ...rest } = options;
    const config = join(this.folder, "admin.config");
    const as = user === undefined ? [] : ["--token", user.token];
    const words = ["--kubeconfig", config, ...as, ...args];
    return this.exec([this.#files.program("kubectl"), ...words], rest);
  }

  /** Gives what it printed, without the line end. @throws Error when it fails */
  async mustKubectl(
    args: readonly string[],
    options: RunOptions & { user?: User } = {},
  ): Promise<string> {
    const { code, stdout, stderr } = await this.kubectl(args, options);
    if (code === 0) return stdout.trimEnd();
    throw new Error(`kubectl ${args.join(" ")}: exit ${code}\n${stdout}${stderr}`);
  }

  /** What a service account has asked for so far. */
  requestsOf(username: string): AuditedRequest[] {
    const log = readFileSync(this.outside(join(this.folder, "audit.log")), "utf8");
    const lines = log.split("\n").filter((line) => line !== "");
    const all: AuditedRequest[] = lines.map((line) => JSON.parse(line));
    return all.filter(({ user }) => user.username === username);
  }

  /** Makes objects what they are to be, whether they are there or not; `text` is YAML. */
  apply(text: string, namespace?: string): Promise<string> {
    const where = namespace === undefined ? [] : ["-n", namespace];
    const words = ["apply", ...where, "--validate=false", "-f", "-"];
    return this.mustKubectl(words, { stdin: text });
  }

  applyAll(items: readonly object[], namespace?: string): Promise<string> {
    return this.apply(JSON.stringify({ apiVersion: "v1", kind: "List", items }), namespace);
  }
}
