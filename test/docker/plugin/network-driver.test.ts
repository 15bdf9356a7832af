import { describe, expect, test } from "bun:test";
import { ask, FakeDocker } from "./fake-docker.ts";

const network = "ab".repeat(32);
const endpoint = "cd".repeat(32);
const ids = { NetworkID: network, EndpointID: endpoint };
const at = (MacAddress = "") => ({
  Interface: { Address: "10.50.0.2/16", AddressIPv6: "", MacAddress },
});
const made = (options: Record<string, string>, subnet = "10.50.0.0/16") => ({
  NetworkID: network,
  Options: { "com.docker.network.generic": options },
  IPv4Data: [{ AddressSpace: "weavelocal", Pool: subnet, Gateway: subnet }],
  IPv6Data: null,
});
const multicast = [{ Destination: "224.0.0.0/4", RouteType: 1 }];

describe("a network of Docker", () => {
  test("has multicast routed into it by its option, and else not", async () => {
    const cases: ReadonlyArray<readonly [Record<string, string>, unknown]> = [
      [{}, undefined],
      [{ "works.weave.multicast": "true" }, multicast],
      [{ "works.weave.multicast": "T" }, multicast],
      [{ "works.weave.multicast": "" }, multicast],
      [{ "works.weave.multicast": "false" }, undefined],
      [{ "works.weave.other": "1", "com.example": "x" }, undefined],
    ];
    for (const [options, routes] of cases) {
      const methods = new FakeDocker().restart();
      await ask(methods, "NetworkDriver.CreateNetwork", made(options));
      const joined = await ask(methods, "NetworkDriver.Join", ids);
      expect(joined.StaticRoutes).toEqual(routes);
      expect(joined.InterfaceName).toEqual({ SrcName: "vethwgcdcdcdcdc", DstPrefix: "ethwe" });
      expect(joined).not.toHaveProperty("Gateway");
    }
  });

  test("is refused with an option that says neither yes nor no, and with IPv6", async () => {
    const methods = new FakeDocker().restart();
    const wrong = ask(
      methods,
      "NetworkDriver.CreateNetwork",
      made({ "works.weave.multicast": "?" }),
    );
    await expect(wrong).rejects.toThrow(
      'unrecognized value "?" for option "works.weave.multicast"',
    );
    const six = { ...made({}), IPv6Data: [{ Pool: "fd00::/64" }] };
    await expect(ask(methods, "NetworkDriver.CreateNetwork", six)).rejects.toThrow("IPv4 only");
  });

  test("keeps its containers within a subnet of its own, unless told not to", async () => {
    const cases: ReadonlyArray<readonly [Record<string, string>, string, boolean]> = [
      [{}, "10.50.0.0/16", true],
      [{ "works.weave.isolated": "false" }, "10.50.0.0/16", false],
      [{}, "10.32.0.0/12", false],
      [{ "works.weave.isolated": "true" }, "10.32.0.0/12", true],
    ];
    for (const [options, subnet, isKept] of cases) {
      const docker = new FakeDocker();
      const methods = docker.restart();
      await ask(methods, "NetworkDriver.CreateNetwork", made(options, subnet));
      await ask(methods, "NetworkDriver.CreateEndpoint", { ...ids, ...at() });
      expect(docker.ports.get(endpoint)?.within !== undefined).toBe(isKept);
    }
  });

  test("is known to a router that was killed, and gone when Docker removed it", async () => {
    const docker = new FakeDocker();
    await ask(
      docker.restart(),
      "NetworkDriver.CreateNetwork",
      made({ "works.weave.multicast": "1" }),
    );
    expect(await ask(docker.restart(), "NetworkDriver.Join", ids)).toHaveProperty("StaticRoutes");
    await ask(docker.restart(), "NetworkDriver.DeleteNetwork", ids);
    await expect(ask(docker.restart(), "NetworkDriver.Join", ids)).rejects.toThrow(
      "is not one of weave",
    );
  });

  test("that nobody told of is asked about, once", async () => {
    const docker = new FakeDocker();
    const methods = docker.restart();
    const driver = { id: network, driver: "weavemesh", subnet: "10.50.0.0/16" };
    docker.known.set(network, { ...driver, multicast: true, isolated: true });
    expect(await ask(methods, "NetworkDriver.Join", ids)).toHaveProperty("StaticRoutes");
    docker.known.clear();
    expect(await ask(methods, "NetworkDriver.Join", ids)).toHaveProperty("StaticRoutes");
  });

  test("of a swarm has its options given back by its manager", async () => {
    const Options = { "works.weave.multicast": "true" };
    const request = { NetworkID: network, Options, IPv4Data: [], IPv6Data: null };
    const methods = new FakeDocker().restart();
    expect(await ask(methods, "NetworkDriver.AllocateNetwork", request)).toEqual({ Options });
    expect(await ask(methods, "NetworkDriver.FreeNetwork", { NetworkID: network })).toEqual({});
  });
});

