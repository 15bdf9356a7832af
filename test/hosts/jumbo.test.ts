import { describe, expect, test } from "bun:test";
import { type Container, type Host, Lab } from "./lab.ts";
import { eventually, must } from "./shell.ts";
import { transfer } from "./traffic.ts";

const jumbo = 9000;
const narrow = 1400;
/** VXLAN's part of an underlay packet. */
const overhead = 50;
/** Of a stream, before anything becomes of its way. */
const begunOctets = 50_000_000;
/** Larger sizes are tried once a minute. */
const growMaxMs = 150_000;
const testMaxMs = 240_000;

interface Attached {
  readonly container: Container;
  readonly four: string;
  readonly six: string;
}

async function attached(host: Host): Promise<Attached> {
  const container = await host.container(`c${host.number}`);
  const four = await host.mustWeave(["attach", container.reference]);
  const six = `fd00::${host.number}`;
  const address = ["addr", "add", `${six}/64`, "dev", "ethwe", "nodad"];
  await must(["ip", "-n", container.namespace, ...address]);
  return { container, four, six };
}

/** Waits until the host's one connection goes by fastdp with this MTU. */
function pathOf(host: Host, mtu: number, waitMs = 30_000): Promise<string> {
  return eventually(
    `MTU ${mtu} at ${host.namespace}`,
    async () => (await host.weave(["status", "connections"])).stdout,
    (text) => new RegExp(` established +fastdp .*mtu=${mtu}\\b`).test(text),
    waitMs,
  );
}

/** Hosts that find out what their network carries, and use all of it, with a container each. */
async function jumboPair(prefix: string): Promise<Lab & { ends: [Attached, Attached] }> {
  const lab = await Lab.onSwitch(prefix, 2, jumbo);
  const [one, two] = lab.hosts as [Host, Host];
  for (const host of lab.hosts) host.fastdp = true;
  await one.launch(["--mtu", "auto"]);
  await two.launch(["--mtu", "auto", one.ip]);
  const ends: [Attached, Attached] = [await attached(one), await attached(two)];
  for (const host of lab.hosts) await pathOf(host, jumbo - overhead);
  return Object.assign(lab, { ends });
}

const hostEnds = ({ hosts }: Lab) => hosts.map((host) => [host.namespace, "eth0"] as const);
const switchEnds = ({ hosts, prefix }: Lab) =>
  hosts.map((host) => [`${prefix}-sw`, `h${host.number}`] as const);

async function setUnderlay(ends: readonly (readonly [string, string])[], mtu: number) {
  for (const [namespace, device] of ends) {
    await must(["ip", "-n", namespace, "link", "set", device, "mtu", String(mtu)]);
  }
}

// They wait for most of their time: the one does beside the other.
describe.concurrent("hosts on a network of jumbo frames, told to find out", () => {
  test(
    "use all of it: packets of 8950 octets pass in one piece",
    async () => {
      await using lab = await jumboPair("wju");
      const [left, right] = lab.ends;
      const [one] = lab.hosts as [Host];
      const size = String(jumbo - overhead - 28);
      await left.container.pings(right.four);
      const before = await handedOver(one);
      const ping = ["ping", "-c", "5", "-i", "0.2", "-M", "do", "-s", size, right.four];
      expect(await must(left.container.command(ping))).toContain(" 5 received");
      const { sent, received } = await transfer(
        left.container,
        right.container,
        right.four,
        50_000_000,
      );
      expect(received).toBe(sent);
      expect(await handedOver(one)).toBe(before);
    },
    testMaxMs,
  );

  for (const [what, prefix, endsOf] of [
    ["that their kernels know of", "wjk", (lab: Lab) => [...hostEnds(lab), ...switchEnds(lab)]],
    ["that nobody tells of", "wjn", switchEnds],
  ] as const) {
    test(
      `go on when it becomes narrow in a way ${what}, and use all of it again later`,
      async () => {
        await using lab = await jumboPair(prefix);
        const [left, right] = lab.ends;
        const { sent, received } = await transfer(
          left.container,
          right.container,
          right.four,
          begunOctets,
          async () => {
            await passes(left.container, begunOctets);
            await setUnderlay(endsOf(lab), narrow);
            await passes(left.container, begunOctets);
          },
        );
        expect(received).toBe(sent);
        for (const host of lab.hosts) await pathOf(host, narrow - overhead);
        for (const to of [right.four, right.six]) {
          await eventually(
            `word of the path to ${to}`,
            () => toldOf(left.container, to),
            (mtu) => isTold(mtu, narrow - overhead),
          );
        }
        await setUnderlay(endsOf(lab), jumbo);
        for (const host of lab.hosts) await pathOf(host, jumbo - overhead, growMaxMs);
      },
      testMaxMs,
    );
  }
});

describe.concurrent("a host on a network of jumbo frames, told to find out", () => {
  for (const [what, prefix, args] of [
    ["one of our kind that was told nothing", "wjm", []],
    ["one that speaks like the original", "wjo", ["--no-extensions"]],
  ] as const) {
    test(
      `sends containers of ${what} what these take`,
      async () => {
        await using lab = await Lab.onSwitch(prefix, 2, jumbo);
        const [one, two] = lab.hosts as [Host, Host];
        for (const host of lab.hosts) host.fastdp = true;
        await one.launch(["--mtu", "auto"]);
        await two.launch([...args, one.ip]);
        const [left, right] = [await attached(one), await attached(two)];
        for (const host of lab.hosts) await pathOf(host, 1376);
        await left.container.pings(right.four);
        for (const to of [right.four, right.six]) {
          await eventually(
            `word of the path to ${to}`,
            () => toldOf(left.container, to),
            (mtu) => isTold(mtu, 1376),
          );
        }
        for (const [from, to] of [
          [left, right],
          [right, left],
        ] as const) {
          const { sent, received } = await transfer(
            from.container,
            to.container,
            to.four,
            20_000_000,
          );
          expect(received).toBe(sent);
        }
      },
      testMaxMs,
    );
  }
});

/** Sleeve tells what it carries itself, a few octets less than the tunnel. */
function isTold(mtu: number, fits: number): boolean {
  return mtu <= fits && mtu > fits - 40;
}

/** Octets of the largest packet that a container sends there in one piece, by its kernel. */
async function toldOf(container: Container, to: string): Promise<number> {
  const ping = ["ping", "-c", "1", "-W", "1", "-M", "do", "-s", "8000", to];
  const { stdout, stderr } = await container.exec(ping);
  return Number(/mtu ?[=:] ?(\d+)/.exec(stdout + stderr)?.[1] ?? jumbo);
}

/** Frames that did not take the tunnel but sleeve. */
async function handedOver(host: Host): Promise<number> {
  const report = JSON.parse(await host.mustWeave(["report"]));
  return report.Router.OverlayDiagnostics.fastdp.handedOverFrames;
}

/** Waits until so much more has left a container. */
async function passes(container: Container, octets: number): Promise<void> {
  const before = await sentOctets(container);
  await eventually(
    "a stream that goes on",
    () => sentOctets(container),
    (now) => now > before + octets,
    60_000,
  );
}

/** What has left a container through its interface. */
async function sentOctets(container: Container): Promise<number> {
  const path = "/sys/class/net/ethwe/statistics/tx_bytes";
  const text = await must(["ip", "netns", "exec", container.namespace, "cat", path]);
  return Number(text);
}
