import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Host } from "../../hosts/lab.ts";
import { must } from "../../hosts/shell.ts";
import { type Router, routerOn, type StartOptions } from "../../interop/routers.ts";

/**
 * A router of the original on a kernel with openvswitch and without a packet filter for IP: it does with
 * a program that keeps rules and applies none. Of those it needs one, by which what it encrypts gets
 * the mark of its policy; an action at the VXLAN device does that here.
 */
export class GuestOriginal {
  readonly router: Router;
  readonly #folder: string;

  /** @param fastdp whether it uses openvswitch, or sleeve alone */
  constructor(host: Host, fastdp = true) {
    this.#folder = join(host.lab.folder, `filter${host.number}`);
    mkdirSync(this.#folder);
    copyFileSync(resolve(import.meta.dir, "iptables.sh"), join(this.#folder, "iptables"));
    const env = { PATH: `${this.#folder}:${process.env.PATH}` };
    this.router = routerOn(host, "original", { fastdp, env });
  }

  async start(options: StartOptions): Promise<void> {
    await this.router.start(options);
    if (options.password !== undefined) await this.#markVxlan();
  }

  async #markVxlan(): Promise<void> {
    const tc = ["tc", "-n", this.router.host.namespace];
    const device = ["dev", "vxlan-6784"];
    const mark = ["action", "skbedit", "mark", "0x20000/0x20000"];
    await must([...tc, "qdisc", "add", ...device, "clsact"]);
    await must([...tc, "filter", "add", ...device, "egress", "matchall", ...mark]);
  }

  /** Rules that it has made and not removed: table, chain and what `iptables -A` was told. */
  rules(): string[] {
    const text = readFileSync(join(this.#folder, "rules"), "utf8");
    return text.split("\n").filter((line) => line !== "" && !line.split(" ")[1]!.startsWith(":"));
  }
}
