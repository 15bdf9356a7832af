import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase } from "../../lib/daemon/database.ts";
import { SettingsStore } from "../../lib/daemon/settings-store.ts";

const folder = mkdtempSync(join(tmpdir(), "weave-store-"));

afterAll(() => rmSync(folder, { recursive: true }));

describe("the router's state", () => {
  test("is there again after it was closed", () => {
    const path = join(folder, "weave.db");
    const first = openDatabase(path);
    const settings = new SettingsStore(first);
    settings.saveSetting("peer-name", "::1");
    settings.saveSetting("peer-name", "::2");
    settings.saveTargets(["old"]);
    settings.saveTargets(["host2", "10.0.0.3:6783"]);
    settings.saveExposure({ cidr: "10.32.0.1/12", masquerade: true });
    settings.saveExposure({ cidr: "10.32.0.1/12", masquerade: false });
    settings.saveName({ fqdn: "Web.weave.local.", ident: "weave:extern", address: "10.0.0.9" });
    settings.saveName({ fqdn: "db.weave.local.", ident: "weave:extern", address: "10.0.0.9" });
    settings.removeNames({ fqdn: "web.weave.local." });
    const place = { namespace: "4026532208 boot", path: "/run/netns/c1" };
    const container = { ident: "netns:c1", ...place, cidrs: ["10.32.0.2/12"], multicast: true };
    settings.saveAttachment(container);
    settings.saveAttachment({ ...container, cidrs: ["10.32.0.2/12", "10.2.0.2/24"] });
    settings.saveAttachment({ ...container, ident: "netns:c2" });
    settings.removeAttachment("netns:c2");
    const taken = { ident: "netns:c1", ...place };
    settings.saveDetachment({ ...taken, namespace: "4026532207 boot" });
    settings.saveDetachment(taken);
    settings.saveDetachment({ ...taken, ident: "netns:c2" });
    settings.removeDetachment("netns:c2");
    const network = { id: "n1", driver: "weavemesh", subnet: "10.50.0.0/16" };
    settings.saveNetwork({ ...network, multicast: true, isolated: false });
    settings.saveNetwork({ ...network, multicast: false, isolated: true });
    settings.saveNetwork({ ...network, id: "n2", multicast: true, isolated: true });
    settings.removeNetwork("n2");
    settings.saveEndpoint({ id: "e1", network: "n1", address: "10.50.0.2/16" });
    settings.saveEndpoint({ id: "e2", network: "n1", address: "" });
    settings.removeEndpoint("e2");
    const cni = { container: "ab12", interface: "eth0", network: "weave", port: "vethweplab12" };
    const routes = [{ dst: "10.32.0.1/32" }, { dst: "0.0.0.0/0", gw: "10.32.0.1" }];
    const made = { ...cni, ...place, cidr: "10.32.0.3/12", routes, mtu: 1300, hairpin: false };
    settings.saveCniInterface(made);
    settings.saveCniInterface({ ...made, interface: "eth1", routes: [], hairpin: true });
    settings.saveCniInterface({ ...made, container: "cd34" });
    settings.removeCniInterface("cd34", "eth0");
    first.close();

    const second = openDatabase(path);
    const reread = new SettingsStore(second);
    expect(reread.setting("peer-name")).toBe("::2");
    expect(reread.setting("never")).toBeUndefined();
    expect(reread.targets()).toEqual(["host2", "10.0.0.3:6783"]);
    expect(reread.exposures()).toEqual([{ cidr: "10.32.0.1/12", masquerade: false }]);
    expect(reread.attachments()).toEqual([
      { ...container, cidrs: ["10.32.0.2/12", "10.2.0.2/24"] },
    ]);
    expect(reread.detachments()).toEqual([taken]);
    expect(reread.networks()).toEqual([{ ...network, multicast: false, isolated: true }]);
    expect(reread.endpoints()).toEqual([{ id: "e1", network: "n1", address: "10.50.0.2/16" }]);
    expect(reread.cniInterfaces()).toEqual([
      made,
      { ...made, interface: "eth1", routes: [], hairpin: true },
    ]);
    expect(reread.names()).toEqual([
      { fqdn: "db.weave.local.", ident: "weave:extern", address: "10.0.0.9" },
    ]);
    second.close();
  });

  test("that is no database says what to do", () => {
    const path = join(folder, "garbage.db");
    writeFileSync(path, "this is not a database".repeat(100));
    expect(() => openDatabase(path)).toThrow("cannot open the router's state");
  });

  test("of a newer weave is left alone", () => {
    const path = join(folder, "newer.db");
    const database = openDatabase(path);
    database.run("PRAGMA user_version = 99");
    database.close();
    expect(() => openDatabase(path)).toThrow("newer weave");
  });
});
