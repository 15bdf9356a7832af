import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { parseIpv4 } from "../../../lib/base/ip.ts";
import { makeVni } from "../../../lib/overlay/fastdp/vni.ts";
import { Capture, ipProtocol, plainVxlan, vxlanHeaders } from "../../hosts/capture.ts";
import { type Container, type Host, Lab } from "../../hosts/lab.ts";
import { eventually, must } from "../../hosts/shell.ts";
import { Hearer, transfer } from "../../hosts/traffic.ts";
import { referenceBinary } from "../../interop/reference-router.ts";
import {
  disposeAll,
  type Router,
  routerOn,
  type StartOptions,
  told,
} from "../../interop/routers.ts";
import { useOpenvswitch } from "./hosts.ts";
import { GuestOriginal } from "./original.ts";

/** Whose datapath a host has. */
type Datapath = "ebpf" | "ovs" | "original";

const oursInLine: readonly (readonly Datapath[])[] = [
  ["ebpf", "ovs", "ebpf"],
  ["ovs", "ebpf", "ovs"],
];

/** Each relays for the two others. */
const mixedLines: readonly (readonly Datapath[])[] = [
  ["ebpf", "original", "ovs"],
  ["original", "ebpf", "ovs"],
  ["original", "ovs", "ebpf"],
];

const ESP = 50;
const group = "239.1.2.3";
const wordsEach = 5;

/** Three hosts whose ends have no path to each other but over the one between. */
class Line implements AsyncDisposable {
  readonly lab: Lab;
  readonly members: readonly Member[];
  readonly ends: { readonly container: Container; readonly ip: string }[] = [];

  private constructor(lab: Lab, members: readonly Member[]) {
    this.lab = lab;
    this.members = members;
  }

  get routers(): readonly Router[] {
    return this.members.map(({ router }) => router);
  }

  static async up(kinds: readonly Datapath[], password: string | undefined): Promise<Line> {
    const lab = await Lab.inLine("kl", kinds.length);
    const members: Member[] = [];
    for (const [at, host] of lab.hosts.entries()) members.push(await memberOn(host, kinds[at]!));
    const line = new Line(lab, members);
    try {
      await line.#start(password);
    } catch (error) {
      await line[Symbol.asyncDispose]();
      throw error;
    }
    return line;
  }

  async #start(password: string | undefined): Promise<void> {
    const [left, middle, right] = this.members as readonly [Member, Member, Member];
    const seed = `seed=${left.router.host.peerName}`;
    const flags = ["--no-discovery", "--ipalloc-init", seed];
    const options = password === undefined ? { flags } : { flags, password };
    await middle.start(options);
    await left.start({ ...options, peers: ["192.168.1.2"] });
    await right.start({ ...options, peers: ["192.168.2.1"] });
    for (const router of this.routers)
      this.ends.push(await router.container(`c${router.host.number}`));
  }

  /** Short ids by nickname, as one of them knows them. */
  async shortIds(): Promise<number[]> {
    const [left] = this.routers as [Router];
    const report = await told(left, "GET", "/report?format={{json+.Router.Peers}}");
    const peers = JSON.parse(report) as { NickName: string; ShortID: number }[];
    return this.lab.hosts.map(
      ({ number }) => peers.find(({ NickName }) => NickName === `host${number}`)!.ShortID,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await disposeAll([...this.routers, this.lab]);
  }
}

/** A router, and how it is started so that it uses its datapath. */
interface Member {
  readonly router: Router;
  start(options: StartOptions): Promise<void>;
}

async function memberOn(host: Host, datapath: Datapath): Promise<Member> {
  if (datapath === "original") return new GuestOriginal(host);
  host.fastdp = true;
  if (datapath === "ovs") await useOpenvswitch(host);
  const router = routerOn(host, "ours");
  return { router, start: (options) => router.start(options) };
}

async function byFastdp(router: Router, count: number): Promise<string> {
  return eventually(
    `${count} connections by fastdp at ${router.kind} ${router.host.number}`,
    () => told(router, "GET", "/status/connections"),
    (text) => text.match(/ established .*\bfastdp /g)?.length === count,
    60_000,
  );
}

/** What carries its frames; another than wanted takes over when that cannot run. */
function datapathOf(router: Router): Promise<string> {
  return told(router, "GET", "/report?format={{.Router.Datapath.Backend}}");
}

