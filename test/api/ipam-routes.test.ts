import { describe, expect, test } from "bun:test";
import { Hono } from "hono";
import { ipamRoutes } from "../../lib/api/ipam-routes.ts";
import { WeaveError } from "../../lib/base/errors.ts";
import { Alone, ask, isAnswered } from "./test-router.ts";

const wide = {
  ipalloc: { range: "10.2.0.0/16", rangeGiven: true, defaultSubnet: "10.2.0.0/16", init: "" },
};
const forQuorum = { ipalloc: { ...wide.ipalloc, init: "consensus=2" } };
const text = "text/plain; charset=utf-8";

describe("allocation", () => {
  test("gives an ident one address, until it is deleted", async () => {
    const alone = new Alone(wide);
    expect(await alone.ask("GET", "/ip")).toMatchObject({ body: '{"owned":null}\n' });
    const given = await alone.ask("POST", "/ip/a");
    expect(given).toMatchObject({ status: 200, type: text, body: "10.2.0.1/16" });
    expect((await alone.ask("POST", "/ip/a")).body).toBe("10.2.0.1/16");
    expect((await alone.ask("GET", "/ip/a")).body).toBe("10.2.0.1/16");
    expect(await alone.ask("GET", "/ip")).toMatchObject({
      type: "application/json",
      body: '{"owned":[{"containerid":"a","addrs":["10.2.0.1/16"]}]}\n',
    });
    expect((await alone.ask("DELETE", "/ip/a")).status).toBe(204);
    expect(await alone.ask("DELETE", "/ip/a")).toMatchObject({
      status: 400,
      body: "Delete: no addresses for a\n",
    });
  });

  test("gives a freed address out again at once, or lets it rest where that was asked for", async () => {
    for (const [reuse, next] of [
      ["lowest-first", "10.2.0.1/16"],
      ["rested", "10.2.0.2/16"],
    ] as const) {
      const alone = new Alone({ ipalloc: { ...wide.ipalloc, reuse } });
      await alone.ask("POST", "/ip/a");
      await alone.ask("DELETE", "/ip/a");
      expect((await alone.ask("POST", "/ip/b")).body).toBe(next);
      await alone.cluster.run(65_000);
      expect((await alone.ask("POST", "/ip/c")).body).toBe(
        reuse === "rested" ? "10.2.0.1/16" : "10.2.0.2/16",
      );
    }
  });

  test("in a subnet gives an address of it, besides those of the default subnet", async () => {
    const alone = new Alone(wide);
    await alone.ask("POST", "/ip/a");
    const { body } = await alone.ask("POST", "/ip/a/10.2.9.0/24");
    expect(body).toMatch(/^10\.2\.9\.\d+\/24$/);
    expect((await alone.ask("GET", "/ip/a")).body).toBe(`10.2.0.1/16 ${body}`);
    expect((await alone.ask("GET", "/ip/a/10.2.9.0/24")).body).toBe(body);
  });

  const refused = {
    "10.9.0.0/16": "range 10.9.0.0/16 out of bounds: 10.2.0.0/16",
    "10.2.9.1/24": "invalid subnet - bits after network prefix are not all zero: 10.2.9.1/24",
    "10.2.9.0/31": "invalid subnet - smaller than minimum size 4: 10.2.9.0/31",
    "10.2.9.0/33": "invalid CIDR address: 10.2.9.0/33",
    "10.2.9.0/x": "invalid CIDR address: 10.2.9.0/x",
    "fd00::/64": "invalid Non-IPv4 address not supported: fd00::/64",
  };
  for (const [subnet, sentence] of Object.entries(refused)) {
    test(`in ${subnet} is refused`, async () => {
      const answer = await new Alone(wide).ask("POST", `/ip/a/${subnet}`);
      expect(answer).toMatchObject({ status: 400, type: text, body: `${sentence}\n` });
      expect(answer.headers.get("X-Content-Type-Options")).toBe("nosniff");
    });
  }

  test("takes an ident of any characters, escaped in the path", async () => {
    const alone = new Alone(wide);
    const ident = "netns:/var/run/x y%é";
    await alone.ask("POST", `/ip/${encodeURIComponent(ident)}`);
    const { body } = await alone.ask("GET", "/ip");
    expect(JSON.parse(body)).toEqual({ owned: [{ containerid: ident, addrs: ["10.2.0.1/16"] }] });
  });

  for (const [code, status] of [
    ["IPAM_STORE_FAILED", 500],
    ["IPAM_BUSY", 503],
  ] as const) {
    test(`that fails with ${code} is no fault of the request`, async () => {
      const app = new Hono();
      const { router } = new Alone(wide);
      const { allocator, defaultSubnet } = router.ipam!;
      const fail = () => Promise.reject(new WeaveError(code, "it does not work"));
      const failing = {
        allocate: fail,
        claim: fail,
        prime: fail,
        lookup: allocator.lookup.bind(allocator),
        list: allocator.list.bind(allocator),
        free: allocator.free.bind(allocator),
        delete: allocator.delete.bind(allocator),
      };
      ipamRoutes(app, { allocator: failing, defaultSubnet }, router.containers);
      const answers = [
        await ask(app, "POST", "/ip/a"),
        await ask(app, "PUT", "/ip/a/10.2.0.7/16"),
        await ask(app, "GET", "/ring"),
      ];
      expect(answers.map((answer) => [answer.status, answer.body])).toEqual([
        [status, "it does not work\n"],
        [status, "Unable to claim: it does not work\n"],
        [status, "it does not work\n"],
      ]);
    });
  }
});

