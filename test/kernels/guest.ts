import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { shellWord } from "../../lib/diagnosis/shell-words.ts";
import { run } from "../hosts/shell.ts";
import { modulesInOrder } from "./modules.ts";

/** What every guest has; `GuestOptions.modules` adds to it. */
const commonModules = [
  ...["veth", "bridge", "br_netfilter", "tun", "nf_tables", "nft_compat"],
  ...["sch_ingress", "cls_flower", "act_gact"],
];

/** Kernel with Open vSwitch and its VXLAN ports. */
export const openvswitchModules = ["openvswitch", "vxlan", "vport-vxlan", "8021q"];

/** IPsec with the cipher that peers use between each other, and the random numbers it begins with. */
export const espModules = [
  ...["aes_generic", "ctr", "hmac", "sha512_generic", "jitterentropy_rng", "drbg", "ghash-generic"],
  ...["gcm", "seqiv", "echainiv", "xfrm_user", "esp4"],
];

/** What lets frames be marked at a device, and lost there by their length. */
export const filterModules = ["cls_matchall", "act_skbedit", "cls_u32"];

/** What `iptables` of either kind needs for rules of a router. */
export const iptablesModules = [
  ...["iptable_filter", "iptable_nat", "ip6table_filter", "ip6table_nat"],
  ...["xt_tcpudp", "xt_conntrack", "xt_MASQUERADE"],
];

/** What policies need of either packet filter, and pods that speak SCTP. */
export const policyModules = [
  ...["iptable_mangle", "ip6table_mangle", "xt_conntrack", "xt_set", "xt_multiport", "xt_limit"],
  ...["xt_NFLOG", "xt_bpf", "xt_comment", "xt_tcpudp", "nfnetlink_log", "nft_log", "nft_limit"],
  ...["ip_set_hash_ip", "ip_set_hash_ipport", "ip_set_hash_net", "nft_nat", "sctp"],
];

/** A kernel and a way to boot it. */
export interface GuestKernel {
  readonly name: string;
  /** To load before all others. */
  readonly modules: readonly string[];
  /** The kernel, fetched if it is not there yet. @throws Error saying what is missing */
  fetch(): Promise<KernelFiles>;
  /** The program that boots it and ends when it is powered off; its output is the console's. */
  command(files: KernelFiles, boot: Boot): readonly string[] | Promise<readonly string[]>;
}

export interface KernelFiles {
  readonly folder: string;
  /** Holds `modules.dep` and what it names. */
  readonly modules: string;
}

export interface Boot {
  /** A folder for this run, with what `guest.sh` wants to find in it. */
  readonly job: string;
  readonly memoryMegabytes: number;
}

export interface GuestOptions {
  /** Modules to load besides the common ones, those they need included. */
  readonly modules?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** From boot to power-off. */
  readonly waitMs?: number;
  readonly memoryMegabytes?: number;
}

export interface GuestOutcome {
  /** How the command ended; `undefined` when the guest was cut off before. */
  readonly code: number | undefined;
  /** Standard output and error of the command, and words of the kernel, as on a console. */
  readonly output: string;
}

/**
 * Boots a kernel of its own, runs `command` in it as root and powers it off. The guest sees the
 * machine's files, read-only, and has network devices of its own only. Nothing is left afterwards,
 * also when it is cut off.
 *
 * @throws Error when there is no such kernel on this machine and it cannot be fetched
 */
export async function runInGuest(
  kernel: GuestKernel,
  command: readonly string[],
  options: GuestOptions = {},
): Promise<GuestOutcome> {
  const files = await kernel.fetch();
  const job = mkdtempSync(join(tmpdir(), "weave-guest-"));
  try {
    const names = [...kernel.modules, ...commonModules, ...(options.modules ?? [])];
    const modules = modulesInOrder(files.modules, names);
    writeFileSync(join(job, "modules"), modules.map((path) => `${path}\n`).join(""));
    writeFileSync(join(job, "command"), commandText(command, options.env ?? {}));
    const { memoryMegabytes = 1024, waitMs = 120_000 } = options;
    const boot = await kernel.command(files, { job, memoryMegabytes });
    const { stdout, stderr } = await run(boot, { waitMs });
    const console = (stdout + stderr).replaceAll("\r", "");
    const end = /^guest ended with (\d+)$/m.exec(console);
    return {
      code: end === null ? undefined : Number(end[1]),
      output: end === null ? console : console.slice(0, end.index),
    };
  } finally {
    rmSync(job, { recursive: true, force: true });
  }
}

function commandText(command: readonly string[], env: Readonly<Record<string, string>>): string {
  const settings = { PATH: process.env.PATH ?? "", NO_COLOR: "1", ...env };
  const exports = Object.entries(settings).map(
    ([name, value]) => `export ${name}=${shellWord(value)}`,
  );
  const checkout = resolve(import.meta.dir, "../..");
  return `${[...exports, `cd ${shellWord(checkout)}`, command.map(shellWord).join(" ")].join("\n")}\n`;
}
