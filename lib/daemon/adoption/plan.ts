import { WeaveError } from "../../base/errors.ts";
import { formatIpv4, formatIpv4Cidr, type Ipv4, parseIp } from "../../base/ip.ts";
import { formatPeerName, type PeerName, parsePeerName } from "../../base/peer-name.ts";
import type { HeldAddress } from "../../ipam/held-addresses.ts";
import type { LaunchOptions } from "../launch-options.ts";
import { exposeIdent, externIdent } from "../name-service.ts";
import type { StoredName } from "../settings-store.ts";
import type { SnapshotAllocations, SnapshotState } from "../snapshot.ts";
import type { AdoptionFacts } from "./facts.ts";
import type { OldSettings } from "./settings.ts";

/** How a host is taken over from a router of Weave Net 2.x. */
export interface AdoptionPlan {
  readonly facts: AdoptionFacts;
  readonly settings: OldSettings;
  /** What ours is launched with; the password is in it. */
  readonly options: LaunchOptions;
  /** What ours is to remember from its first moment on. */
  readonly state: SnapshotState;
  /** What there is of the old router that ours does not have: a clause each. */
  readonly notTaken: readonly string[];
}

/** Settings without which the network would not be what it was. */
const essential: ReadonlyMap<string, string> = new Map([
  ["awsvpc", "frames go by the route tables of AWS"],
  ["expect-npc", "packets pass its network policy controller"],
]);

/** @throws WeaveError `ADOPT_STATE`, `ADOPT_POD`, `ADOPT_WIRING`, `ADOPT_SETTING` */
export function planAdoption(facts: AdoptionFacts, settings: OldSettings): AdoptionPlan {
  refuseObstacles(facts, settings);
  const { options } = settings;
  return {
    facts,
    settings,
    options: { ...options, peers: [], resume: true, password: facts.router.password },
    state: stateToAdopt(facts, settings),
    notTaken: notTaken(facts, settings),
  };
}

/** What the old router remembers, in the form of ours; containers go by the idents that we use. */
export function stateToAdopt(facts: AdoptionFacts, { options }: OldSettings): SnapshotState {
  const name = nameOf(facts, options);
  const stored = facts.database?.content.allocations;
  const { ipalloc } = options;
  const targets = facts.database?.content.targets ?? [];
  return {
    peerName: name,
    targets: targets.length > 0 ? targets : options.peers,
    exposed: facts.exposed.map((cidr) => ({ cidr: formatIpv4Cidr(cidr), masquerade: true })),
    names: (facts.names ?? []).map((each) => ({ ...each, ident: ownerOfName(each, facts) })),
    allocations:
      stored === undefined || ipalloc === undefined || stored.self !== name
        ? undefined
        : allocationsOf(stored, facts),
  };
}

function nameOf(facts: AdoptionFacts, { name }: LaunchOptions): PeerName | undefined {
  if (name !== undefined) return parsePeerName(name);
  return facts.bridgeName ?? facts.database?.content.allocations?.self;
}

function allocationsOf(
  stored: NonNullable<AdoptionFacts["database"]>["content"]["allocations"] & {},
  facts: AdoptionFacts,
): SnapshotAllocations {
  const idents = identsByAddress(facts);
  const held = stored.held.map((each): HeldAddress => {
    const ident = idents.get(each.cidr.address);
    return ident === undefined || each.ident === exposeIdent
      ? each
      : { ...each, ident, isContainer: true };
  });
  return { owner: stored.self, ring: stored.ring, held };
}

function identsByAddress({ containers }: AdoptionFacts): Map<Ipv4, string> {
  return new Map(
    containers.flatMap(({ ident, addresses }) =>
      ident === "" ? [] : addresses.map(({ address }) => [address, ident] as const),
    ),
  );
}

/** A name of a container has to go with it, so it is kept under the same ident. */
function ownerOfName({ ident, address }: StoredName, facts: AdoptionFacts): string {
  if (ident === exposeIdent || ident === externIdent) return ident;
  const ip = parseIp(address);
  return (ip.family === 4 ? identsByAddress(facts).get(ip.value) : undefined) ?? ident;
}

function refuseObstacles(facts: AdoptionFacts, { leftOut, options }: OldSettings): void {
  if (facts.hasOwnState) {
    throw new WeaveError("ADOPT_STATE", "there is state of a router of this kind already", {
      remedy:
        "to go on with that, stop the old router and run 'weave launch --resume'; to adopt the old " +
        "one, move that state away: weave.db in WEAVE_STATE_DIR (default /var/lib/weave)",
    });
  }
  if (facts.router.isPod) {
    throw new WeaveError("ADOPT_POD", "Kubernetes keeps the old router running", {
      remedy: "this version has no CNI plugin, which its pods would need",
    });
  }
  if (facts.wiring === "fastdp") {
    throw new WeaveError("ADOPT_WIRING", "containers are plugged into the datapath itself", {
      remedy:
        "reset the old router ('weave reset' of its script) and attach the containers to ours anew",
    });
  }
  for (const { flag } of leftOut) {
    const why = essential.get(flag.replace(/^-+/, ""));
    if (why !== undefined) throw cannotReplace(flag, why);
  }
  if (options.plugin?.managed === true) {
    throw cannotReplace("--plugin-v2", "Docker runs it as a managed plugin");
  }
}

function cannotReplace(flag: string, why: string): WeaveError {
  return new WeaveError("ADOPT_SETTING", `the old router runs with ${flag}: ${why}`, {
    remedy: "this version cannot replace it",
  });
}

function notTaken(facts: AdoptionFacts, settings: OldSettings): string[] {
  const { database, names, containers } = facts;
  const without: string[] = settings.leftOut.map(({ flag, why }) => `${flag}: ${why}`);
  const name = nameOf(facts, settings.options);
  const self = database?.content.allocations?.self;
  if (database === undefined) {
    without.push("its ranges: there is no data file; addresses on the bridge are claimed anew");
  } else if (self !== undefined && name !== undefined && self !== name) {
    without.push(
      `its ranges: ${settings.database} is that of ${formatPeerName(self)}; addresses on the bridge ` +
        "are claimed anew",
    );
  }
  if (names === undefined && settings.options.dns !== undefined) {
    without.push("names: its control API does not tell them");
  }
  // Where an engine is asked, they are attached when they are started again, as they were.
  const unheard = settings.options.dockerApi === "" ? containers : [];
  for (const { ident } of unheard.filter(({ isOfProxy }) => isOfProxy)) {
    without.push(
      `the start of container ${ident.slice(0, 12)}, which its proxy has made: started again it ` +
        "waits until 'weave attach' gives it its interface",
    );
  }
  return without;
}

/** Addresses of containers and of the bridge, which the new router has to hold afterwards. */
export function addressesInUse({ facts }: Pick<AdoptionPlan, "facts">): string[] {
  return [...facts.exposed, ...facts.containers.flatMap(({ addresses }) => addresses)].map(
    ({ address }) => formatIpv4(address),
  );
}
