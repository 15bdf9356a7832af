import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase } from "../../../lib/daemon/database.ts";
import { HostPods } from "../../../lib/daemon/policy/host-pods.ts";
import { PodStore } from "../../../lib/daemon/policy/pod-store.ts";

const folder = mkdtempSync(join(tmpdir(), "weave-pods-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("containers that go are forgotten also while nothing can be stored", () => {
  const database = openDatabase(join(folder, "weave.db"));
  const attached = new Map([
    ["c1", ["10.32.0.1/12"]],
    ["c2", ["10.32.0.2/12"]],
    ["c3", ["10.32.0.3/12"]],
  ]);
  const pods = new HostPods(new PodStore(database), () => attached);
  for (const ident of attached.keys()) pods.learn({ ident }, 1);
  database.run("PRAGMA query_only = ON");
  for (const ident of ["c1", "c2"]) attached.delete(ident);
  expect([...pods.all().keys()]).toEqual(["c3"]);
  expect(() => pods.learn({ ident: "c4" }, 2)).toThrow("the router's state cannot be written");
  database.run("PRAGMA query_only = OFF");

  const next = new HostPods(new PodStore(database), () => attached);
  next.tidy();
  expect([...new PodStore(database).all().keys()]).toEqual(["c3"]);
  database.close();
});
