import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../../lib/base/world.ts";
import { SqliteAllocatorStore } from "../../../lib/daemon/allocator-store.ts";
import { openDatabase } from "../../../lib/daemon/database.ts";
import { type Paths, pathsFrom } from "../../../lib/daemon/paths.ts";
import { SettingsStore } from "../../../lib/daemon/settings-store.ts";
import {
  type MayGoOn,
  rememberListed,
  settleNodeState,
  storedPeerName,
} from "../../../lib/kubernetes/agent/node-state.ts";

const sample = new URL("../../vectors/ipam/persistence-sample-data.db", import.meta.url).pathname;
const samplePeer = "7a:9f:eb:b6:0c:6e";

let folder = "";
let paths: Paths;
let formerDatabase = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "weave-node-"));
  paths = pathsFrom({ WEAVE_STATE_DIR: folder, WEAVE_RUN_DIR: folder });
  formerDatabase = join(folder, "weave-netdata.db");
  mkdirSync(join(folder, "root/etc"), { recursive: true });
  writeFileSync(join(folder, "root/etc/machine-id"), "one machine\n");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A start of the node, of which others say that it may go on or not. */
async function start(isListed: boolean) {
  const asked: string[] = [];
  const mayGoOn: MayGoOn = async ({ peerName, listUid }) => {
    asked.push(listUid === "" ? peerName : `${peerName} of ${listUid}`);
    return isListed;
  };
  const places = { paths, formerDatabase, hostRoot: join(folder, "root") };
  const peerName = await settleNodeState(places, mayGoOn, silentLog);
  return { peerName, asked };
}

/** What the router does with the state afterwards. */
function withState<Result>(act: (settings: SettingsStore) => Result): Result {
  const database = openDatabase(paths.database);
  try {
    return act(new SettingsStore(database));
  } finally {
    database.close();
  }
}

function heldAddresses(): number {
  const database = openDatabase(paths.database);
  try {
    return new SqliteAllocatorStore(database).load()?.held.length ?? 0;
  } finally {
    database.close();
  }
}

describe("a node", () => {
  test("has one name for as long as its machine has its id, and asks nobody the first time", async () => {
    const { peerName, asked } = await start(false);
    expect(asked).toEqual([]);
    expect((await start(false)).peerName).toBe(peerName);
    expect(storedPeerName(paths)).toBe(peerName);
  });

  test("goes on with what it remembers while its peer is in the list", async () => {
    const { peerName } = await start(true);
    withState((settings) => {
      rememberListed(settings, "the-list");
      settings.saveSetting("mark", "here");
    });
    expect(await start(true)).toEqual({ peerName, asked: [`${peerName} of the-list`] });
    expect(withState((settings) => settings.setting("mark"))).toBe("here");
  });

  test("begins anew when it was struck, and keeps aside what it remembered", async () => {
    const { peerName } = await start(true);
    withState((settings) => {
      rememberListed(settings, "the-list");
      settings.saveSetting("mark", "here");
    });
    expect((await start(false)).peerName).toBe(peerName);
    expect(withState((settings) => settings.setting("mark"))).toBeUndefined();
    expect(existsSync(`${paths.database}.reclaimed`)).toBe(true);
    // It is a new peer by then, of which nobody has taken anything.
    expect((await start(false)).asked).toEqual([]);
  });
});

describe("a node that had a router of Weave Net 2.x", () => {
  beforeEach(() => copyFileSync(sample, formerDatabase));

  test("goes on as its peer, with its addresses, while that is in the list", async () => {
    expect(await start(true)).toEqual({ peerName: samplePeer, asked: [samplePeer, samplePeer] });
    expect(heldAddresses()).toBe(4);
    expect(existsSync(formerDatabase)).toBe(true);
  });

  test("leaves it alone when others have taken its ranges", async () => {
    const { peerName } = await start(false);
    expect(peerName).not.toBe(samplePeer);
    expect(heldAddresses()).toBe(0);
    expect([existsSync(formerDatabase), existsSync(`${formerDatabase}.reclaimed`)]).toEqual([
      ...[false, true],
    ]);
  });

  test("and was struck later, takes nothing of it up again", async () => {
    await start(true);
    const { peerName } = await start(false);
    expect(heldAddresses()).toBe(0);
    expect(peerName).not.toBe(samplePeer);
  });
});

test("a node without state has no name to tell", () => {
  expect(storedPeerName(paths)).toBeUndefined();
});
