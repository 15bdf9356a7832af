import { beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { FakeApiServer } from "../kubernetes/fake-api-server.ts";
import { askAll, scriptNames } from "./api-script.ts";
import { ClusterLab } from "./cluster-lab.ts";
import { admin } from "./credentials.ts";
import type { Answer } from "./script-client.ts";

let real: Record<string, Answer>;
let fake: Record<string, Answer>;

beforeAll(async () => {
  await using server = new FakeApiServer({ tokens: new Set([admin.token]) });
  fake = await askAll({ url: server.url, token: admin.token });
  await using lab = await ClusterLab.start("kapi", { nodes: 0 });
  const { url, authority } = lab.plane.server;
  const script = [process.execPath, join(import.meta.dir, "api-script.ts")];
  const stdin = JSON.stringify({ url, authority, token: admin.token });
  real = JSON.parse(await lab.plane.mustExec(script, { stdin, waitMs: 60_000 }));
});

describe("the API server that other tests have in memory answers as a real one:", () => {
  for (const name of scriptNames()) {
    test(name, () => {
      expect(fake[name]).toEqual(real[name]!);
    });
  }
});
