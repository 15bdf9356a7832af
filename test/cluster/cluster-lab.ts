import { mkdirSync } from "node:fs";
import { Lab } from "../hosts/lab.ts";
import type { MachinePlace } from "../hosts/machine.ts";
import { ClusterFiles } from "./cluster-files.ts";
import { ClusterNode, removeIdleGroups } from "./cluster-node.ts";
import { ControlPlane } from "./control-plane.ts";
import { kubeletOf, type User } from "./credentials.ts";
import { testImages } from "./images.ts";

export interface ClusterLabOptions {
  /** Default: 2. None gives an API server without anything that acts on what it holds. */
  readonly nodes?: number;
  /** Who may ask the API server besides its administrator and the nodes. */
  readonly users?: readonly User[];
}

/**
 * A cluster of Kubernetes, of several machines on one:
 *
 *   ┌ node1: 192.168.77.1 ─────────┐            ┌ control plane: 192.168.77.<nodes + 1> ─┐
 *   │ kubelet ── containerd ─ pods │── switch ──│ etcd, API server, controllers          │
 *   │ kube-proxy                   │            └────────────────────────────────────────┘
 *   └──────────────────────────────┘
 *
 * Each is a {@link ClusterMachine}: what a test started in it cannot outlive the lab, also when the
 * test failed or was killed. There is no network of pods yet.
 */
export class ClusterLab implements AsyncDisposable {
  readonly plane: ControlPlane;
  readonly nodes: ClusterNode[] = [];
  readonly #lab: Lab;
  readonly #files: ClusterFiles;
  /** What every node has. */
  readonly #images: string[] = [];
  readonly #tags: [name: string, other: string][] = [];

  private constructor(lab: Lab, plane: ControlPlane, files: ClusterFiles) {
    this.#lab = lab;
    this.plane = plane;
    this.#files = files;
  }

  /** A folder that all machines see under the same name. */
  get folder(): string {
    return this.#lab.folder;
  }

  /**
   * @param prefix of the lab's names, no other test's, of few letters
   * @throws Error saying what is missing on this machine
   */
  static async start(prefix: string, options: ClusterLabOptions = {}): Promise<ClusterLab> {
    const { nodes = 2, users = [] } = options;
    const files = new ClusterFiles();
    const lab = await Lab.onSwitch(prefix, nodes + 1);
    let made: ClusterLab | undefined;
    try {
      const places = lab.hosts.map(({ number, namespace, ip }) => ({
        ...{ number, namespace, ip, folder: `${lab.folder}/host${number}` },
      }));
      const kubelets = places.slice(0, nodes).map(({ number }) => kubeletOf(`node${number}`));
      const place = places.at(-1)!;
      const plane = await ControlPlane.start({ place, files, users: [...kubelets, ...users] });
      made = new ClusterLab(lab, plane, files);
      if (nodes > 0) await made.#startNodes(places.slice(0, nodes));
      return made;
    } catch (error) {
      await (made ?? lab)[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #startNodes(places: readonly MachinePlace[]): Promise<void> {
    this.plane.startControllers();
    const folder = `${this.folder}/images`;
    mkdirSync(folder);
    this.#images.push(...(await testImages(folder, this.#files)));
    await Promise.all(
      places.map(async (place, at) => {
        this.nodes[at] = await ClusterNode.start(place, this.#files, this.#images);
      }),
    );
    await Promise.all(this.nodes.map((node) => node.join(this.plane)));
  }

  /** Gives all nodes an image, and those that are made later. */
  async addImage(archive: string): Promise<void> {
    this.#images.push(archive);
    await Promise.all(this.nodes.map((node) => node.importImage(archive)));
  }

  /** Gives an image that all nodes have another name besides. */
  async tagImage(name: string, other: string): Promise<void> {
    this.#tags.push([name, other]);
    await Promise.all(this.nodes.map((node) => node.tagImage(name, other)));
  }

  /**
   * Puts a new machine in the place of a node: of its name and address, with nothing on its disk but
   * what `prepare` puts there before it joins the cluster.
   */
  async renew(
    node: ClusterNode,
    prepare: (fresh: ClusterNode) => Promise<void> = async () => undefined,
  ): Promise<ClusterNode> {
    await node.end();
    const { number, namespace, ip, folder } = node;
    await this.#lab.replug(this.#lab.hosts[number - 1]!);
    const fresh = await ClusterNode.start(
      ...([{ number, namespace, ip, folder }, this.#files, this.#images] as const),
    );
    for (const tag of this.#tags) await fresh.tagImage(...tag);
    this.nodes[this.nodes.indexOf(node)] = fresh;
    await prepare(fresh);
    await fresh.join(this.plane);
    return fresh;
  }

  /** Waits until the cluster takes its nodes for ready, which is when they have a network. */
  async ready(waitMs = 180_000): Promise<void> {
    const wait = ["wait", "--for=condition=Ready", `--timeout=${waitMs / 1000}s`];
    const all = this.nodes.map(({ name }) => `node/${name}`);
    await this.plane.mustKubectl([...wait, ...all], { waitMs: waitMs + 5000 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.end()));
    await removeIdleGroups();
    await this.plane.end();
    await this.#lab[Symbol.asyncDispose]();
  }
}
