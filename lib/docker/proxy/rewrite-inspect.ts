import { JsonObject } from "./json-text.ts";

/** A container's interface here. */
export interface ShownInterface {
  readonly mac: string;
  /** Without prefix. */
  readonly address: string;
  /** Bits. */
  readonly prefix: number;
}

/**
 * What the engine says of a container, with its address here in the place of the one on the
 * engine's default bridge (docker.md §5.4). Engines from API 1.52 on have those fields no more, and
 * clients get them all the same.
 *
 * @throws WeaveError `JSON_SYNTAX`, `JSON_TYPE`
 */
export function rewriteInspect(text: string, { mac, address, prefix }: ShownInterface): string {
  const container = JsonObject.parse(text);
  const settings = container
    .object("NetworkSettings")
    .with("MacAddress", mac)
    .with("IPAddress", address)
    .with("IPPrefixLen", prefix);
  return String(container.with("NetworkSettings", settings));
}
