#!/usr/bin/env bun
import { localRouter, runRouterChild } from "../lib/cli/local-router.ts";
import { processSurroundings } from "../lib/cli/process-surroundings.ts";
import { run } from "../lib/cli/run.ts";

/**
 * The one executable. Its first word decides what it is:
 *
 *   weave router      the router behind `weave launch`, which starts it so
 *   weave plugin-v2   the router as a plugin that Docker starts and keeps
 *   weave <command>   the command line
 */
const words = process.argv.slice(2);
process.exitCode = await ended(words);

async function ended([role, ...rest]: readonly string[]): Promise<number> {
  if (role === "router") return runRouterChild(rest, process.env);
  if (role === "plugin-v2") {
    const { runManagedPlugin } = await import("../lib/cli/managed-plugin.ts");
    return runManagedPlugin(process.env);
  }
  return run(words, processSurroundings(localRouter(process.env)));
}
