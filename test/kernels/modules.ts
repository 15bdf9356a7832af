import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The order in which modules go into a kernel. `modules.dep` has a line for each module with what it
 * needs, farthest last:
 *
 *   kernel/net/bridge/br_netfilter.ko: kernel/net/bridge/bridge.ko kernel/net/802/stp.ko …
 *
 * @param folder where `modules.dep` lies
 * @param names e.g. `vport-vxlan`; those built into the kernel are left out
 * @returns absolute paths, each once
 */
export function modulesInOrder(folder: string, names: readonly string[]): string[] {
  const needs = new Map<string, string[]>();
  for (const line of readFileSync(join(folder, "modules.dep"), "utf8").split("\n")) {
    const [path = "", rest = ""] = line.split(":");
    const name = path
      .split("/")
      .at(-1)!
      .replace(/\.ko.*$/, "");
    const needed = rest.split(" ").filter((each) => each !== "");
    needs.set(name.replaceAll("-", "_"), [...needed.reverse(), path]);
  }
  const wanted = names.flatMap((name) => needs.get(name.replaceAll("-", "_")) ?? []);
  return [...new Set(wanted)].map((path) => join(folder, path));
}
