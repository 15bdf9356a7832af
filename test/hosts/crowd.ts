import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Host } from "./lab.ts";
import { must } from "./shell.ts";

/** Many containers of one host: namespaces that last as long as the lab. */
export class Crowd {
  readonly host: Host;
  readonly namespaces: readonly string[];

  private constructor(host: Host, namespaces: readonly string[]) {
    this.host = host;
    this.namespaces = namespaces;
  }

  static async of(host: Host, count: number): Promise<Crowd> {
    const namespaces = Array.from({ length: count }, (_, at) => `${host.lab.prefix}-crowd${at}`);
    const add = namespaces.map((name) => `ip netns add ${name}`).join(" && ");
    await must(["sh", "-c", add], { waitMs: 60_000 });
    return new Crowd(host, namespaces);
  }

  /** Asks the router for all of them at once, as `weave attach` and `weave detach` do. */
  async all(what: "attach" | "detach"): Promise<void> {
    const unix = join(this.host.env.WEAVE_RUN_DIR!, "control.sock");
    await Promise.all(
      this.namespaces.map(async (name) => {
        const answer = await fetch(`http://weave/${what}/netns:${name}`, { unix, method: "POST" });
        const said = await answer.text();
        if (!answer.ok) throw new Error(`${what} ${name}: ${answer.status} ${said}`);
      }),
    );
  }
}

/** What a process holds open of the kernel: sockets, namespaces, files. */
export function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Memory that a process has to itself, in MB. */
export function residentMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return (Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024) / 1e6;
}
