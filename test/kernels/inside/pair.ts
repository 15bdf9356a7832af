import { expect } from "bun:test";
import { Capture } from "../../hosts/capture.ts";
import { type Container, type Host, Lab } from "../../hosts/lab.ts";
import { eventually, must } from "../../hosts/shell.ts";
import { transfer } from "../../hosts/traffic.ts";
import {
  disposeAll,
  type Kind,
  type Router,
  routerOn,
  type StartOptions,
  told,
} from "../../interop/routers.ts";
import { useOpenvswitch } from "./hosts.ts";
import { GuestOriginal } from "./original.ts";

export interface PairOptions {
  readonly dialler: Kind;
  readonly backend: "ebpf" | "ovs";
  readonly password?: string;
  /** What each is told besides. */
  readonly flags?: Partial<Readonly<Record<Kind, readonly string[]>>>;
  /** Of whoever is dialled; else the default one. */
  readonly port?: number;
  /** Done to the host of ours before any router runs. */
  readonly before?: (ours: Host) => Promise<void>;
}

interface End {
  readonly container: Container;
  readonly ip: string;
}

/** One of ours and an original, both by fastdp, with a container each. */
export class Pair implements AsyncDisposable {
  readonly lab: Lab;
  readonly options: PairOptions;
  readonly ours: Router;
  readonly original: GuestOriginal;
  /** Of ours, then of the original. */
  ends: readonly [End, End] | undefined;

  private constructor(lab: Lab, options: PairOptions) {
    this.lab = lab;
    this.options = options;
    const [one, two] = lab.hosts as [Host, Host];
    one.fastdp = true;
    this.ours = routerOn(one, "ours");
    this.original = new GuestOriginal(two);
  }

  static async up(options: PairOptions): Promise<Pair> {
    const pair = new Pair(await Lab.onSwitch("kp", 2), options);
    try {
      if (options.backend === "ovs") await useOpenvswitch(pair.ours.host);
      await options.before?.(pair.ours.host);
      // Who dials comes second.
      if (options.dialler === "ours") await pair.#startOriginal();
      await pair.startOurs();
      if (options.dialler === "original") await pair.#startOriginal();
      const { ours, original } = pair;
      pair.ends = [await ours.container("c1"), await original.router.container("c2")];
    } catch (error) {
      await pair[Symbol.asyncDispose]();
      throw error;
    }
    return pair;
  }

  startOurs(): Promise<void> {
    return this.ours.start(this.#startOptions("ours", this.original.router.host));
  }

  #startOriginal(): Promise<void> {
    return this.original.start(this.#startOptions("original", this.ours.host));
  }

  #startOptions(kind: Kind, other: Host): StartOptions {
    const { dialler, password, flags = {}, port } = this.options;
    const isDialler = dialler === kind;
    const own = port === undefined || isDialler ? [] : ["--port", String(port)];
    return {
      ...(password !== undefined && { password }),
      peers: isDialler ? [port === undefined ? other.ip : `${other.ip}:${port}`] : [],
      flags: [...own, ...(flags[kind] ?? [])],
    };
  }

  get hosts(): readonly [Host, Host] {
    return [this.ours.host, this.original.router.host];
  }

  /** What status says of it, a pattern; nothing or little where no router has a password. */
  get #encryption(): string {
    return this.options.password === undefined ? "(?:unencrypted +)?" : "encrypted +";
  }

  /** Waits until both carry frames by this overlay. @param how as status says it, a pattern */
  async carriedBy(overlay: string, how = this.#encryption): Promise<void> {
    const pattern = new RegExp(` established +${how}${overlay} `);
    for (const router of [this.ours, this.original.router]) {
      await eventually(
        `${overlay} at ${router.kind}`,
        () => told(router, "GET", "/status/connections"),
        (text) => pattern.test(text),
        90_000,
      );
    }
  }

  /** Frames reach either container from the other. */
  async carriesFrames(): Promise<void> {
    const [one, two] = this.ends!;
    await one.container.pings(two.ip, 30_000);
    await two.container.pings(one.ip, 30_000);
  }

  /**
   * What of VXLAN and of ESP is on the cable while both containers send to each other.
   *
   * @param port of VXLAN
   */
  async passing(port = 6784): Promise<readonly Uint8Array[]> {
    await using capture = await Capture.start(this.ours.host, "eth0", `udp port ${port} or esp`);
    const [one, two] = this.ends!;
    for (const [from, to] of [
      [one, two],
      [two, one],
    ] as const) {
      const { sent, received } = await transfer(from.container, to.container, to.ip, 2_000_000);
      expect(received).toBe(sent);
    }
    // Super-frames pass as one packet.
    expect(capture.packets.length).toBeGreaterThan(20);
    return capture.packets;
  }

  /** What `ip xfrm` lists at each of the hosts. */
  async xfrm(what: "state" | "policy"): Promise<[string, string]> {
    const list = ({ namespace }: Host) => must(["ip", "-n", namespace, "xfrm", what]);
    return [await list(this.hosts[0]), await list(this.hosts[1])];
  }

  /** Rules of the original that concern our host. */
  rules(): string[] {
    return this.original.rules().filter((rule) => rule.includes(this.ours.host.ip));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await disposeAll([this.ours, this.original.router, this.lab]);
  }
}
