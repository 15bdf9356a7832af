import { WeaveError } from "../../base/errors.ts";
import { parseCidr } from "../../base/ip.ts";
import { formatPeerName, type PeerName } from "../../base/peer-name.ts";
import { type Diagnosis, diagnose } from "../../diagnosis/doctor/diagnosis.ts";
import type {
  DatapathFacts,
  EngineFact,
  Facts,
  PolicyFacts,
  SetupFacts,
  WaitingFact,
} from "../../diagnosis/facts.ts";
import { explain } from "../../diagnosis/why/explain.ts";
import type { Explanation } from "../../diagnosis/why/explanation.ts";
import type { PolicyVerdict, Question, Word } from "../../diagnosis/why/question.ts";
import { addressesOf, findBridge } from "../../host/attach.ts";
import { listForwarding } from "../../host/netlink/neighbour.ts";
import { openRoute } from "../../host/netlink/open.ts";
import type { ControlPlane } from "../../peer/control-plane.ts";
import type { Containers } from "../containers.ts";
import type { LaunchOptions } from "../launch-options.ts";
import { gatherCluster } from "./cluster-facts.ts";
import { gatherContainers } from "./container-facts.ts";
import { gatherHost } from "./host-facts.ts";

export interface DiagnosticianParts {
  readonly options: LaunchOptions;
  readonly plane: ControlPlane;
  readonly containers: Pick<Containers, "onBridge" | "resolve">;
  datapath(): DatapathFacts;
  waiting(): readonly WaitingFact[];
  /** Missing while all is well with the container engine, and where there is none. */
  engine(): EngineFact | undefined;
  /** Missing while there is nothing to enforce. */
  policy(): PolicyFacts | undefined;
  /** What policies say of a ping; `undefined` where they say nothing. */
  policyVerdict(from: string, to: string): Promise<PolicyVerdict | undefined>;
  /** MAC addresses from which frames came, and at which peer they are. */
  macs(): Promise<readonly SeenMac[]>;
}

interface SeenMac {
  readonly mac: string;
  readonly peer: PeerName;
  readonly lastSeenMs: number;
}

/** Answers `doctor` and `why` in a running router: gathers facts, and lets pure rooms judge them. */
export class Diagnostician {
  readonly #parts: DiagnosticianParts;

  constructor(parts: DiagnosticianParts) {
    this.#parts = parts;
  }

  async doctor(): Promise<Diagnosis> {
    return diagnose(await this.#facts(await this.#parts.macs()));
  }

  async why(from: string, to: string | undefined): Promise<Explanation> {
    const { plane, options } = this.#parts;
    const words = { from: await this.#word(from), to: to && (await this.#word(to)) };
    const macs = await this.#parts.macs();
    const facts = await this.#facts(macs);
    return explain({
      ...{ facts, from: words.from, to: words.to || undefined },
      names: (plane.names?.entries() ?? [])
        .filter(({ tombstone }) => tombstone === 0)
        .map((entry) => ({ ...entry, origin: formatPeerName(entry.origin) })),
      macs: macs.map((each) => ({ ...each, peer: formatPeerName(each.peer) })),
      ranges: (plane.ipam?.allocator.status().ranges ?? []).map(({ token, size, peer }) => ({
        ...{ first: token, size, peer: formatPeerName(peer) },
      })),
      ...bridgeTable(options.weaveBridge, facts),
      policy: to
        ? await this.#parts.policyVerdict(nameOf(words.from), nameOf(words.to))
        : undefined,
    });
  }

  /** A word that nobody takes for a container may still be an address, a peer or a name. */
  async #word(text: string): Promise<Word> {
    try {
      return { text, ident: (await this.#parts.containers.resolve(text)).ident };
    } catch (error) {
      if (/^(netns|pid):/.test(text) || !(error instanceof WeaveError)) throw error;
      return { text, ident: undefined };
    }
  }

  async #facts(seen: readonly SeenMac[]): Promise<Facts> {
    const { plane, containers, options } = this.#parts;
    const setup = runningSetup(options);
    const attached = containers.onBridge();
    const held = plane.ipam?.allocator.list() ?? [];
    const engine = this.#parts.engine();
    const policy = this.#parts.policy();
    return {
      setup,
      host: await gatherHost(setup, this.#parts.datapath()),
      cluster: gatherCluster(plane),
      containers: await gatherContainers(attached, held),
      ...(engine !== undefined && { engine }),
      waiting: this.#parts.waiting(),
      ...(policy !== undefined && { policy }),
      seenMacs: new Set(seen.map(({ mac }) => mac)),
    };
  }
}

function nameOf(word: Word | "" | undefined): string {
  return word ? (word.ident ?? word.text) : "";
}

function runningSetup(options: LaunchOptions): SetupFacts {
  const { port, weaveBridge, datapath, ipalloc, fastdp } = options;
  return {
    ...{ isRunning: true, hasState: true, isSilent: false },
    ...{ port, bridge: weaveBridge, datapath, wantsFastdp: fastdp },
    range: ipalloc && parseCidr(ipalloc.range),
  };
}

/** Behind which port of the bridge MAC addresses are, and the bridge's own addresses. */
function bridgeTable(
  name: string,
  { host: { devices } }: Facts,
): Pick<Question, "forwarding" | "exposed"> {
  using netlink = openRoute();
  const { index } = findBridge(netlink, name);
  const nameOf = (port: number) => devices.find((each) => each.index === port)?.name ?? `${port}`;
  return {
    forwarding: listForwarding(netlink)
      .filter(({ bridge }) => bridge === index)
      .map(({ mac, interfaceIndex }) => ({ mac, port: nameOf(interfaceIndex) })),
    exposed: addressesOf(netlink, index),
  };
}
