import { describe, expect, test } from "bun:test";
import { WeaveError } from "../../../lib/base/errors.ts";
import { parseIpv4Cidr } from "../../../lib/base/ip.ts";
import { silentLog } from "../../../lib/base/world.ts";
import type { EngineNetwork, NewEngineNetwork } from "../../../lib/docker/engine-models.ts";
import { DefaultNetwork } from "../../../lib/docker/plugin/default-network.ts";

class FakeEngine {
  found: EngineNetwork | undefined;
  readonly created: NewEngineNetwork[] = [];
  removed = 0;
  failure: Error | undefined;

  async network() {
    if (this.failure !== undefined) throw this.failure;
    return this.found;
  }

  async createNetwork(wanted: NewEngineNetwork) {
    this.created.push(wanted);
    this.found = networkOf(wanted.driver);
    return this.found.id;
  }

  async removeNetwork() {
    this.removed++;
    this.found = undefined;
    return true;
  }
}

function networkOf(driver: string, containers: EngineNetwork["containers"] = []): EngineNetwork {
  const id = "ab".repeat(32);
  return { id, name: "weave", driver, scope: "local", options: {}, subnets: [], containers };
}

function both() {
  const engine = new FakeEngine();
  const subnet = parseIpv4Cidr("10.32.0.0/12");
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (line: string) => void warnings.push(line) };
  const network = new DefaultNetwork({ engine, driver: "weavemesh", subnet, log });
  return { engine, network, warnings };
}

describe("the default network", () => {
  test("is made once, in the cluster's default subnet, with multicast", async () => {
    const { engine, network } = both();
    await network.ensure();
    await network.ensure();
    expect(engine.created).toEqual([
      {
        ...{ name: "weave", driver: "weavemesh" },
        ipam: { driver: "weavemesh", subnet: "10.32.0.0/12" },
        options: { "works.weave.multicast": "true" },
      },
    ]);
  });

  test("is made again when it was removed while nobody looked", async () => {
    const { engine, network } = both();
    await network.ensure();
    engine.found = undefined;
    network.doubt();
    await network.ensure();
    expect(engine.created).toHaveLength(2);
  });

  test("leaves another's of that name alone, and says so, once", async () => {
    const { engine, network, warnings } = both();
    engine.found = networkOf("bridge");
    await network.ensure();
    await network.ensure();
    expect(network.trouble).toBe("a network weave of driver bridge is there already");
    expect(warnings).toEqual([`[plugin] ${network.trouble}`]);
    expect(await network.remove()).toEqual([]);
    expect([engine.created.length, engine.removed]).toEqual([0, 0]);
    engine.found = undefined;
    await network.ensure();
    expect(network.trouble).toBeUndefined();
  });

  test("is made anew for another default subnet, once nobody is connected to it", async () => {
    const { engine, network } = both();
    const former = { subnets: ["10.2.0.0/16"] };
    engine.found = { ...networkOf("weavemesh", [{ id: "c1", name: "web" }]), ...former };
    await network.ensure();
    expect(network.trouble).toBe(
      "network weave has containers and the subnet 10.2.0.0/16, not 10.32.0.0/12",
    );
    engine.found = { ...networkOf("weavemesh"), ...former };
    await network.ensure();
    expect([engine.removed, engine.created.length, network.trouble]).toEqual([1, 1, undefined]);
  });

  test("is tried again when the engine failed", async () => {
    const { engine, network } = both();
    engine.failure = new WeaveError("ENGINE_REFUSED", "not now");
    await network.ensure();
    expect(network.trouble).toBe("network weave cannot be made: not now");
    engine.failure = undefined;
    await network.ensure();
    expect(engine.created).toHaveLength(1);
  });

  test("is removed, or says who holds it", async () => {
    const { engine, network } = both();
    engine.found = networkOf("weavemesh", [{ id: "c1", name: "web" }]);
    expect(await network.remove()).toEqual([{ id: "c1", name: "web" }]);
    expect(engine.removed).toBe(0);
    engine.found = networkOf("weavemesh");
    expect(await network.remove()).toEqual([]);
    expect(engine.removed).toBe(1);
  });
});