describe("a container that does not run", () => {
  for (const [what, request] of [
    ["in the query", { path: "?check-alive=true" }],
    ["in a form", { path: "", form: "check-alive=true" }],
  ] as const) {
    test(`gets no address when the client asks to check it ${what}`, async () => {
      const alone = new Alone(wide);
      alone.router.containers.dead.add("a");
      const options = "form" in request ? { form: request.form } : {};
      for (const [method, path] of [
        ["POST", "/ip/a"],
        ["POST", "/ip/a/10.2.9.0/24"],
        ["PUT", "/ip/a/10.2.9.9/24"],
      ] as const) {
        expect(await alone.ask(method, path + request.path, options)).toMatchObject({
          status: 409,
          body: "cancelled: container a not running\n",
        });
      }
      expect((await alone.ask("GET", "/ip")).body).toBe('{"owned":null}\n');
    });
  }

  test("is served when the client does not ask to check it", async () => {
    const alone = new Alone(wide);
    alone.router.containers.dead.add("a");
    expect((await alone.ask("POST", "/ip/a?check-alive=yes")).status).toBe(200);
  });
});

describe("a claim", () => {
  test("holds against other idents, and outside the range is taken at once", async () => {
    const alone = new Alone(wide);
    expect((await alone.ask("PUT", "/ip/y/10.2.1.1/16")).status).toBe(204);
    expect(await alone.ask("PUT", "/ip/z/10.2.1.1/16")).toMatchObject({
      status: 400,
      body: "Unable to claim: address 10.2.1.1/16 is already owned by y\n",
    });
    expect((await alone.ask("PUT", "/ip/z/192.168.5.5/24")).status).toBe(204);
  });
});

describe("an error", () => {
  test("has code and remedy for who accepts JSON", async () => {
    const alone = new Alone(wide);
    const headers = { Accept: "text/html, application/json;q=0.9" };
    const { status, type, body } = await alone.ask("DELETE", "/ip/a", { headers });
    expect([status, type]).toEqual([400, "application/json"]);
    expect(JSON.parse(body)).toEqual({
      code: "IPAM_NOT_HELD",
      message: "Delete: no addresses for a",
      remedy: "see 'weave ps' for the addresses in use",
    });
  });
});

describe("without quorum", () => {
  test("requests wait, are given up with their client, and are answered after it", async () => {
    const alone = new Alone(forQuorum);
    const gone = new AbortController();
    const abandoned = alone.ask("POST", "/ip/a", { signal: gone.signal });
    const patient = alone.ask("POST", "/ip/b");
    const prime = alone.ask("GET", "/ring");
    for (const answer of [abandoned, patient, prime]) {
      expect(await isAnswered(answer)).toBe(false);
    }
    gone.abort();
    expect((await abandoned).status).toBe(409);
    alone.cluster.start(2, ["10.0.0.1"]);
    await alone.cluster.run(60_000);
    expect((await patient).body).toMatch(/^10\.2\.\d+\.\d+\/16$/);
    expect(await prime).toMatchObject({ status: 200, body: "", type: null });
    expect((await alone.ask("GET", "/ip/a")).body).toBe("");
  });
});

describe("without address allocation", () => {
  const alone = new Alone({ ipalloc: undefined });
  const { app } = new Alone();
  const paths = app.routes
    .map(({ path }) => path)
    .filter((path) => /^\/(ip|ring|ipinfo)(\/|$)/.test(path))
    .map((path) => path.replaceAll(/:(\w+)/g, "1"));

  for (const path of new Set(paths)) {
    test(`${path} does not exist`, async () => {
      for (const method of ["GET", "POST", "PUT", "DELETE"]) {
        expect(await alone.ask(method, path)).toMatchObject({
          status: 404,
          body: "404 page not found\n",
        });
      }
    });
  }

  test("everything else works", async () => {
    expect((await alone.ask("GET", "/status/ipam")).status).toBe(200);
    expect((await alone.ask("DELETE", "/peer/host2")).body).toBe("");
    const report = await alone.ask("GET", "/report", { headers: { Accept: "application/json" } });
    expect(Object.keys(JSON.parse(report.body) as object)).not.toContain("IPAM");
  });
});
