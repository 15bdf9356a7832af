import { Reflector } from "../../../lib/kubernetes/list-watch.ts";
import { nodes } from "../../../lib/kubernetes/resources.ts";
import { SimWorld } from "../../../lib/simulator/world.ts";
import { VirtualClock } from "../../sim/virtual-clock.ts";
import { FakeCluster } from "../fake-cluster.ts";
import { MemoryApi } from "../memory-api.ts";
import { settled } from "./settled.ts";

/** The nodes of a cluster in memory, as an agent follows them, on a virtual clock. */
export class FollowedNodes {
  readonly clock = new VirtualClock();
  readonly world = new SimWorld(this.clock, 1);
  readonly cluster = new FakeCluster();
  readonly api = new MemoryApi(this.cluster);
  readonly nodes = new Reflector(this.world, this.api, nodes);

  async pass(ms: number): Promise<void> {
    await settled();
    this.clock.run(ms);
    await settled();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.nodes.stop();
  }
}
