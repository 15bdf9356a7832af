import { describe, expect, test } from "bun:test";
import { formatIpv4 } from "../../lib/base/ip.ts";
import { Alone } from "./test-router.ts";

const json = { headers: { Accept: "application/json" } };

/** `name ident address` of what answers, status and report show alike. */
async function shown(alone: Alone): Promise<string[]> {
  const { body } = await alone.ask("GET", "/report", json);
  const { DNS } = JSON.parse(body) as {
    DNS: {
      Entries: { Hostname: string; ContainerID: string; Address: string; Tombstone: number }[];
    };
  };
  const live = (DNS.Entries ?? []).filter(({ Tombstone }) => Tombstone === 0);
  const status = await alone.ask("GET", "/status/dns");
  expect(status.body.split("\n")).toHaveLength(live.length + 1);
  for (const { Hostname, Address } of live) {
    const found = alone.cluster.namesOf(alone.router.peer).lookup(Hostname);
    expect(found.map(({ address }) => formatIpv4(address))).toContain(Address);
  }
  return live.map(({ Hostname, ContainerID, Address }) => `${Hostname} ${ContainerID} ${Address}`);
}

async function withNames(): Promise<Alone> {
  const alone = new Alone();
  for (const [name, ident, ip] of [
    ["one", "c1", "10.2.1.1"],
    ["one", "c1", "10.2.1.2"],
    ["two", "c1", "10.2.1.1"],
    ["two", "c2", "10.2.1.3"],
  ]) {
    const form = `fqdn=${name}.weave.local`;
    expect((await alone.ask("PUT", `/name/${ident}/${ip}`, { form })).status).toBe(204);
  }
  return alone;
}

describe("a name", () => {
  test("of the domain is shown and answered; another is ignored without a word", async () => {
    const alone = await withNames();
    expect((await alone.ask("PUT", "/name/c3/10.2.1.4?fqdn=x.example.com")).status).toBe(204);
    expect(await shown(alone)).toEqual([
      "one.weave.local. c1 10.2.1.1",
      "one.weave.local. c1 10.2.1.2",
      "two.weave.local. c1 10.2.1.1",
      "two.weave.local. c2 10.2.1.3",
    ]);
  });

  const removals: ReadonlyArray<readonly [string, { form?: string }, number[]]> = [
    ["/name/c1/10.2.1.1", {}, [1, 3]],
    ["/name/c1/10.2.1.1?fqdn=two.weave.local", {}, [0, 1, 3]],
    ["/name/c1/10.2.1.1", { form: "fqdn=two.weave.local" }, [0, 1, 3]],
    ["/name/c1?fqdn=one.weave.local.", {}, [2, 3]],
    ["/name/c1", {}, [3]],
    ["/name?fqdn=TWO.weave.local", {}, [0, 1]],
    ["/name", {}, []],
    ["/name/c2/10.2.1.1", {}, [0, 1, 2, 3]],
  ];
  for (const [path, request, left] of removals) {
    test(`is removed by DELETE ${path}${request.form ? ` with ${request.form}` : ""}`, async () => {
      const alone = await withNames();
      const before = await shown(alone);
      expect((await alone.ask("DELETE", path, request)).status).toBe(204);
      expect(await shown(alone)).toEqual(left.map((at) => before[at]!));
    });
  }

  test("of a container that does not run is removed instead", async () => {
    const alone = await withNames();
    alone.router.containers.dead.add("c2");
    const path = "/name/c2/10.2.1.3?fqdn=two.weave.local&check-alive=true";
    expect((await alone.ask("PUT", path)).status).toBe(204);
    expect(await shown(alone)).not.toContain("two.weave.local. c2 10.2.1.3");
    expect((await alone.ask("PUT", path.replace("&check-alive=true", ""))).status).toBe(204);
    expect(await shown(alone)).toContain("two.weave.local. c2 10.2.1.3");
  });

  test("that no message can carry is refused", async () => {
    const alone = new Alone();
    const label = "x".repeat(64);
    const answer = await alone.ask("PUT", `/name/c1/10.2.1.1?fqdn=${label}.weave.local`);
    expect(answer.status).toBe(400);
    expect(await shown(alone)).toEqual([]);
  });

  test("list escapes as Go does, and is empty rather than nothing", async () => {
    const alone = new Alone();
    expect((await alone.ask("GET", "/name", json)).body).toBe("[]\n");
    await alone.ask("PUT", "/name/%3Cc1%3E/10.2.1.1?fqdn=one.weave.local");
    expect((await alone.ask("GET", "/name", json)).body).toContain(
      '"ContainerID":"\\u003cc1\\u003e"',
    );
  });
});

describe("without DNS", () => {
  const alone = new Alone({ dns: undefined });

  for (const path of [
    "/domain",
    "/dns-address",
    "/dns-address-port",
    "/name",
    "/name/c",
    "/name/c/1.2.3.4",
  ]) {
    test(`${path} does not exist`, async () => {
      for (const method of ["GET", "PUT", "DELETE"]) {
        expect((await alone.ask(method, path, json)).status).toBe(404);
      }
    });
  }

  test("the report has no such member, and its status page is empty", async () => {
    const { body } = await alone.ask("GET", "/report", json);
    expect(Object.keys(JSON.parse(body) as object)).not.toContain("DNS");
    expect(await alone.ask("GET", "/status/dns")).toMatchObject({ status: 200, body: "" });
  });
});
