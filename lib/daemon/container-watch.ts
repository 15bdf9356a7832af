import { every, type World } from "../base/world.ts";
import { isContainerAlive } from "../host/container.ts";

/** How often the router looks whether its containers are still there. */
const lookPeriodMs = 5_000;

/**
 * Notices containers that went without `weave detach`: a namespace that was deleted, a process that
 * ended. Containers of an engine are its own to report.
 *
 * @param idents everybody who holds an address or a name
 * @param gone called once for each that is not there any more
 */
export function watchContainers(
  world: Pick<World, "after">,
  idents: () => Iterable<string>,
  gone: (ident: string) => void,
): () => void {
  return every(world, lookPeriodMs, () => {
    for (const ident of new Set(idents())) if (isContainerAlive(ident) === false) gone(ident);
  });
}
