import type { Hono } from "hono";
import { controlApp, metricsApp, statusApp } from "../api/app.ts";
import { listen } from "../api/listen.ts";
import type { Page } from "../api/page-app.ts";
import type { Log, World } from "../base/world.ts";
import type { LaunchOptions } from "./launch-options.ts";
import { LocalControl, type LocalControlParts } from "./local-control.ts";
import { LoopLag } from "./metrics/loop-lag.ts";
import { PageService } from "./page/page-service.ts";
import type { Paths } from "./paths.ts";
import { requestContext } from "./request-context.ts";
import type { Shutdown } from "./shutdown.ts";

export interface ControlOptions {
  readonly options: LaunchOptions;
  readonly paths: Paths;
  readonly log: Log;
  /** What browsers of this host get to see. */
  readonly page: () => Promise<Page>;
  /** Starts a process that takes this one's place; see `succession.ts`. */
  readonly succeed: () => Promise<number>;
}

/**
 * The router as the control API sees it, and the addresses at which that answers.
 *
 * @throws WeaveError `API_LISTEN`
 */
export function openControl(
  { options, paths, log, page: document, succeed }: ControlOptions,
  shutdown: Shutdown,
  {
    world,
    ...parts
  }: Omit<LocalControlParts, "options" | "succeed" | "page" | "lag"> & {
    readonly world: World;
  },
): LocalControl {
  const page = new PageService({ world, document, router: () => control });
  const lag = new LoopLag(world);
  shutdown.push("measuring", () => lag.stop());
  const control: LocalControl = new LocalControl({ options, succeed, page, lag, ...parts });
  shutdown.push("page", () => page.close());
  const open = (address: string, app: Hono, isPublic: boolean): void => {
    if (address === "") return;
    const listener = listen(app, address, { isPublic });
    shutdown.push(`API at ${address}`, () => listener.close());
  };
  for (const address of [paths.socket, options.httpAddress]) {
    const transport = address.startsWith("/") ? "unix" : "tcp";
    open(address, controlApp(control, log, requestContext(transport, parts.tracing.tracer)), false);
  }
  open(options.statusAddress, statusApp(control, log), true);
  open(options.metricsAddress, metricsApp(control, log), true);
  return control;
}
