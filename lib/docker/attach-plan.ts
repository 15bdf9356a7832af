import type { AttachHow } from "../daemon/containers.ts";
import type { EngineContainer } from "./engine-models.ts";
import { isWrapped, waitHelperTarget } from "./wait-helper/mount.ts";
import { weaveCidrDecision } from "./weave-cidr.ts";

/** How the containers of an engine are attached, unless they say otherwise. */
export interface AttachDefaults {
  /** Those that do not ask for an address get one. */
  readonly byDefault: boolean;
  readonly multicastRoute: boolean;
  readonly rewriteHosts: boolean;
  /** Their names are registered. */
  readonly dns: boolean;
  /** The variant of the wait helper that does not wait for a route. */
  readonly noMulticastDir: string;
}

export type AttachPlan =
  /** Its command does not wait for us. */
  | { readonly kind: "none" }
  | { readonly kind: "left alone"; readonly reason: string }
  | { readonly kind: "attach"; readonly how: AttachHow };

/** What is to be done about a container that runs (docker.md §6). */
export function attachPlan(container: EngineContainer, defaults: AttachDefaults): AttachPlan {
  if (!isWrapped(container.entrypoint)) return { kind: "none" };
  const decision = weaveCidrDecision(container, defaults);
  if (!decision.attach) return { kind: "left alone", reason: decision.reason };
  return {
    kind: "attach",
    how: {
      addresses: decision.addresses,
      multicastRoute: defaults.multicastRoute || waitsForRoute(container, defaults),
      withoutDns: !defaults.dns,
      hosts: defaults.rewriteHosts ? { added: container.extraHosts, required: false } : undefined,
    },
  };
}

/** A container that was made when multicast was to be routed waits for that ever after. */
function waitsForRoute({ mounts }: EngineContainer, { noMulticastDir }: AttachDefaults): boolean {
  return mounts.some(
    ({ target, source }) => target === waitHelperTarget && source !== noMulticastDir,
  );
}
