import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseIp } from "../../lib/base/ip.ts";
import { openDatabase } from "../../lib/daemon/database.ts";
import { NameService } from "../../lib/daemon/name-service.ts";
import { SettingsStore } from "../../lib/daemon/settings-store.ts";
import { NameTable } from "../../lib/dns/name-table.ts";
import { simName } from "../sim/mesh-peer.ts";
import { loneWorld } from "../sim/world.ts";

const folder = mkdtempSync(join(tmpdir(), "weave-names-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** One run of a router, whose state is in `file`. */
function run(file: string, action: (names: NameService) => void): void {
  const database = openDatabase(join(folder, file));
  const options = { self: simName(1), domain: "weave.local.", isKnownPeer: () => true };
  const table = new NameTable(loneWorld().world, options);
  const names = new NameService(table, new SettingsStore(database));
  names.restore((ident) => ident !== "dead");
  action(names);
  table.stop();
  database.close();
}

function live(names: NameService): string[] {
  return names
    .entries()
    .filter(({ tombstone }) => tombstone === 0)
    .map(({ hostname, containerId }) => `${hostname} ${containerId}`);
}

test("names are there after a restart, except those of who went and those that were removed", () => {
  run("restart.db", (names) => {
    for (const ident of ["c1", "c2", "dead"]) {
      names.add("web.weave.local", ident, parseIp("10.2.1.1"));
    }
    names.add("db.weave.local", "c1", parseIp("10.2.1.1"));
    names.remove({ ident: "c2" });
    names.remove({ fqdn: "DB.weave.local.", address: parseIp("10.2.1.1") });
    expect(live(names)).toEqual(["web.weave.local. c1", "web.weave.local. dead"]);
  });
  run("restart.db", (names) => expect(live(names)).toEqual(["web.weave.local. c1"]));
});

test("a name outside the domain is neither registered nor remembered", () => {
  run("outside.db", (names) => {
    expect(names.add("web.example.com", "c1", parseIp("10.2.1.1"))).toBe(false);
  });
  run("outside.db", (names) => expect(names.entries()).toEqual([]));
});

test("names are looked up in short and in full", () => {
  run("lookup.db", (names) => {
    expect(names.domain).toBe("weave.local.");
    names.add("web.weave.local", "c1", parseIp("10.2.1.1"));
    names.add("web.weave.local", "c2", parseIp("10.2.1.1"));
    for (const name of ["web", "web.", "WEB.weave.local", "web.weave.local."]) {
      expect(names.lookup(name)).toEqual(["10.2.1.1"]);
    }
    expect(names.lookup("db")).toEqual([]);
  });
});

test("a name outside the domain is told from one that lacks it", () => {
  run("outside.db", (names) => {
    expect(names.add("web", "c1", parseIp("10.32.0.1"))).toBe(false);
    expect(names.outsideReason("web")).toBe(
      "the name is not in the domain weave.local.; write web.weave.local",
    );
    expect(names.outsideReason("web.example.com")).toBe(
      "the name is not in the domain weave.local.",
    );
  });
});
