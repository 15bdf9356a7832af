#!/usr/bin/env bun
import { podCommand } from "../lib/cli/kube-words.ts";
import { localRouter, runRouterChild } from "../lib/cli/local-router.ts";
import { processSurroundings } from "../lib/cli/process-surroundings.ts";
import { run } from "../lib/cli/run.ts";
import { pluginNamed } from "../lib/cni/plugin-name.ts";

/**
 * The one executable. The name by which it is called, or else its first word, decides what it is:
 *
 *   weave-net, weave-ipam   plugins of CNI, also as `weave cni-plugin <name>`
 *
 *   weave router      the router behind `weave launch`, which starts it so
 *   weave plugin-v2   the router as a plugin that Docker starts and keeps
 *   weave kube        the router as the network of a node of Kubernetes, also as `launch.sh`, `init.sh`
 *                     and `kube-utils`, which are what its pods called once
 *   weave <command>   the command line
 */
const words = process.argv.slice(2);
process.exitCode = await ended(words);

async function ended([role, ...rest]: readonly string[]): Promise<number> {
  const plugin = pluginNamed(role === "cni-plugin" ? (rest[0] ?? "") : process.argv0);
  if (plugin !== undefined) {
    const { runCniProcess } = await import("../lib/cli/cni-process.ts");
    return runCniProcess(plugin, process.env);
  }
  if (role === "router") return runRouterChild(rest, process.env);
  const inPod = podCommand(process.argv0, words);
  if (inPod !== undefined) {
    const { runInPod } = await import("../lib/cli/kube-process.ts");
    return runInPod(inPod, process.env);
  }
  if (role === "plugin-v2") {
    const { runManagedPlugin } = await import("../lib/cli/managed-plugin.ts");
    return runManagedPlugin(process.env);
  }
  return run(words, processSurroundings(localRouter(process.env)));
}