/** Everybody says some words to all; gives what each heard from the others. */
async function heardByAll(line: Line): Promise<string[][]> {
  const hearers: Hearer[] = [];
  try {
    for (const { container } of line.ends) hearers.push(await Hearer.start(container, group));
    for (let round = 0; round < wordsEach; round++) {
      for (const [at, hearer] of hearers.entries()) await hearer.say(group, `${at}-${round}`);
    }
    const fromOthers = (at: number): string[] =>
      hearers[at]!.heard.map((line) => line.split(" ")[0]!).filter(
        (word) => !word.startsWith(`${at}-`),
      );
    await eventually(
      "the last word of all",
      () => must(["true"]),
      () => hearers.every((_, at) => fromOthers(at).length >= wordsEach * (hearers.length - 1)),
    );
    return hearers.map((_, at) => fromOthers(at).sort());
  } finally {
    for (const hearer of hearers) hearer.stop();
  }
}

const lines = referenceBinary === undefined ? oursInLine : mixedLines;

for (const kinds of lines) {
  for (const password of [undefined, "a password for the guests"]) {
    const how = password === undefined ? "in clear" : "encrypted";
    describe(`datapaths by ${kinds.join(" – ")}, ${how}`, () => {
      let line: Line;
      beforeAll(async () => {
        line = await Line.up(kinds, password);
      });
      afterAll(() => line?.[Symbol.asyncDispose]());

      test("are used for every connection", async () => {
        const state = password === undefined ? / unencrypted +fastdp / : / encrypted +fastdp /;
        for (const [at, router] of line.routers.entries()) {
          const text = await byFastdp(router, at === 1 ? 2 : 1);
          if (kinds[at] !== "original") expect(await datapathOf(router)).toBe(kinds[at]!);
          if (password !== undefined) expect(text).toMatch(state);
        }
      });

      test("carry frames between all containers, relayed ones included", async () => {
        for (const from of line.ends) {
          for (const to of line.ends) if (to !== from) await from.container.pings(to.ip, 30_000);
        }
        const [a, , c] = line.ends as [(typeof line.ends)[0], unknown, (typeof line.ends)[0]];
        const { sent, received } = await transfer(a.container, c.container, c.ip, 1_000_000);
        expect(received).toBe(sent);
      });

      test("flood what is for all to everybody once", async () => {
        const words = (from: number) =>
          Array.from({ length: wordsEach }, (_, round) => `${from}-${round}`);
        expect(await heardByAll(line)).toEqual([
          [...words(1), ...words(2)],
          [...words(0), ...words(2)],
          [...words(0), ...words(1)],
        ]);
      });

      test("send plain VXLAN with the ids of both ends, also behind the relay, or nothing but ESP", async () => {
        const [a, , c] = line.ends as [(typeof line.ends)[0], unknown, (typeof line.ends)[0]];
        const middle = line.routers[1]!.host;
        const [idA, , idC] = (await line.shortIds()) as [number, number, number];
        const filter = "udp port 6784 or esp";
        await using last = await Capture.start(middle, "last", filter);
        await using next = await Capture.start(middle, "next", filter);
        await must(a.container.command(["ping", "-q", "-c", "5", "-i", "0.1", c.ip]));
        for (const [capture, remote] of [
          [last, "192.168.1.1"],
          [next, "192.168.2.2"],
        ] as const) {
          await eventually(
            `packets to and from ${remote}`,
            () => must(a.container.command(["ping", "-q", "-c", "1", c.ip])),
            () => capture.packets.length >= 10,
          );
          if (password !== undefined) {
            expect(new Set(capture.packets.map(ipProtocol))).toEqual(new Set([ESP]));
            continue;
          }
          const headers = capture.packets.map(vxlanHeaders);
          for (const each of headers) expect(each).toMatchObject(plainVxlan);
          const vnisFrom = (there: boolean) =>
            headers
              .filter(({ source }) => (source === parseIpv4(remote)) === there)
              .map(({ vni }) => vni);
          const [near, far] = remote === "192.168.1.1" ? [idA, idC] : [idC, idA];
          expect(vnisFrom(true)).toContain(makeVni(near, far));
          expect(vnisFrom(false)).toContain(makeVni(far, near));
        }
      });
    });
  }
}
