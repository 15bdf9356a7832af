import { mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { launchOptions } from "../../lib/daemon/launch-validation.ts";
import { type Host, weaveCommand } from "./lab.ts";
import { eventually } from "./shell.ts";

/**
 * Starts a router that takes ranges after seconds, which no option of `launch` lets operators ask
 * for: the router's process is told on its input what `launch` would tell it.
 */
export async function launchImpatient(
  host: Host,
  reclaimAfterMs: number,
  flags: Record<string, string>,
  peers: readonly string[],
): Promise<void> {
  const own: Record<string, string> = { name: host.peerName, nickname: `host${host.number}` };
  const words = {
    peers,
    enabled: (flag: string) => flag === "no-fastdp",
    text: (flag: string) => ({ ...own, ...flags })[flag],
  };
  const { ipalloc, ...rest } = launchOptions(words, { hostname: `host${host.number}` });
  const options = { ...rest, ipalloc: ipalloc && { ...ipalloc, reclaimAfterMs } };
  const { WEAVE_RUN_DIR: runDir, WEAVE_STATE_DIR: stateDir } = host.env;
  for (const folder of [runDir!, stateDir!]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const log = openSync(join(runDir!, "weave.log"), "a", 0o600);
  const inside = ["nsenter", `--net=/run/netns/${host.namespace}`];
  Bun.spawn([...inside, ...weaveCommand(), "router"], {
    cwd: "/",
    env: { ...process.env, ...host.env },
    stdio: [new Blob([JSON.stringify(options)]), log, log, "pipe", "pipe"],
  });
  await eventually(
    `a router at ${host.namespace}`,
    () => host.weave(["status"]),
    ({ code }) => code === 0,
  );
}
