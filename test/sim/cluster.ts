import type { ControlPlaneOptions } from "../../lib/peer/control-plane.ts";
import { SimCluster as Cluster } from "../../lib/simulator/cluster.ts";

export type { SimPeer } from "../../lib/simulator/cluster.ts";

/** A cluster whose peers all run with the same options. */
export class SimCluster extends Cluster {
  constructor(seed: number, control: Partial<ControlPlaneOptions> = {}) {
    super(seed, { control });
  }
}
