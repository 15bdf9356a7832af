import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { buildExecutable } from "../../build/build.ts";
import { imageName, packImage } from "../../build/image.ts";
import { eventually, type Outcome } from "../hosts/shell.ts";
import type { ClusterLab } from "./cluster-lab.ts";
import type { ClusterNode } from "./cluster-node.ts";

const manifest = resolve(import.meta.dir, "../../deploy/kubernetes/weave.yaml");

/** What the manifest calls its objects. */
export const addon = { namespace: "kube-system", name: "weave-net" } as const;

/** Our image as an archive, of `WEAVE_BINARY` or of the checkout. */
export async function weaveImage(folder: string, name = imageName()): Promise<string> {
  const built = process.env.WEAVE_BINARY ?? (await buildExecutable(join(folder, "weave"))).path;
  const archive = join(folder, `${name.replaceAll(/[^\w.]/g, "-")}.tar`);
  packImage(built, archive, name);
  return archive;
}

/** Gives all nodes our image and the cluster our manifest, as an operator does; waits for neither. */
export async function installAddon(lab: ClusterLab, words: readonly string[] = []): Promise<void> {
  await lab.addImage(await weaveImage(lab.folder));
  await lab.plane.apply(manifestText(words));
}

/** @param words more options of the router, e.g. `--policy-filter=iptables` */
export function manifestText(words: readonly string[] = []): string {
  const text = readFileSync(manifest, "utf8");
  if (words.length === 0) return text;
  const command = "command: [/usr/local/bin/weave, kube]";
  if (!text.includes(command)) throw new Error(`the manifest has no ${command}`);
  return text.replace(command, `command: [/usr/local/bin/weave, kube, run, ${words.join(", ")}]`);
}

/** Runs `weave` in the pod of a node, which may be about to start. */
export async function weaveOn(
  lab: ClusterLab,
  node: ClusterNode,
  args: readonly string[],
): Promise<Outcome> {
  const pod = await podOf(lab, node);
  const inPod = ["exec", "-n", addon.namespace, pod, "-c", "weave", "--"];
  return lab.plane.kubectl([...inPod, "weave", ...args]);
}

/** The pod that runs on a node. */
export async function podOf(lab: ClusterLab, node: ClusterNode): Promise<string> {
  const on = ["-l", `name=${addon.name}`, "--field-selector", `spec.nodeName=${node.name}`];
  const words = ["get", "pods", "-n", addon.namespace, ...on, "-o"];
  const names = "jsonpath={.items[*].metadata.name}";
  return (await lab.plane.mustKubectl([...words, names])).split(" ")[0]!;
}

/** Waits until all pods of the addon are those of its latest manifest, and ready. */
export async function rolledOut(lab: ClusterLab, waitMs = 180_000): Promise<void> {
  const words = ["rollout", "status", "-n", addon.namespace, `daemonset/${addon.name}`];
  await lab.plane.mustKubectl([...words, `--timeout=${waitMs / 1000}s`], { waitMs: waitMs + 5000 });
}

/** Waits until a router has connections to so many others. */
export async function connected(lab: ClusterLab, node: ClusterNode, count: number): Promise<void> {
  await eventually(
    `${count} connections of ${node.name}`,
    () => weaveOn(lab, node, ["status", "connections"]),
    ({ stdout }) =>
      stdout.split("\n").filter((line) => / established /.test(line)).length === count,
    90_000,
  );
}

/** The address of a node's bridge, which is its own on the overlay. */
export async function bridgeAddress(node: ClusterNode): Promise<string> {
  const shown = await node.mustExec(["ip", "-4", "-o", "addr", "show", "dev", "weave"]);
  return / inet ([\d.]+)\//.exec(shown)![1]!;
}
