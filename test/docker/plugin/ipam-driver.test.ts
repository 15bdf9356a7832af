import { describe, expect, test } from "bun:test";
import { parseIpv4 } from "../../../lib/base/ip.ts";
import { ipamDriver } from "../../../lib/docker/plugin/ipam-driver.ts";
import { AllocatorAddresses } from "../../../lib/docker/plugin/plugin-addresses.ts";
import { Alone } from "../../api/test-router.ts";
import { SimCluster } from "../../sim/cluster.ts";
import { ask, FakeDocker } from "./fake-docker.ts";

const pool = "weave-10.32.0.0/12-10.33.1.0/24";
const request = (Address: string, PoolID = pool, Options: object | null = null) => ({
  ...{ PoolID, Address, Options },
});
const gateway = { RequestAddressType: "com.docker.network.gateway" };

describe("a pool", () => {
  const methods = new FakeDocker().restart();
  const ofPool = (Pool: string, SubPool = "", V6 = false) =>
    ask(methods, "IpamDriver.RequestPool", { AddressSpace: "", Pool, SubPool, Options: null, V6 });

  test("is the cluster's default subnet, or that which is asked for", async () => {
    expect(await ofPool("")).toEqual({
      PoolID: "weave-10.32.0.0/12-10.32.0.0/12",
      Pool: "10.32.0.0/12",
      Data: { "com.docker.network.gateway": "10.32.0.0/12" },
    });
    const { PoolID, Pool } = await ofPool("10.50.0.0/16", "10.50.1.0/24");
    expect([PoolID, Pool]).toEqual(["weave-10.50.0.0/16-10.50.1.0/24", "10.50.0.0/16"]);
  });

  test("is refused for IPv6, and for a subnet that is none", async () => {
    await expect(ofPool("fd00::/64", "", true)).rejects.toThrow("networks of weave are IPv4 only");
    await expect(ofPool("10.50.0.1/16")).rejects.toThrow("not all zero");
    await expect(ask(methods, "IpamDriver.RequestAddress", request("", "else"))).rejects.toThrow(
      '"else" is no pool of weave',
    );
  });

  test("is given back without a word, also under the name that it once had", async () => {
    expect(await ask(methods, "IpamDriver.ReleasePool", { PoolID: pool })).toEqual({});
    const { Address } = await ask(methods, "IpamDriver.RequestAddress", request("", "weavepool"));
    expect(Address).toBe("10.32.0.1/12");
  });
});

describe("an address", () => {
  test("comes from the range of the pool, with the length of its subnet", async () => {
    const docker = new FakeDocker();
    const methods = docker.restart();
    const given = await ask(methods, "IpamDriver.RequestAddress", request(""));
    expect(given).toEqual({ Address: "10.33.1.1/12", Data: {} });
    await ask(methods, "IpamDriver.ReleaseAddress", request("10.33.1.1"));
    expect(docker.addresses.held.size).toBe(0);
  });

  test("that is asked for is given, unless a container has it or it is none of the subnet", async () => {
    const docker = new FakeDocker();
    const methods = docker.restart();
    const ask1 = () => ask(methods, "IpamDriver.RequestAddress", request("10.33.0.9"));
    expect(await ask1()).toEqual({ Address: "10.33.0.9/12", Data: {} });
    // Whoever had it is gone, and its engine has said nothing of that.
    expect(await ask1()).toEqual({ Address: "10.33.0.9/12", Data: {} });
    docker.networks.addEndpoint({ id: "e1", network: "n1", address: "10.33.0.9/12" });
    docker.ports.set("e1", { id: "e1" });
    await expect(ask1()).rejects.toThrow("10.33.0.9 is in use by another container");
    const far = ask(methods, "IpamDriver.RequestAddress", request("10.77.0.1"));
    await expect(far).rejects.toThrow("is not in the network's subnet");
  });

  test("of the network itself, which stands for the gateway, is nobody's to give back", async () => {
    const docker = new FakeDocker();
    docker.addresses.held.add(parseIpv4("10.32.0.0"));
    await ask(docker.restart(), "IpamDriver.ReleaseAddress", request("10.32.0.0"));
    expect(docker.addresses.held.size).toBe(1);
  });
});

describe("addresses of the cluster's allocator", () => {
  test("are held under their own text, and never taken from a container that was attached", async () => {
    const { router } = new Alone();
    const { allocator, defaultSubnet } = router.ipam!;
    const addresses = new AllocatorAddresses({ allocator, defaultSubnet });
    const methods = ipamDriver({ addresses, isInUse: () => false });
    const all = "weave-10.32.0.0/16-10.32.0.0/16";
    const attached = { address: parseIpv4("10.32.0.7"), prefix: 16 };
    const how = { isContainer: true, noErrorOnUnknown: false };
    await allocator.claim("c1", attached, how);
    const taken = ask(methods, "IpamDriver.RequestAddress", request("10.32.0.7", all));
    await expect(taken).rejects.toThrow("in use by c1");
    const asGateway = request("10.32.0.7", all, gateway);
    const { Address } = await ask(methods, "IpamDriver.RequestAddress", asGateway);
    expect(Address).toBe("10.32.0.7/16");
    await ask(methods, "IpamDriver.RequestAddress", request("10.32.0.8", all));
    expect(allocator.list().map(({ ident }) => ident)).toEqual(["c1", "10.32.0.8"]);
    for (const each of ["10.32.0.8", "10.32.0.9", "10.32.0.7"]) {
      await ask(methods, "IpamDriver.ReleaseAddress", request(each, all));
    }
    expect(allocator.list().map(({ ident }) => ident)).toEqual(["c1"]);
  });

  test("that the cluster cannot give yet are not waited for without end, and that is said", async () => {
    const cluster = new SimCluster(3);
    const { allocator, defaultSubnet } = cluster.start(1, ["peer2", "peer3"]).plane.ipam!;
    const addresses = new AllocatorAddresses({ allocator, defaultSubnet }, 20);
    const methods = ipamDriver({ addresses, isInUse: () => false });
    const all = request("", "weave-10.32.0.0/16-10.32.0.0/16");
    await expect(ask(methods, "IpamDriver.RequestAddress", all)).rejects.toThrow(
      "no address could be had within 0.02 seconds",
    );
    expect(allocator.status().pendingAllocations).toEqual([]);
  });

  test("are missing where nothing is allocated, which says so", async () => {
    const methods = ipamDriver({ addresses: undefined, isInUse: () => false });
    const wanted = { Pool: "", SubPool: "", V6: false };
    await expect(ask(methods, "IpamDriver.RequestPool", wanted)).rejects.toThrow(
      "allocates no addresses",
    );
  });
});
