import { existsSync } from "node:fs";
import * as v from "valibot";
import { splitHostPort } from "../../base/endpoint.ts";
import { type Cidr, type Ipv4Cidr, parseIp } from "../../base/ip.ts";
import { type PeerName, parsePeerName } from "../../base/peer-name.ts";
import { addressesOf } from "../../host/attach.ts";
import { type Attachment, listAttachments } from "../../host/attachments.ts";
import { defaultDeviceNames } from "../../host/device-names.ts";
import type { Netlink } from "../../host/netlink/conversation.ts";
import { listLinks } from "../../host/netlink/link.ts";
import { openRoute } from "../../host/netlink/open.ts";
import { namespaceOfProcess } from "../../host/netns.ts";
import { detectWiring } from "../../host/wiring.ts";
import { readOriginalDatabase } from "../original-import.ts";
import type { Paths } from "../paths.ts";
import type { StoredName } from "../settings-store.ts";
import type {
  AdoptionFacts,
  EngineProgram,
  FoundContainer,
  OldDatabase,
  OldRouter,
  ProgramEngine,
} from "./facts.ts";
import type { OldSettings } from "./settings.ts";

/** Containers that releases before 2.0 started beside the router. */
const companionNames = ["weaveproxy", "weaveplugin"];

/** Where the first program of a container that the proxy has made lies. */
const waitingProgram = "/w/w";

const answerWaitMs = 5_000;

/**
 * Looks at all that there is to be taken over from a router.
 *
 * @throws WeaveError `WIRING_INCONSISTENT`, `IMPORT_UNREADABLE`, `ENGINE_…`
 */
export async function examineOldRouter(
  router: OldRouter,
  settings: OldSettings,
  engine: ProgramEngine | undefined,
  paths: Paths,
): Promise<AdoptionFacts> {
  const { weaveBridge: bridge, datapath, httpAddress } = settings.options;
  const companions = await Promise.all(companionNames.map((name) => engine?.describe(name)));
  const programs = (await engine?.running()) ?? [];
  using netlink = openRoute();
  const links = listLinks(netlink);
  const link = links.find(({ name, kind }) => name === bridge && kind === "bridge");
  const bridgeName = link && parsePeerName(link.mac);
  return {
    router,
    database: readOldDatabase(router, settings),
    wiring: detectWiring(links, { ...defaultDeviceNames, bridge, datapath }),
    bridgeName,
    exposed: link === undefined ? [] : ipv4Only(addressesOf(netlink, link.index)),
    containers: link === undefined ? [] : containersOn(netlink, bridge, programs),
    names: await askNames(httpAddress, bridgeName),
    companions: companions.filter((each) => each !== undefined),
    hasOwnState: existsSync(paths.database),
  };
}

/** Anew, as it is once the old router does not write any more. @throws WeaveError */
export function readOldDatabase(router: OldRouter, settings: OldSettings): OldDatabase | undefined {
  const path = router.files.locate(settings.database);
  if (path === undefined || !existsSync(path)) return undefined;
  return { path, content: readOriginalDatabase(path) };
}

function containersOn(
  netlink: Netlink,
  bridge: string,
  programs: readonly EngineProgram[],
): FoundContainer[] {
  const byNamespace = new Map(programs.map((each) => [namespaceOfProcess(each.pid), each]));
  return listAttachments(netlink, bridge).map((attachment) => {
    const program =
      attachment.namespace === undefined ? undefined : byNamespace.get(attachment.namespace);
    return found(attachment, program);
  });
}

function found(attachment: Attachment, program: EngineProgram | undefined): FoundContainer {
  const ident = program?.id ?? attachment.ident;
  return {
    port: attachment.hostInterface,
    ident,
    addresses: ipv4Only(attachment.addresses),
    isOfProxy: program?.command[0] === waitingProgram,
  };
}

function ipv4Only(cidrs: readonly Cidr[]): Ipv4Cidr[] {
  return cidrs.flatMap(({ address, prefix }) =>
    address.family === 4 ? [{ address: address.value, prefix }] : [],
  );
}

const namesSchema = v.nullable(
  v.array(
    v.object({
      ContainerID: v.string(),
      Origin: v.number(),
      Addr: v.string(),
      Hostname: v.string(),
      Tombstone: v.number(),
    }),
  ),
);

/** The names that this peer itself has registered; `undefined` when nobody answers. */
async function askNames(
  httpAddress: string,
  own: PeerName | undefined,
): Promise<StoredName[] | undefined> {
  const at = splitHostPort(httpAddress);
  if (at?.port === undefined) return undefined;
  const host = at.host === "0.0.0.0" ? "127.0.0.1" : at.host;
  try {
    const response = await fetch(`http://${host}:${at.port}/name`, {
      headers: { Accept: "application/json" },
      signal: AbortSignal.timeout(answerWaitMs),
    });
    if (!response.ok) return undefined;
    const entries = v.parse(namesSchema, await response.json()) ?? [];
    return entries
      .filter(({ Origin, Tombstone }) => Origin === own && Tombstone === 0)
      .map(({ ContainerID, Addr, Hostname }) => {
        parseIp(Addr);
        return { fqdn: Hostname, ident: ContainerID, address: Addr };
      });
  } catch {
    // It does not run, or has no name server.
    return undefined;
  }
}
