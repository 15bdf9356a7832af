import { type Outcome, run } from "../hosts/shell.ts";
import type { EngineHost } from "./engine-host.ts";

/** Where the router's proxy listens. */
export function proxyOf(host: EngineHost): string {
  return `unix://${host.env.WEAVE_RUN_DIR}/weave.sock`;
}

/**
 * Runs a script in which `docker` is the client of the host's engine, `$docker` the same for other
 * shells, and `$folder` a folder that both see.
 *
 * @param dockerHost as the variable of that name; missing: the engine itself
 */
export function dockerShell(
  host: EngineHost,
  script: string,
  dockerHost?: string,
): Promise<Outcome> {
  const docker = host.command(host.dockerCommand([])).map(quoted).join(" ");
  const folder = quoted(host.folder);
  const outside = quoted(host.outside(host.folder));
  return run(
    ["sh", "-c", `docker() { ${docker} "$@"; }; folder=${folder}; outside=${outside}; ${script}`],
    {
      env: {
        ...(dockerHost !== undefined && { DOCKER_HOST: dockerHost }),
        docker,
        DOCKER_BUILDKIT: "0",
      },
      waitMs: 55_000,
    },
  );
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
