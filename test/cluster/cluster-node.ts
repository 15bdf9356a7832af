import { join } from "node:path";
import type { Booted, MachinePlace } from "../hosts/machine.ts";
import { eventually, run } from "../hosts/shell.ts";
import type { ClusterFiles } from "./cluster-files.ts";
import { ClusterMachine, flags } from "./cluster-machine.ts";
import type { ControlPlane } from "./control-plane.ts";
import { eager } from "./control-plane.ts";
import { admin, kubeconfig, kubeletOf } from "./credentials.ts";
import { pauseImage } from "./images.ts";
import { clusterDomain } from "./name-server.ts";

/** What pods get addresses of. */
export const podRange = "10.32.0.0/12";

/** Where pods ask for names: an address of services, behind which nobody is until somebody is put there. */
export const namesAddress = "10.96.0.10";

/** A machine with containerd, a kubelet and a kube-proxy. */
export class ClusterNode extends ClusterMachine {
  /** As the cluster knows it. */
  readonly name: string;
  readonly #files: ClusterFiles;

  /** One whose containerd runs, and has `images`; the cluster does not know it yet. */
  static async start(
    place: MachinePlace,
    files: ClusterFiles,
    images: readonly string[],
  ): Promise<ClusterNode> {
    const node = new ClusterNode(place, await ClusterMachine.bootCluster(place), files);
    try {
      await node.#startContainers();
      for (const image of images) await node.importImage(image);
      return node;
    } catch (error) {
      await node.end();
      throw error;
    }
  }

  private constructor(place: MachinePlace, booted: Booted, files: ClusterFiles) {
    super(place, booted);
    this.name = `node${place.number}`;
    this.#files = files;
  }

  async #startContainers(): Promise<void> {
    // Packages of the machine bring networks as well, which would be taken for ours.
    const folders = "mkdir -p /etc/cni/net.d /opt/cni/bin && rm -f /etc/cni/net.d/*";
    await this.mustExec(["sh", "-ec", folders]);
    for (const plugin of ["loopback", "portmap"] as const) {
      await this.mustExec(["cp", this.#files.plugin(plugin), "/opt/cni/bin"]);
    }
    const config = this.file("containerd.toml", containerdConfig(this.folder));
    this.serve("containerd", ["containerd", "-c", config]);
    await eventually(
      `containerd of ${this.name}`,
      async () => ({ ...(await this.exec(["ctr", "version"])), log: this.said("containerd") }),
      ({ code }) => code === 0,
      30_000,
    );
  }

  /** @param archive an image as `docker save` writes it, which the node sees under this name */
  async importImage(archive: string): Promise<void> {
    await this.mustExec(["ctr", "-n", "k8s.io", "image", "import", archive]);
  }

  /** Gives an image that it has another name besides. */
  async tagImage(name: string, other: string): Promise<void> {
    const full = [name, other].map((each) => `docker.io/library/${each}`);
    await this.mustExec(["ctr", "-n", "k8s.io", "image", "tag", ...full]);
  }

  /** Starts what makes it a node of a cluster. */
  async join(plane: ControlPlane): Promise<void> {
    // What every installer of Kubernetes wants of a host. Addresses of services are nobody's: packets
    // for them need a route before they are given another.
    await this.mustExec(["sysctl", "-qw", "net.ipv4.ip_forward=1"]);
    await this.mustExec(["ip", "route", "add", "default", "via", plane.ip]);
    // Where clouds tell machines about themselves. Kubelets would wait for an answer, twice five seconds.
    await this.mustExec(["ip", "route", "add", "unreachable", "169.254.169.254"]);
    const own = this.file("kubelet.config", kubeconfig(plane.server, kubeletOf(this.name)));
    this.serve("kubelet", [
      this.#files.program("kubelet"),
      ...flags({
        ...{ kubeconfig: own, "hostname-override": this.name, "node-ip": this.ip },
        ...{ "root-dir": join(this.folder, "kubelet"), "cert-dir": join(this.folder, "pki") },
        ...{ "container-runtime": "remote", "resolv-conf": "" },
        ...{ "cluster-dns": namesAddress, "cluster-domain": clusterDomain },
        "container-runtime-endpoint": "unix:///run/containerd/containerd.sock",
        ...{ "cgroup-driver": "cgroupfs", "cgroups-per-qos": false },
        ...{ "enforce-node-allocatable": "", "fail-swap-on": false, "eviction-hard": "" },
        ...{ "read-only-port": 0, "healthz-port": 0, "anonymous-auth": true, ...eager },
        ...{ "authorization-mode": "AlwaysAllow", "node-status-update-frequency": "2s" },
        ...{ "image-gc-high-threshold": 100 },
      }),
    ]);
    // It would wait long between its attempts to find its node.
    await eventually(
      `the node ${this.name}`,
      async () => ({
        ...(await plane.kubectl(["get", "node", this.name])),
        log: this.said("kubelet"),
      }),
      ({ code }) => code === 0,
      60_000,
    );
    const all = this.file("proxy.config", kubeconfig(plane.server, admin));
    this.serve("kube-proxy", [
      this.#files.program("kube-proxy"),
      ...flags({
        ...{ kubeconfig: all, "hostname-override": this.name, "proxy-mode": "iptables" },
        ...{ "cluster-cidr": podRange, "iptables-min-sync-period": "100ms" },
        // Settings of the machine's kernel stay as they are.
        ...{ "conntrack-max-per-core": 0, "conntrack-tcp-timeout-established": "0s" },
        "conntrack-tcp-timeout-close-wait": "0s",
      }),
    ]);
  }
}

/** Each takes some hundredths of a second. */
const groupLooksMax = 200;

/**
 * Containers of all nodes have theirs in one group. When nodes have ended it goes as soon as the last
 * process of a container has; it stays where nodes of another cluster use it.
 */
export async function removeIdleGroups(): Promise<void> {
  const remove = "find /sys/fs/cgroup/*/k8s.io -depth -type d -exec rmdir {} \\; 2>/dev/null";
  for (let look = 0; look < groupLooksMax; look++) {
    const { code } = await run(["sh", "-c", `${remove}; ls -d /sys/fs/cgroup/*/k8s.io`]);
    if (code !== 0) return;
  }
}

function containerdConfig(folder: string): string {
  return `
version = 2
root = "${folder}/containerd"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  disable_apparmor = true
  # Without the right to be preferred to others when memory ends, too.
  restrict_oom_score_adj = true
`;
}
