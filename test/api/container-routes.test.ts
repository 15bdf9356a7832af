import { describe, expect, test } from "bun:test";
import { Alone } from "./test-router.ts";

async function post(alone: Alone, path: string, json: unknown = {}) {
  const { status, type, body } = await alone.ask("POST", path, { json });
  expect(type).toBe("application/json");
  return { status, answer: JSON.parse(body) as Record<string, unknown> };
}

async function get(alone: Alone, path: string): Promise<unknown> {
  return JSON.parse((await alone.ask("GET", path)).body);
}

describe("containers", () => {
  test("are attached, listed and detached", async () => {
    const alone = new Alone();
    const attached = await post(alone, "/attach/c1", { addresses: ["net:default", "10.9.0.5/24"] });
    expect(attached).toEqual({
      status: 200,
      answer: {
        ident: "c1",
        cidrs: ["10.32.0.1/16", "10.9.0.5/24"],
        interface: "ethwe",
        mac: "0a:00:00:00:00:02",
      },
    });
    expect(await get(alone, "/ps?container=c1")).toEqual({
      containers: [
        {
          ref: "c1",
          ident: "c1",
          mac: "0a:00:00:00:00:02",
          cidrs: ["10.32.0.1/16", "10.9.0.5/24"],
        },
      ],
    });
    expect((await post(alone, "/detach/c1")).answer).toEqual({
      ident: "c1",
      cidrs: ["10.32.0.1/16"],
    });
    const { containers } = (await get(alone, "/ps")) as { containers: { ref: string }[] };
    expect(containers.map(({ ref }) => ref)).toEqual(["weave:expose"]);
  });

  test("need no body for what goes without saying", async () => {
    const alone = new Alone();
    const { status, body } = await alone.ask("POST", "/attach/c1");
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ cidrs: ["10.32.0.1/16"] });
  });

  test("may have names of any characters", async () => {
    const alone = new Alone();
    const { answer } = await post(alone, "/attach/netns%3A%2Fvar%2Frun%2Fx");
    expect(answer.message).toBe("unable to inspect container netns:/var/run/x");
  });
});

describe("the host", () => {
  test("is joined with another bridge of the host, once", async () => {
    const alone = new Alone();
    const join = (bridge: string) => post(alone, `/attach-bridge/${bridge}`, {});
    expect(await join("docker0")).toEqual({ status: 200, answer: { joined: true } });
    expect(await join("docker0")).toEqual({ status: 200, answer: { joined: false } });
    expect(await join("nosuch")).toMatchObject({ status: 400, answer: { code: "BRIDGE_UNKNOWN" } });
  });

  test("is exposed and hidden", async () => {
    const alone = new Alone();
    const exposed = await post(alone, "/expose", { masquerade: false });
    expect(exposed).toEqual({ status: 200, answer: { cidrs: ["10.32.0.1/16"] } });
    expect(alone.router.containers.exposed.get("10.32.0.1/16")).toMatchObject({
      masquerade: false,
    });
    expect((await post(alone, "/hide")).answer).toEqual({ cidrs: ["10.32.0.1/16"] });
    expect(alone.router.containers.exposed.size).toBe(0);
  });
});

describe("names", () => {
  test("are added, looked up and removed, and what is ignored is told", async () => {
    const alone = new Alone();
    const added = await post(alone, "/dns-add", {
      addresses: ["10.2.1.1"],
      fqdn: "db.weave.local",
    });
    expect(added.answer).toEqual({
      names: [{ fqdn: "db.weave.local", address: "10.2.1.1" }],
      ignored: [],
    });
    expect(await get(alone, "/dns-lookup/db.weave.local")).toEqual({ addresses: ["10.2.1.1"] });
    await post(alone, "/dns-remove", { addresses: ["10.2.1.1"], fqdn: "db.weave.local" });
    expect(await get(alone, "/dns-lookup/db.weave.local")).toEqual({ addresses: [] });
    const foreign = await post(alone, "/dns-add", { addresses: ["10.2.1.1"], fqdn: "a.org" });
    expect(foreign.answer.ignored).toEqual([
      { fqdn: "a.org", reason: "the name is not in the local domain" },
    ]);
  });
});

describe("an error", () => {
  const cases: ReadonlyArray<readonly [string, unknown, number, string]> = [
    ["/attach/nobody", {}, 404, "CONTAINER_UNKNOWN"],
    ["/attach/c9", {}, 409, "CONTAINER_NOT_RUNNING"],
    ["/attach/c1", { addresses: ["10.2.1.1"] }, 400, "CIDR_FORMAT"],
    ["/attach/c1", { addresses: ["net:10.2.1.1/24"] }, 400, "IPAM_SUBNET"],
    ["/attach/c1", { addresses: ["net:10.9.1.0/24"] }, 400, "IPAM_OUT_OF_RANGE"],
    ["/attach/c1", { addresses: "10.2.1.1/24" }, 400, "BODY_INVALID"],
    ["/attach/c1", { addresses: [1] }, 400, "BODY_INVALID"],
    ["/attach/c1", { addresses: new Array(257).fill("10.2.1.1/24") }, 400, "BODY_INVALID"],
    ["/attach/c1", { rewriteHosts: "yes" }, 400, "BODY_INVALID"],
    ["/attach/c1", [], 400, "BODY_INVALID"],
    ["/attach/c1", null, 400, "BODY_INVALID"],
    ["/expose", { masquerade: 1 }, 400, "BODY_INVALID"],
    ["/hide", { addresses: ["10.2.1.1/33"] }, 400, "CIDR_FORMAT"],
    ["/dns-add", { addresses: ["10.2.1"], fqdn: "a.weave.local" }, 400, "IP_FORMAT"],
    ["/dns-add", { fqdn: 7 }, 400, "BODY_INVALID"],
  ];
  for (const [path, body, status, code] of cases) {
    test(`of ${path} with ${JSON.stringify(body).slice(0, 50)} is ${status} ${code}`, async () => {
      const alone = new Alone();
      alone.router.containers.dead.add("c9");
      const refused = await post(alone, path, body);
      expect(refused).toMatchObject({ status, answer: { code, message: expect.any(String) } });
      expect(alone.router.ipam!.allocator.list()).toEqual([]);
    });
  }

  test("names the member of the body that is wrong, and what to do about the rest", async () => {
    const alone = new Alone();
    const wrong = await post(alone, "/attach/c1", { addresses: ["a", 7] });
    expect(wrong.answer.message).toStartWith("addresses.1: ");
    const unknown = await post(alone, "/attach/nobody");
    expect(unknown.answer.remedy).toBe("the container engine knows no such container");
  });

  test("of a body that is no JSON is one of the request", async () => {
    for (const form of ["{", "\u0000", "[".repeat(500_000), "addresses=x"]) {
      const { status, body } = await new Alone().ask("POST", "/attach/c1", { form });
      expect(status).toBe(400);
      expect(JSON.parse(body)).toEqual({
        code: "BODY_INVALID",
        message: "the request body is no JSON",
      });
    }
  });

  test("tells that a service is off", async () => {
    const alone = new Alone({ ipalloc: undefined, dns: undefined });
    const attach = await post(alone, "/attach/c1", { addresses: ["net:default"] });
    expect(attach).toMatchObject({ status: 404, answer: { code: "IPAM_OFF" } });
    const name = await post(alone, "/dns-add", { addresses: ["1.2.3.4"], fqdn: "a.weave.local" });
    expect(name).toMatchObject({ status: 404, answer: { code: "DNS_DISABLED" } });
  });
});
