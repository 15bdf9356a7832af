import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseIp } from "../../../lib/base/ip.ts";
import { silentLog } from "../../../lib/base/world.ts";
import { openDatabase } from "../../../lib/daemon/database.ts";
import { NameService } from "../../../lib/daemon/name-service.ts";
import { SettingsStore } from "../../../lib/daemon/settings-store.ts";
import { NameTable } from "../../../lib/dns/name-table.ts";
import { ContainerNames, containerNames } from "../../../lib/docker/plugin/container-names.ts";
import { NetworkTable } from "../../../lib/docker/plugin/network-table.ts";
import { simName } from "../../sim/mesh-peer.ts";
import { loneWorld } from "../../sim/world.ts";
import { someContainer } from "../some-container.ts";
import { MemoryStore } from "./fake-docker.ts";

const at = (ip: string, ...aliases: string[]) => ({ ip, aliases });
const id = "0123456789abcdef".repeat(4);
const named = (hostname: string, domainname = "") => ({ id, hostname, domainname, name: "web" });
const names = (...args: Parameters<typeof containerNames>) =>
  containerNames(...args).map(({ fqdn, address }) => `${fqdn} ${address}`);

describe("a container of Docker's networks", () => {
  test("is known by its own name, and by its host name in the cluster's domain", () => {
    expect(names(named("c1", "weave.local"), [at("10.32.0.2")], "weave.local.")).toEqual([
      "c1.weave.local 10.32.0.2",
      "web.weave.local 10.32.0.2",
    ]);
    // Newer engines leave the whole name in one piece.
    expect(names(named("c1.weave.local"), [at("10.32.0.2")], "weave.local.")).toEqual([
      "c1.weave.local 10.32.0.2",
      "web.weave.local 10.32.0.2",
    ]);
  });

  test("keeps a host name of another domain, or of none, to itself", () => {
    for (const foreign of [named("0123456789ab"), named("c1", "example.org")]) {
      expect(names(foreign, [at("10.32.0.2")], "weave.local.")).toEqual([
        "web.weave.local 10.32.0.2",
      ]);
    }
  });

  test("is known by its aliases of each network, at its address there, and by each once", () => {
    const two = [at("10.32.0.2", "db", "web", id.slice(0, 12)), at("10.50.0.2", "cache")];
    expect(names(named("x"), two, "my.domain.")).toEqual([
      "web.my.domain 10.32.0.2",
      "db.my.domain 10.32.0.2",
      "web.my.domain 10.50.0.2",
      "cache.my.domain 10.50.0.2",
    ]);
  });
});

test("a container that is renamed is known by its new name, and by what is no name of Docker's still", async () => {
  const folder = mkdtempSync(join(tmpdir(), "weave-renamed-"));
  const database = openDatabase(join(folder, "names.db"));
  const options = { self: simName(1), domain: "weave.local.", isKnownPeer: () => true };
  const table = new NameTable(loneWorld().world, options);
  const names = new NameService(table, new SettingsStore(database));
  const networks = new NetworkTable(new MemoryStore());
  const network = { driver: "weavemesh", subnet: "10.32.0.0/12", multicast: true, isolated: false };
  networks.add({ id: "n", ...network });
  const place = { networkId: "n", name: "weave", prefix: 12, mac: "", aliases: [] };
  const called = (name: string) =>
    someContainer({ id, pid: 0, name, hostname: "web", networks: [{ ...place, ip: "10.32.0.2" }] });
  let now = called("web");
  const { promise: moved, resolve } = Promise.withResolvers<void>();
  const containers = new ContainerNames({
    ...{ networks, names, log: silentLog, joined() {} },
    engine: { inspect: async () => now, network: async () => undefined },
    moved: () => now.name === "shop" && resolve(),
  });
  const found = () => ["web", "old", "shop"].map((name) => names.lookup(name).join());
  now = called("old");
  containers.started(now);
  // That of its interface of the proxy's.
  names.add("old.weave.local", id, parseIp("10.40.0.1"));
  expect(found()).toEqual(["10.32.0.2", "10.32.0.2,10.40.0.1", ""]);
  now = called("shop");
  containers.swept([{ id, names: ["shop"], running: true, labels: {} }]);
  await moved;
  expect(found()).toEqual(["10.32.0.2", "10.40.0.1", "10.32.0.2"]);
  table.stop();
  database.close();
  rmSync(folder, { recursive: true });
});
