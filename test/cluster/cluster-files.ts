import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { installMissing, missingPrograms, type PackagedPrograms } from "../debian-packages.ts";

/**
 * What a cluster is made of. Debian packages the sources of Kubernetes, not its servers: those are
 * built of them once (`kubernetes-build.ts`), and kept outside the checkout.
 *
 *   <cache>/current             version of the package whose programs are whole
 *   <cache>/<version>/bin/      the programs below
 *   <cache>/<version>/work/     sources and half-built things, until the programs are whole
 */
export const builtPrograms = [
  ...["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"],
  ...["kubectl", "agnhost", "e2e.test"],
] as const;

export type BuiltProgram = (typeof builtPrograms)[number];

/** Where Debian has the reference plugins, two of which every node has. */
const referencePlugins = "/usr/lib/cni";

/** Programs of the machine that a cluster runs on, and the packages that have them. */
const programs: PackagedPrograms = {
  etcd: "etcd-server",
  containerd: "containerd",
  ctr: "containerd",
  runc: "runc",
  busybox: "busybox-static",
  iptables: "iptables",
  ipset: "ipset",
  conntrack: "conntrack",
  openssl: "openssl",
  ip: "iproute2",
  mount: "mount",
  nsenter: "util-linux",
  [join(referencePlugins, "loopback")]: "containernetworking-plugins",
};

/** Where programs are kept: `WEAVE_CLUSTER_DIR`, else in the user's cache folder. */
export function cacheFolder(): string {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
  return process.env.WEAVE_CLUSTER_DIR ?? join(cache, "weave-cluster");
}

/** The programs of a cluster. @throws Error saying what is missing */
export class ClusterFiles {
  readonly #folder: string;

  constructor() {
    const missing = missingPrograms(programs);
    if (missing.length > 0) throw cannot(`there is no ${missing.join(", no ")} on this machine`);
    if (process.getuid?.() !== 0) throw cannot("a cluster needs root");
    const current = join(cacheFolder(), "current");
    if (!existsSync(current)) throw cannot(`there are no programs in ${cacheFolder()}`);
    this.#folder = join(cacheFolder(), readFileSync(current, "utf8").trim(), "bin");
  }

  program(name: BuiltProgram): string {
    return join(this.#folder, name);
  }

  plugin(name: "loopback" | "portmap"): string {
    return join(referencePlugins, name);
  }
}

/** Installs what a cluster needs of the machine. @throws Error with what apt says */
export async function installPrograms(): Promise<void> {
  await installMissing(programs);
}

export function cannot(why: string): Error {
  return new Error(
    `the tests with a cluster cannot run: ${why}. They need a Debian 12 machine with root; what is ` +
      `missing is fetched and built by "bun test/cluster/fetch.ts", which takes a quarter of an hour ` +
      "and three gigabytes the first time",
  );
}
