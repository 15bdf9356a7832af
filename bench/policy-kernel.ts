import type { IpFamily } from "../lib/base/ip.ts";
import { silentLog } from "../lib/base/world.ts";
import { programsOf } from "../lib/host/firewall/iptables.ts";
import type { EnforcerOptions, HostEnforcer } from "../lib/host/policy/host-enforcer.ts";
import { IpsetEnforcer } from "../lib/host/policy/ipset-enforcer.ts";
import { NftablesEnforcer } from "../lib/host/policy/nft-enforcer.ts";
import type { PolicyCompiler } from "../lib/policy/compiler.ts";
import { PodLab, podBridge } from "../test/hosts/pod-lab.ts";
import { shown } from "./measure.ts";
import { full, type Shape, shapes } from "./policy-shapes.ts";

/**
 * How long it takes until the kernel holds what policies say: all of 1000 policies and 1000 pods at
 * once, and one event after that (kubernetes.md §13: below 5 s and 50 ms). From the event to the end
 * of the last transaction, compiling and waiting for packets on their way included; and how much of that
 * is processor time of the router, for `iptables` without that of the programs which it calls.
 *
 *   bun run bench policy-kernel
 */
const rounds = 5;

/** Of this host, and of another one. */
const [localPod, remotePod] = [500, 501];

/** By what policies are enforced: `iptables` speaks to nf_tables where the host's program does. */
const filters = {
  nftables: (options) => new NftablesEnforcer(options),
  iptables: (options) => new IpsetEnforcer(options),
  "iptables-legacy": (options) =>
    new IpsetEnforcer(options, new Map(([4, 6] as const).map((each) => [each, legacyOf(each)]))),
} as const satisfies Record<string, (options: EnforcerOptions) => HostEnforcer>;

function legacyOf(family: IpFamily): string {
  const [, legacy] = programsOf(family);
  return legacy;
}

interface Site {
  readonly name: string;
  readonly shape: Shape;
  readonly compiler: PolicyCompiler;
  readonly enforcer: HostEnforcer;
}

type Deed = (site: Site) => void;

/** Each in the state that those before it have left, the last of them that of the beginning. */
const deeds: Readonly<Record<string, Deed>> = {
  "all at once": ({ enforcer, compiler }) => enforcer.replace(compiler.rules),
  "all in the place of all": ({ enforcer, compiler }) => enforcer.replace(compiler.rules),
  "a pod of another host goes": (site) =>
    change(site, ({ compiler }) => compiler.removePod(`${remotePod}`)),
  "a pod of another host comes": (site) =>
    change(site, ({ compiler, shape }) => compiler.putPod(shapes[shape].pod(remotePod))),
  "a pod of this host goes": (site) =>
    change(site, ({ compiler }) => compiler.removePod(`${localPod}`)),
  "a pod of this host comes": (site) =>
    change(site, ({ compiler, shape }) => compiler.putPod(shapes[shape].pod(localPod))),
  "a pod of this host takes other labels": (site) =>
    change(site, ({ compiler, shape }) => {
      const { labels } = shapes[shape].pod(localPod + 11);
      compiler.putPod({ ...shapes[shape].pod(localPod), labels });
    }),
  "and has its own again": (site) =>
    change(site, ({ compiler, shape }) => compiler.putPod(shapes[shape].pod(localPod))),
  "a policy goes": (site) =>
    change(site, ({ compiler, shape }) => {
      const { namespace, name } = shapes[shape].policy(localPod);
      compiler.removeNetworkPolicy(namespace, name);
    }),
  "a policy comes": (site) =>
    change(site, ({ compiler, shape }) =>
      compiler.putNetworkPolicy(shapes[shape].policy(localPod)),
    ),
};

function change(site: Site, event: Deed): void {
  event(site);
  const changed = site.compiler.commit();
  if (changed !== undefined) site.enforcer.apply(changed, site.compiler.rules);
}

/** Milliseconds, and those of them that a processor worked on it. */
interface Took {
  readonly wall: number[];
  readonly processor: number[];
}

function measure(site: Site, times: Map<string, Took>): void {
  site.enforcer.remove();
  for (const [name, deed] of Object.entries(deeds)) {
    const [start, used] = [performance.now(), process.cpuUsage()];
    deed(site);
    const { user, system } = process.cpuUsage(used);
    const took = times.getOrInsertComputed(name, () => ({ wall: [], processor: [] }));
    took.wall.push(performance.now() - start);
    took.processor.push((user + system) / 1000);
  }
}

function measureAll(site: Site): void {
  const { enforcer, name: filter, shape } = site;
  measure(site, new Map());
  const times = new Map<string, Took>();
  for (let round = 0; round < rounds; round++) measure(site, times);
  const about = `${filter}, ${shape}`;
  const { sets, elements, chains, rules } = enforcer.size();
  console.log(`${about}: ${sets} sets, ${elements} elements, ${chains} chains, ${rules} rules`);
  for (const [name, { wall, processor }] of times) {
    console.log(`${about}: ${name}: ${shown(wall)} ms, processor ${shown(processor)} ms`);
  }
  enforcer.remove();
}

export async function benchPolicyKernel(): Promise<void> {
  using lab = new PodLab("bnk", 1);
  const options: EnforcerOptions = { bridge: podBridge, multicast: "allow", log: silentLog };
  for (const [name, make] of Object.entries(filters)) {
    for (const shape of Object.keys(shapes) as Shape[]) {
      const site = { name, shape, compiler: full(shape), enforcer: make(options) };
      lab.hosts[0]!.run(() => measureAll(site));
    }
  }
}
