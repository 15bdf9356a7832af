import { existsSync } from "node:fs";
import { parseCidr } from "../../base/ip.ts";
import { type Diagnosis, diagnose } from "../../diagnosis/doctor/diagnosis.ts";
import type { DatapathFacts, SetupFacts } from "../../diagnosis/facts.ts";
import { type Attachment, listAttachments } from "../../host/attachments.ts";
import { findLink } from "../../host/netlink/link.ts";
import { openRoute } from "../../host/netlink/open.ts";
import { datapathBackends } from "../datapath-backends.ts";
import { launchOptions } from "../launch-validation.ts";
import type { Paths } from "../paths.ts";
import { runningRouter } from "../pid-file.ts";
import { rememberedNames } from "../remove-traces.ts";
import { gatherContainers } from "./container-facts.ts";
import { gatherHost } from "./host-facts.ts";

/** `weave doctor` without a router that answers: this host alone, as a launch would find it. */
export async function examineHost(paths: Paths): Promise<Diagnosis> {
  const setup = expectedSetup(paths);
  return diagnose({
    setup,
    host: await gatherHost(setup, possibleDatapaths(setup)),
    containers: await gatherContainers(attachmentsOf(setup.bridge), []),
    seenMacs: new Set(),
  });
}

/** As `weave launch` without options would have it, with the devices of the last run. */
function expectedSetup(paths: Paths): SetupFacts {
  const hasState = existsSync(paths.database);
  const defaults = launchOptions(
    { peers: [], enabled: () => false, text: () => undefined },
    { hostname: "" },
  );
  const isSilent = runningRouter(paths.pidFile) !== undefined;
  return {
    ...{ isRunning: false, hasState, isSilent },
    port: defaults.port,
    ...{ bridge: defaults.weaveBridge, datapath: defaults.datapath, wantsFastdp: defaults.fastdp },
    ...rememberedNames(paths),
    range: defaults.ipalloc && parseCidr(defaults.ipalloc.range),
  };
}

/** Trying one makes and removes devices: not behind the back of a router that uses them. */
function possibleDatapaths({ isSilent }: SetupFacts): DatapathFacts {
  const refusals = new Map<string, string>();
  if (!isSilent) {
    for (const backend of datapathBackends) {
      const refusal = backend.refusal();
      if (refusal === undefined) return { backend: undefined, refusals: new Map() };
      refusals.set(backend.name, refusal);
    }
  }
  return { backend: undefined, refusals };
}

function attachmentsOf(bridge: string): Attachment[] {
  using netlink = openRoute();
  const isThere = findLink(netlink, { name: bridge })?.kind === "bridge";
  return isThere ? listAttachments(netlink, bridge) : [];
}
