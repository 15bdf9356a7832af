import type { Outcome } from "../hosts/shell.ts";
import { eventually } from "../hosts/shell.ts";
import type { EngineHost } from "./engine-host.ts";

/** Words of `docker run` that put a command behind the wait helper, as the proxy does it. */
export function behindHelper(host: EngineHost, variant: "w" | "w-nomcast" = "w"): string[] {
  return ["-v", `${host.env.WEAVE_STATE_DIR}/${variant}:/w:ro`, "--entrypoint", "/w/w"];
}

/** Runs a command behind the wait helper to its end. */
export function runAttached(
  host: EngineHost,
  words: readonly string[],
  command: readonly string[],
): Promise<Outcome> {
  return host.docker(["run", "--rm", ...behindHelper(host), ...words, "bb", ...command]);
}

/** A container behind the wait helper that goes on until it is stopped; gives its full id. */
export function startAttached(host: EngineHost, words: readonly string[]): Promise<string> {
  // A first process with a handler ends when it is asked to.
  const command = ["sh", "-c", "trap 'exit 0' TERM; echo runs; sleep 100000 & wait"];
  return host.mustDocker(["run", "-d", ...behindHelper(host), ...words, "bb", ...command]);
}

/** Waits until the container's own command runs. @throws Error with what `status` says, when not */
export async function commandRuns(host: EngineHost, name: string, waitMs?: number): Promise<void> {
  await eventually(
    `the command of ${name}`,
    async () => {
      const file = await host.docker(["exec", name, "readlink", "/proc/1/exe"]);
      return { ...file, status: file.code === 0 ? "" : (await host.weave(["status"])).stdout };
    },
    ({ stdout }) => stdout.trim() === "/bin/busybox",
    waitMs,
  );
}

/** What the container sees as its addresses on the overlay. */
export async function addressesInside(host: EngineHost, name: string): Promise<string[]> {
  const shown = await host.mustDocker(["exec", name, "ip", "-4", "-o", "addr", "show", "ethwe"]);
  return shown.split("\n").map((line) => / inet (\S+) /.exec(line)![1]!);
}

/** How many addresses are held at this host, as the allocator has it. */
export async function addressesHeld(host: EngineHost): Promise<number> {
  return Number(await host.mustWeave(["report", "-f", "{{.IPAM.ActiveIPs}}"]));
}