describe("an endpoint", () => {
  test("tells its MAC address, unless Docker has asked for one, which it then has", async () => {
    const docker = new FakeDocker();
    const methods = docker.restart();
    await ask(methods, "NetworkDriver.CreateNetwork", made({}));
    const own = await ask(methods, "NetworkDriver.CreateEndpoint", { ...ids, ...at() });
    expect(own).toEqual({ Interface: { MacAddress: "8a:00:00:00:00:01" } });
    const wanted = { ...ids, ...at("02:42:0A:21:00:09") };
    expect(await ask(methods, "NetworkDriver.CreateEndpoint", wanted)).toEqual({ Interface: {} });
    expect(docker.ports.get(endpoint)?.mac?.toHex()).toBe("02420a210009");
    const bad = { ...ids, ...at("02:42") };
    await expect(ask(methods, "NetworkDriver.CreateEndpoint", bad)).rejects.toThrow(
      "no MAC address",
    );
  });

  test("needs an interface, a network and a proper id", async () => {
    const methods = new FakeDocker().restart();
    await ask(methods, "NetworkDriver.CreateNetwork", made({}));
    const create = (request: object) => ask(methods, "NetworkDriver.CreateEndpoint", request);
    await expect(create({ ...ids, Interface: null })).rejects.toThrow("without interface");
    await expect(create({ ...ids, NetworkID: "ee".repeat(32), ...at() })).rejects.toThrow(
      "not one of",
    );
    await expect(create({ ...ids, EndpointID: "../../x", ...at() })).rejects.toThrow("EndpointID");
    await expect(create({ Interface: {} })).rejects.toThrow("NetworkID");
  });

  test("is announced when it joins, and its end never fails, whatever is there", async () => {
    const docker = new FakeDocker();
    const methods = docker.restart();
    await ask(methods, "NetworkDriver.CreateNetwork", made({}));
    await ask(methods, "NetworkDriver.CreateEndpoint", { ...ids, ...at() });
    await ask(methods, "NetworkDriver.Join", ids);
    expect(await ask(methods, "NetworkDriver.EndpointOperInfo", ids)).toEqual({ Value: {} });
    expect(await ask(methods, "NetworkDriver.Leave", ids)).toEqual({});
    docker.failure = new Error("the kernel objects");
    expect(await ask(methods, "NetworkDriver.DeleteEndpoint", ids)).toEqual({});
    expect(await ask(methods, "NetworkDriver.DeleteEndpoint", ids)).toEqual({});
    expect(docker.deeds).toEqual([
      `join ${endpoint}`,
      "moved",
      "moved",
      `gone ${endpoint} 10.50.0.2/16`,
    ]);
  });
});

describe("what a plugin has nothing to do for", () => {
  test("is answered with nothing", async () => {
    const methods = new FakeDocker().restart();
    for (const name of [
      ...["DiscoverNew", "DiscoverDelete"],
      ...["ProgramExternalConnectivity", "RevokeExternalConnectivity"],
    ]) {
      expect(await ask(methods, `NetworkDriver.${name}`, { DiscoveryType: 1 })).toEqual({});
    }
  });
});
