import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eventually } from "../hosts/shell.ts";
import type { EngineHost } from "./engine-host.ts";
import { EngineLab } from "./engine-lab.ts";

let lab: EngineLab;
let host: EngineHost;

const inShop = ["--label", "weave.works/namespace=shop"];

beforeAll(async () => {
  lab = await EngineLab.start("poli", { engine: ["28"] });
  host = lab.hosts[0] as EngineHost;
  await host.launch([]);
});
afterAll(() => lab?.[Symbol.asyncDispose]());

/** A container of Docker that stays; gives its id. */
const start = (name: string, ...words: readonly string[]) =>
  host.mustDocker([
    "run",
    "--detach",
    "--name",
    name,
    "--stop-timeout=1",
    ...words,
    "bb",
    "sleep",
    "10000",
  ]);

async function addressOf(name: string): Promise<string> {
  const pods = await host.mustWeave(["policy", "get", "pods"]);
  return new RegExp(`\\b${name}\\b.*?(10\\.\\d+\\.\\d+\\.\\d+)`).exec(pods)?.[1] ?? "";
}

const reaches = async (from: string, to: string): Promise<boolean> =>
  (await host.docker(["exec", from, "ping", "-c", "1", "-W", "1", to])).code === 0;

function settles(from: string, to: string, is: boolean): Promise<boolean> {
  return eventually(
    `${from} ${is ? "reaches" : "does not reach"} ${to}`,
    () => reaches(from, to),
    (found) => found === is,
  );
}

describe("policies know containers of Docker", () => {
  test("by their names and labels, whether attached or in a network of ours", async () => {
    await start("web", "--net=none", "--label", "app=web", ...inShop);
    await host.mustWeave(["attach", "web"]);
    await start("guest", "--net=none");
    await host.mustWeave(["attach", "guest"]);
    await start("db", "--net=weave", "--label", "app=db", ...inShop);
    const pods = await eventually(
      "all three containers",
      () => host.mustWeave(["policy", "get", "pods"]),
      (text) => ["web", "guest", "db"].every((name) => new RegExp(`\\b${name}\\b`).test(text)),
    );
    expect(pods).toMatch(/^shop +web +.* app=web,weave.works\/namespace=shop$/m);
    expect(pods).toMatch(/^shop +db +.* app=db,weave.works\/namespace=shop$/m);
    expect(pods).toMatch(/^default +guest /m);
  });

  test("and hold for them, from their first packet on", async () => {
    const db = await addressOf("db");
    await settles("guest", db, true);
    const policy = {
      ...{ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" },
      metadata: { name: "own", namespace: "shop" },
      spec: { podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] },
    };
    const stdin = JSON.stringify(policy);
    await host.mustWeave(["policy", "apply", "-f", "-"], { stdin });
    await settles("guest", db, false);
    expect(await reaches("web", db)).toBe(true);
    await start("late", "--net=weave", ...inShop);
    const late = await eventually(
      "an address",
      () => addressOf("late"),
      (found) => found !== "",
    );
    expect(await reaches("guest", late)).toBe(false);
    await settles("web", late, true);
  });
});
