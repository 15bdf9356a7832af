import { parseIpv4 } from "../../../lib/base/ip.ts";
import type { DatapathBackend, HostDatapath } from "../../../lib/host/datapath/backend.ts";
import { defaultDeviceNames } from "../../../lib/host/device-names.ts";
import { findLink } from "../../../lib/host/netlink/link.ts";
import { openRoute } from "../../../lib/host/netlink/open.ts";
import { NetworkNamespace, namedNamespaceFolder } from "../../../lib/host/netns.ts";
import type { HeardHeartbeat, NextHop, ShortId } from "../../../lib/overlay/fastdp/ports.ts";
import { type Container, type Host, Lab } from "../../hosts/lab.ts";
import { eventually, must, run } from "../../hosts/shell.ts";

export const mtu = 1376;
export const port = 6784;

interface Ways {
  readonly neighbours: readonly DatapathHost[];
  readonly hops: ReadonlyMap<DatapathHost, DatapathHost | "sleeve">;
  readonly trees: ReadonlyMap<DatapathHost, readonly DatapathHost[]>;
}

/** A host with a bridge, a kernel datapath and one container, without a router: the test is that. */
export class DatapathHost {
  readonly host: Host;
  readonly id: ShortId;
  readonly container: Container;
  readonly containerIp: string;
  readonly heard: HeardHeartbeat[] = [];
  readonly #namespace: NetworkNamespace;
  readonly #backend: DatapathBackend;
  #datapath: HostDatapath | undefined;
  #servant: ReturnType<typeof setInterval> | undefined;

  private constructor(host: Host, backend: DatapathBackend, container: Container) {
    this.host = host;
    this.id = 0x100 + host.number;
    this.container = container;
    this.containerIp = `10.32.0.${host.number}`;
    this.#backend = backend;
    this.#namespace = new NetworkNamespace(`${namedNamespaceFolder}/${host.namespace}`);
  }

  static async make(host: Host, backend: DatapathBackend): Promise<DatapathHost> {
    const container = await host.container(`c${host.number}`);
    const made = new DatapathHost(host, backend, container);
    const ip = ["ip", "-n", host.namespace];
    await must([...ip, "link", "add", "weave", "type", "bridge"]);
    await must([...ip, "link", "set", "weave", "mtu", String(mtu), "up"]);
    const peer = ["peer", "name", "eth0", "netns", container.namespace];
    await must([...ip, "link", "add", "vethwepl0", "mtu", String(mtu), "type", "veth", ...peer]);
    await must([...ip, "link", "set", "vethwepl0", "master", "weave", "up"]);
    const inside = ["ip", "-n", container.namespace];
    await must([...inside, "link", "set", "eth0", "mtu", String(mtu), "up"]);
    await must([...inside, "addr", "add", `${made.containerIp}/24`, "dev", "eth0"]);
    made.open();
    return made;
  }

  get datapath(): HostDatapath {
    return this.#datapath!;
  }

  /** Runs `action` where the host's devices are. */
  inside<Result>(action: () => Result): Result {
    return this.#namespace.run(action);
  }

  get bridge(): number {
    return this.inside(() => {
      using netlink = openRoute();
      return findLink(netlink, { name: "weave" })!.index;
    });
  }

  /** As a router does at its start. */
  open(): void {
    const { bridge } = this;
    const options = { names: defaultDeviceNames, bridge, mtu, port };
    this.#datapath = this.inside(() => this.#backend.open(options));
    // A router's data plane sleeps until there is something; a test may look now and then.
    this.#servant = setInterval(() => this.#datapath?.serve?.(), 10);
    this.#datapath.connect({
      heartbeat: (heard) => this.heard.push({ ...heard, frame: heard.frame.slice() }),
      failed: (error) => {
        throw error;
      },
    });
  }

  /** As a router that is killed: what is in the kernel stays. */
  kill(): void {
    clearInterval(this.#servant);
    this.#datapath?.close();
    this.#datapath = undefined;
  }

  /** Has another host as a neighbour, with its own id and the default port unless told otherwise. */
  knows(
    other: DatapathHost,
    how: { readonly shortId?: ShortId; readonly port?: number; readonly mtu?: number } = {},
  ): void {
    const [localIp, remoteIp] = [parseIpv4(this.host.ip), parseIpv4(other.host.ip)];
    this.inside(() =>
      this.datapath.setNeighbour({ shortId: other.id, localIp, remoteIp, port, ...how }),
    );
  }

  /** Knows the others as neighbours, and routes to them by what is given. */
  route(ways: Ways): void {
    this.inside(() => this.#route(ways));
    this.mend();
  }

  /** As a router does when links have changed; says what it found amiss. */
  mend(): readonly string[] {
    const { bridge } = this;
    return this.inside(() => this.datapath.mend(bridge));
  }

  #route(options: Ways): void {
    for (const neighbour of options.neighbours) this.knows(neighbour);
    const hops = new Map<ShortId, NextHop>();
    for (const [{ id }, by] of options.hops) {
      hops.set(id, by === "sleeve" ? { kind: by } : { kind: "tunnel", neighbour: by.id });
    }
    const trees = new Map([...options.trees].map(([{ id }, next]) => [id, next.map((n) => n.id)]));
    this.datapath.change({ self: this.id, hops, trees });
  }

  /** Waits for a heartbeat. */
  async hears(): Promise<void> {
    await eventually(
      `a heartbeat at ${this.host.namespace}`,
      () => run(["true"]),
      () => this.heard.length > 0,
    );
  }

  close(): void {
    this.kill();
    this.#namespace.close();
  }
}

/** Hosts on one switch whose datapaths are closed with the lab. */
export class DatapathLab implements AsyncDisposable {
  readonly lab: Lab;
  readonly hosts: readonly DatapathHost[];

  private constructor(lab: Lab, hosts: readonly DatapathHost[]) {
    this.lab = lab;
    this.hosts = hosts;
  }

  static async make(prefix: string, count: number, backend: DatapathBackend): Promise<DatapathLab> {
    const lab = await Lab.onSwitch(prefix, count);
    const hosts: DatapathHost[] = [];
    for (const host of lab.hosts) hosts.push(await DatapathHost.make(host, backend));
    return new DatapathLab(lab, hosts);
  }

  /** Everybody is everybody's neighbour. */
  mesh(): void {
    for (const host of this.hosts) {
      const others = this.hosts.filter((each) => each !== host);
      host.route({
        neighbours: others,
        hops: new Map(others.map((other) => [other, other])),
        trees: new Map([[host, others]]),
      });
    }
  }

  /** Each is the neighbour of the one before and the one after. */
  line(): void {
    for (const [at, host] of this.hosts.entries()) {
      const [before, after] = [this.hosts[at - 1], this.hosts[at + 1]];
      const others = this.hosts.filter((each) => each !== host);
      const towards = (other: DatapathHost) => (this.hosts.indexOf(other) < at ? before : after)!;
      const onward = (from: DatapathHost): DatapathHost[] => {
        if (from === host) return [before, after].filter((each) => each !== undefined);
        const next = towards(from) === before ? after : before;
        return next === undefined ? [] : [next];
      };
      host.route({
        neighbours: onward(host),
        hops: new Map(others.map((other) => [other, towards(other)])),
        trees: new Map(this.hosts.map((from) => [from, onward(from)])),
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const host of this.hosts) host.close();
    await this.lab[Symbol.asyncDispose]();
  }
}
