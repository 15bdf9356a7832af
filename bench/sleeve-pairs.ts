import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Host, Lab } from "../test/hosts/lab.ts";
import { eventually, must } from "../test/hosts/shell.ts";
import { referenceBinary } from "../test/interop/reference-router.ts";
import { type Kind, type Router, routerOn } from "../test/interop/routers.ts";
import type { Candidate, Pair } from "./overlay-pair.ts";

/**
 * Pairs of containers with routers in between, ours or the original's, directly linked or over a
 * third host:
 *
 *   from ─ [ host 1 ]════[ host 2 ] ─ to            from ─ [ host 1 ]════[ host 2 ]════[ host 3 ] ─ to
 */
export interface SleevePlan {
  readonly name: string;
  /** Whose router runs on each host, from the one that sends to the one that receives. */
  readonly kinds: readonly Kind[];
  readonly encrypted?: boolean;
  /** Hosts, directly linked, reach each other by IPv6. */
  readonly ipv6?: boolean;
  /** Options of our routers. */
  readonly flags?: readonly string[];
}

const password = "a password for the benchmark";

/** The candidate of a plan; `undefined` when it needs a router of the original, and there is none. */
export function sleevePair(plan: SleevePlan): Candidate | undefined {
  if (referenceBinary === undefined && plan.kinds.includes("original")) return undefined;
  return { name: plan.name, open: (stack, prefix) => open(stack, prefix, plan) };
}

async function open(
  stack: AsyncDisposableStack,
  prefix: string,
  { name, kinds, encrypted = false, ipv6 = false, flags = [] }: SleevePlan,
): Promise<Pair> {
  useBuild();
  const isRelayed = kinds.length > 2;
  const lab = stack.use(
    await (isRelayed ? Lab.inLine(prefix, kinds.length) : Lab.onSwitch(prefix, kinds.length)),
  );
  if (ipv6) for (const host of lab.hosts) await addIpv6(host);
  const routers: Router[] = [];
  for (const [at, kind] of kinds.entries()) {
    const router = stack.use(routerOn(lab.hosts[at]!, kind));
    const first = ipv6 ? "fd77::1" : lab.hosts[0]!.ip;
    const previous = isRelayed ? `192.168.${at}.1` : first;
    await router.start({
      peers: at === 0 ? [] : [previous],
      flags: kind === "ours" ? flags : [],
      ...(encrypted ? { password } : {}),
    });
    routers.push(router);
  }
  const from = await routers[0]!.container("from");
  const to = await routers.at(-1)!.container("to");
  await from.container.pings(to.ip, 30_000);
  const pids = await Promise.all(routers.map(routerPid));
  return { name, from: from.container, to: to.container, address: to.ip, routers: pids };
}

async function addIpv6({ namespace, number }: Host): Promise<void> {
  const address = ["addr", "add", `fd77::${number}/64`, "dev", "eth0", "nodad"];
  await must(["ip", "-n", namespace, ...address]);
}

/** What is compared is the executable as it is shipped. */
export function useBuild(): void {
  const executable = join(import.meta.dir, "../dist/weave");
  if (process.env.WEAVE_BINARY === undefined && !existsSync(executable)) {
    throw new Error("no dist/weave: run 'bun run build' first");
  }
  process.env.WEAVE_BINARY ??= executable;
}

/** The original is the child of the process that holds its process ids, and the last to start. */
async function routerPid({ kind, host }: Router): Promise<number> {
  if (kind === "ours") return await host.routerPid();
  return Math.max(...(await pidsIn(host)));
}

async function pidsIn(host: Host): Promise<number[]> {
  const text = await eventually(
    `processes of ${host.namespace}`,
    () => must(["ip", "netns", "pids", host.namespace]),
    (pids) => pids.trim() !== "",
  );
  return text.trim().split("\n").map(Number);
}
