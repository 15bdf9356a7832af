import { type Container, type Host, Lab } from "./lab.ts";
import { eventually, must } from "./shell.ts";

/** Hosts whose routers may use a datapath of the kernel, and how tests look at them. */

/**
 * Hosts on one switch, their routers connected over fastdp in a full mesh: the first is dialled by all
 * others.
 *
 * @param prepare what a host has before its router
 */
export async function meshOverFastdp(
  prefix: string,
  count: number,
  prepare: (host: Host) => Promise<void> = async () => {},
): Promise<Lab> {
  const lab = await Lab.onSwitch(prefix, count);
  try {
    for (const host of lab.hosts) {
      host.fastdp = true;
      await prepare(host);
    }
    const [first, ...others] = lab.hosts as [Host, ...Host[]];
    // Of several that first allocate at once, more than one could be the first.
    const seed = ["--ipalloc-init", `seed=${first.peerName}`];
    await first.launch(seed);
    for (const host of others) await host.launch([...seed, first.ip]);
    for (const host of lab.hosts) await overFor(host, "fastdp", count - 1);
    return lab;
  } catch (error) {
    await lab[Symbol.asyncDispose]();
    throw error;
  }
}

/** What a host's connections show. */
export async function connections(host: Host): Promise<string> {
  return (await host.weave(["status", "connections"])).stdout;
}

/** Waits until so many connections of the host are established over this overlay. */
export function overFor(
  host: Host,
  overlay: string,
  count: number,
  waitMs = 15_000,
): Promise<string> {
  const pattern = new RegExp(` established +(?:(?:un)?encrypted +)?${overlay} `);
  return eventually(
    `${count} connections by ${overlay} at ${host.namespace}`,
    () => connections(host),
    (text) => text.split("\n").filter((line) => pattern.test(line)).length === count,
    waitMs,
  );
}

/** Why a host's first connection takes the overlay that it takes. */
export async function reasonAt(host: Host): Promise<string> {
  const status = JSON.parse(await host.mustWeave(["status", "connections", "--json"]));
  return status.connections[0].reason;
}

/** Adds or deletes a rule that loses VXLAN packets on their way into a host. */
export function vxlanFrom(
  host: Host,
  action: "-A" | "-D",
  more: readonly string[] = [],
): Promise<string> {
  const rule = ["INPUT", "-p", "udp", "--dport", "6784", ...more, "-j", "DROP"];
  return must(["nsenter", `--net=/run/netns/${host.namespace}`, "iptables", action, ...rule]);
}

export interface Attached {
  readonly container: Container;
  readonly ip: string;
}

/** A container with an address of the overlay. */
export async function containerOn(host: Host, name: string): Promise<Attached> {
  const container = await host.container(name);
  return { container, ip: await host.mustWeave(["attach", container.reference]) };
}
