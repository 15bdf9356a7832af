import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase } from "../../lib/daemon/database.ts";
import { Detachments } from "../../lib/daemon/detachments.ts";
import { SettingsStore } from "../../lib/daemon/settings-store.ts";
import { NetworkNamespace, namespaceIdentity } from "../../lib/host/netns.ts";

const folder = mkdtempSync(join(tmpdir(), "weave-detachments-"));
const database = openDatabase(join(folder, "weave.db"));
const settings = new SettingsStore(database);
afterAll(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

const path = `/proc/${process.pid}/ns/net`;
const identity = (): string => {
  using namespace = NetworkNamespace.current();
  return namespaceIdentity(namespace);
};
const web = { ident: "web", namespacePath: path };

beforeEach(() => {
  for (const { ident } of settings.detachments()) settings.removeDetachment(ident);
});

describe("a container that was detached", () => {
  test("is known to whoever looks into the same state", () => {
    new Detachments(settings).note({ ident: "web", namespace: identity(), path });
    const detachments = new Detachments(settings);
    expect(detachments.has(web)).toBe(true);
    expect(detachments.has({ ...web, ident: "db" })).toBe(false);
  });

  test("is another one when it runs again: by another process, in another namespace", () => {
    const detachments = new Detachments(settings);
    detachments.note({ ident: "web", namespace: identity(), path });
    expect(detachments.has({ ...web, namespacePath: "/proc/self/ns/net" })).toBe(false);
    expect(detachments.has({ ...web, namespacePath: "/proc/4194305/ns/net" })).toBe(false);
    detachments.note({ ident: "web", namespace: "1 another boot", path });
    expect(detachments.has(web)).toBe(false);
  });

  test("is forgotten when another one is noted and it has ended", () => {
    const detachments = new Detachments(settings);
    detachments.note({ ident: "ended", namespace: identity(), path: "/proc/4194305/ns/net" });
    detachments.note({ ident: "rebooted", namespace: "1 another boot", path });
    detachments.note({ ident: "web", namespace: identity(), path });
    detachments.note({ ident: "db", namespace: identity(), path });
    expect(settings.detachments().map(({ ident }) => ident)).toEqual(["web", "db"]);
  });
});
