import type { OverlayEngine } from "./engine.ts";

/**
 * Stands for a network that carries frames between hosts without our help, such as a cloud's own
 * routing (`awsvpc`): peers agree that nothing is to be done, and the link is established at once.
 */
export function noOverlay(name: string): OverlayEngine {
  return {
    name,
    prepare: (_parameters, events) => ({
      confirm: () => events.established(),
      control() {},
      stop() {},
      attributes: () => ({}),
    }),
  };
}
