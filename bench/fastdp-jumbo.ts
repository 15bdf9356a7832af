import { compatibleMtu, mtuWithin } from "../lib/overlay/fastdp/link-mtu.ts";
import { type Host, Lab } from "../test/hosts/lab.ts";
import { eventually, must } from "../test/hosts/shell.ts";
import { compare, type Measure, vxlanPair } from "./fastdp.ts";
import { inside, needIperf3, type Pair, stream } from "./overlay-pair.ts";
import { useBuild } from "./sleeve-pairs.ts";

/**
 * What routers that find out the MTU make of a network of jumbo frames, beside a plain VXLAN device
 * with as large packets, and beside routers that were told nothing:
 *
 *   bun run bench fastdp-jumbo
 *
 * First super-frames go from end to end, as with cards that cut them; then each packet by itself.
 */
const underlay = 9000;
const rounds = 5;
const streamSeconds = 2;

const prefixes = ["fjv", "fja", "fjd"] as const;

const tcp = (what: string): Measure => ({
  what,
  unit: "Gbit/s",
  digits: 2,
  of: (pair) => stream(pair, streamSeconds),
});

export async function benchFastdpJumbo(): Promise<void> {
  needIperf3();
  useBuild();
  await using stack = new AsyncDisposableStack();
  const mtu = mtuWithin(underlay, false);
  const pairs = [
    await vxlanPair(stack, prefixes[0], { underlay, mtu }),
    await routerPair(stack, prefixes[1], "--mtu auto", ["--mtu", "auto"], mtu),
    await routerPair(stack, prefixes[2], "MTU 1376", [], compatibleMtu),
  ];
  for (const { from, address } of pairs) await must(inside(from, ["ping", "-c", "2", address]));
  await compare(pairs, tcp("TCP"), rounds);
  await cutEarly();
  await compare(pairs, tcp("TCP, packet by packet"), rounds);
}

/** From now on the hosts' interfaces get packets and not super-frames. */
async function cutEarly(): Promise<void> {
  const offloads = ["tso", "gso", "gro"].flatMap((name) => [name, "off"]);
  for (const host of prefixes.flatMap((prefix) => [`${prefix}-h1`, `${prefix}-h2`])) {
    await must(["ip", "netns", "exec", host, "ethtool", "-K", "eth0", ...offloads]);
  }
}

/** Containers of two hosts whose routers use fastdp, once it carries packets of this size. */
async function routerPair(
  stack: AsyncDisposableStack,
  prefix: string,
  name: string,
  args: readonly string[],
  mtu: number,
): Promise<Pair> {
  const lab = stack.use(await Lab.onSwitch(prefix, 2, underlay));
  const [one, two] = lab.hosts as [Host, Host];
  for (const host of lab.hosts) host.fastdp = true;
  await one.launch(args);
  await two.launch([...args, one.ip]);
  const [from, to] = [await one.container("c1"), await two.container("c2")];
  await one.mustWeave(["attach", from.reference]);
  const address = await two.mustWeave(["attach", to.reference]);
  for (const host of lab.hosts) {
    await eventually(
      `MTU ${mtu} at ${host.namespace}`,
      async () => (await host.weave(["status", "connections"])).stdout,
      (text) => text.includes("fastdp") && text.includes(`mtu=${mtu}`),
    );
  }
  await from.pings(address);
  return { name, from, to, address, routers: [] };
}
