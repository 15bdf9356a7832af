import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { run } from "../hosts/shell.ts";
import { modulesInOrder } from "./modules.ts";
import { kernelFiles } from "./packages.ts";

/** What every guest has; `GuestOptions.modules` adds to it. */
const commonModules = [
  ...["veth", "bridge", "br_netfilter", "tun", "nf_tables", "nft_compat"],
  ...["sch_ingress", "cls_flower", "act_gact"],
];

/** Kernel with Open vSwitch and its VXLAN ports. */
export const openvswitchModules = ["openvswitch", "vxlan", "vport-vxlan", "8021q"];

/** IPsec with the cipher that peers use between each other. */
export const espModules = [
  ...["xfrm_user", "esp4", "gcm", "ctr", "ghash-generic", "aes_generic", "seqiv", "echainiv"],
];

/** What lets frames be marked at a device, and lost there by their length. */
export const filterModules = ["cls_matchall", "act_skbedit", "cls_u32"];

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

const here = resolve(import.meta.dir);

/**
 * Boots a kernel of its own, runs `command` in it as root and powers it off. The guest sees the
 * machine's files, read-only, and has network devices of its own only. Nothing is left afterwards,
 * also when it is cut off.
 *
 * @throws Error when there is no such kernel on this machine and it cannot be fetched
 */
export async function runInGuest(
  command: readonly string[],
  options: GuestOptions = {},
): Promise<GuestOutcome> {
  const kernel = await kernelFiles();
  const job = mkdtempSync(join(tmpdir(), "weave-guest-"));
  try {
    const modules = modulesInOrder(kernel.modules, [...commonModules, ...(options.modules ?? [])]);
    writeFileSync(join(job, "modules"), modules.map((path) => `${path}\n`).join(""));
    writeFileSync(join(job, "command"), commandText(command, options.env ?? {}));
    const boot = [
      ...["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"],
      ...["sh", "-c", bootScript(kernel.root, job, options.memoryMegabytes ?? 1024)],
    ];
    const { stdout, stderr } = await run(boot, { waitMs: options.waitMs ?? 120_000 });
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
  const exports = Object.entries(settings).map(([name, value]) => `export ${name}=${quote(value)}`);
  return `${[...exports, `cd ${quote(resolve(here, "../.."))}`, command.map(quote).join(" ")].join("\n")}\n`;
}

/**
 * The kernel runs as a process whose root folder holds little more than itself; below `host` it finds
 * what becomes the guest's root.
 */
function bootScript(root: string, job: string, memoryMegabytes: number): string {
  const kernel = [
    ...["/bin/linux.uml", `mem=${memoryMegabytes}M`, "uml_dir=/tmp/uml", "umid=guest"],
    ...["rootfstype=hostfs", "rootflags=/host", "ro", `init=${here}/guest.sh`, `job=${job}`],
    ...["con=null", "con0=fd:0,fd:1", "ssl=null", "quiet"],
  ];
  return [
    "set -e",
    `mount -t proc proc ${quote(root)}/proc`,
    `mount --rbind /dev ${quote(root)}/dev`,
    `mount -t tmpfs tmpfs ${quote(root)}/tmp`,
    `mount --rbind / ${quote(root)}/host`,
    `exec chroot ${quote(root)} ${kernel.map(quote).join(" ")} </dev/null 2>&1`,
  ].join("\n");
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
