import { controlApp, metricsApp, statusApp } from "../api/app.ts";
import { listen } from "../api/listen.ts";
import type { Page } from "../api/page-app.ts";
import type { Log, World } from "../base/world.ts";
import type { LaunchOptions } from "./launch-options.ts";
import { LocalControl, type LocalControlParts } from "./local-control.ts";
import { PageService } from "./page/page-service.ts";
import type { Paths } from "./paths.ts";
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
    random,
    ...parts
  }: Omit<LocalControlParts, "options" | "succeed" | "page"> & Pick<World, "random">,
): LocalControl {
  const page = new PageService({ random, log, document, router: () => control });
  const control: LocalControl = new LocalControl({ options, succeed, page, ...parts });
  shutdown.push("page", () => page.close());
  const open = (address: string, app: ReturnType<typeof controlApp>, isPublic: boolean): void => {
    if (address === "") return;
    const listener = listen(app, address, { isPublic });
    shutdown.push(`API at ${address}`, () => listener.close());
  };
  const app = controlApp(control, log);
  open(paths.socket, app, false);
  open(options.httpAddress, app, false);
  open(options.statusAddress, statusApp(control, log), true);
  open(options.metricsAddress, metricsApp(control, log), true);
  return control;
}
