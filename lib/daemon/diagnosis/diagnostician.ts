import { parseCidr } from "../../base/ip.ts";
import { type Diagnosis, diagnose } from "../../diagnosis/doctor/diagnosis.ts";
import type { DatapathFacts, Facts, SetupFacts } from "../../diagnosis/facts.ts";
import type { ControlPlane } from "../../peer/control-plane.ts";
import type { Containers } from "../containers.ts";
import type { LaunchOptions } from "../launch-options.ts";
import { gatherCluster } from "./cluster-facts.ts";
import { gatherContainers } from "./container-facts.ts";
import { gatherHost } from "./host-facts.ts";

export interface DiagnosticianParts {
  readonly options: LaunchOptions;
  readonly plane: ControlPlane;
  readonly containers: Pick<Containers, "onBridge">;
  datapath(): DatapathFacts;
  /** MAC addresses from which frames came, and whose they are. */
  macs(): Promise<readonly { readonly mac: string }[]>;
}

/** Answers `weave doctor` in a running router: gathers facts, and lets pure rooms judge them. */
export class Diagnostician {
  readonly #parts: DiagnosticianParts;

  constructor(parts: DiagnosticianParts) {
    this.#parts = parts;
  }

  async doctor(): Promise<Diagnosis> {
    return diagnose(await this.#facts());
  }

  async #facts(): Promise<Facts> {
    const { plane, containers, options } = this.#parts;
    const setup = runningSetup(options);
    const host = await gatherHost(setup, this.#parts.datapath());
    const attached = containers.onBridge();
    const held = plane.ipam?.allocator.list() ?? [];
    const seen = await this.#parts.macs();
    return {
      setup,
      host,
      cluster: gatherCluster(plane),
      containers: await gatherContainers(attached, held),
      seenMacs: new Set(seen.map(({ mac }) => mac)),
    };
  }
}

function runningSetup(options: LaunchOptions): SetupFacts {
  const { port, weaveBridge, datapath, ipalloc } = options;
  return {
    ...{ isRunning: true, hasState: true, isSilent: false },
    ...{ port, bridge: weaveBridge, datapath },
    range: ipalloc && parseCidr(ipalloc.range),
  };
}
