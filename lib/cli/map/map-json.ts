import type { JsonFields } from "../json-documents.ts";
import type { MapLink, NetworkMap } from "./map-graph.ts";

/** What `weave map --json` prints. */
export function mapFields({ islands, missing, problems }: NetworkMap): JsonFields<"map"> {
  return {
    hosts: islands.flatMap(({ hosts }, island) =>
      hosts.map(({ name, nickname, isSelf, isReached, via, containers }) => ({
        ...{ name, nickname, self: isSelf, reached: isReached, island },
        ...(via !== undefined && { via }),
        containers: containers.map(({ id, name: called, names, addresses }) => ({
          ...{ id, name: called, names, addresses },
        })),
      })),
    ),
    links: islands.flatMap(({ links }) => links.map(linkFields)),
    missing,
    problems,
  };
}

function linkFields(link: MapLink) {
  const { from, to, state, overlay, isEncrypted, roundTripMs, mtu, differences } = link;
  return {
    ...{ from, to, state },
    ...(overlay !== "" && { overlay }),
    ...(isEncrypted !== undefined && { encrypted: isEncrypted }),
    ...(roundTripMs !== undefined && { roundTripMs }),
    ...(mtu !== undefined && { mtu }),
    ...(differences.length > 0 && { differences: differences.map((each) => ({ ...each })) }),
  };
}
