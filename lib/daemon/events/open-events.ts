import type { World } from "../../base/world.ts";
import type { LaunchOptions } from "../launch-options.ts";
import type { Paths } from "../paths.ts";
import type { Shutdown } from "../shutdown.ts";
import { EventFile } from "./event-file.ts";
import { EventJournal } from "./event-journal.ts";
import { EventOutlets } from "./event-outlets.ts";

/** What has happened on this host, before this run too, and where else it is told from now on. */
export function openEvents(
  world: World,
  { paths, options }: { readonly paths: Paths; readonly options: Pick<LaunchOptions, "events"> },
  shutdown: Shutdown,
): { readonly events: EventJournal; readonly outlets: EventOutlets } {
  const file = new EventFile(paths.events, world.log);
  shutdown.push("events", () => file[Symbol.dispose]());
  const events = new EventJournal(world, file);
  const outlets = new EventOutlets(world, options.events);
  events.follow(outlets.take);
  shutdown.push("event outlets", () => outlets.stop());
  return { events, outlets };
}
