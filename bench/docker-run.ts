import { dockerShell, proxyOf } from "../test/engines/docker-shell.ts";
import type { EngineHost } from "../test/engines/engine-host.ts";
import { EngineLab } from "../test/engines/engine-lab.ts";
import { inTurn, shown } from "./measure.ts";

/**
 * What it costs that containers are made through the proxy, and attached before their command runs;
 * in turn with the engine alone, which attaches them to its own bridge only:
 *
 *   bun run build && WEAVE_BINARY=dist/weave bun run bench docker-run
 */
const rounds = 20;
const megabytes = 200;
const copies = 3;

export async function benchDockerRun(): Promise<void> {
  for (const engine of ["20.10", "28"] as const) {
    await using lab = await EngineLab.start("wbd", { engine });
    const { host } = lab;
    await host.launch();
    const runs = await inTurn(
      {
        engine: () => milliseconds(() => runTrue(host, {})),
        proxy: () => milliseconds(() => runTrue(host, { DOCKER_HOST: proxyOf(host) })),
      },
      rounds,
    );
    console.log(`engine ${engine}: docker run --rm bb true, ${rounds} of each, ms`);
    console.log(`  by the engine    ${shown(runs.engine, 0)}`);
    console.log(`  through the proxy ${shown(runs.proxy, 0)}`);
    const input = `head -c ${megabytes}M /dev/zero | docker run -i --rm bb sh -c 'cat >/dev/null'`;
    const streams = await inTurn(
      {
        engine: () => milliseconds(() => dockerShell(host, input)),
        proxy: () => milliseconds(() => dockerShell(host, input, proxyOf(host))),
      },
      copies,
    );
    console.log(
      `engine ${engine}: docker run -i with ${megabytes} MB of input, ${copies} of each, ms`,
    );
    console.log(`  by the engine     ${shown(streams.engine, 0)}`);
    console.log(`  through the proxy ${shown(streams.proxy, 0)}`);
  }
}

function runTrue(host: EngineHost, env: Record<string, string>): Promise<string> {
  return host.mustDocker(["run", "--rm", "bb", "true"], { env });
}

async function milliseconds(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}
