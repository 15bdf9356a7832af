import { describe, expect, test } from "bun:test";
import { controlApp, metricsApp, statusApp } from "../../lib/api/app.ts";
import type { Report } from "../../lib/api/report.ts";
import { SimCluster } from "../sim/cluster.ts";
import { Alone, ask, TestRouter } from "./test-router.ts";

const pages = ["", "/targets", "/connections", "/peers", "/dns", "/ipam"].map((p) => `/status${p}`);
const json = { headers: { Accept: "application/json" } };

async function reportOf({ app }: Pick<Alone, "app">): Promise<Record<string, unknown>> {
  return JSON.parse((await ask(app, "GET", "/report", json)).body) as Record<string, unknown>;
}

/** Names of all members, as paths; of lists the first element counts. */
function members(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return value.length === 0 ? [] : members(value[0], `${path}[]`);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => [
    `${path}.${key}`,
    ...members(member, `${path}.${key}`),
  ]);
}

async function pair(): Promise<Pick<Alone, "app" | "router">> {
  const cluster = new SimCluster(1, { trustedSubnets: ["10.9.0.0/16"] });
  const router = new TestRouter(cluster.start(1, []));
  cluster.start(2, ["10.0.0.1"]);
  await cluster.runUntil("full mesh", () => cluster.isFullMesh(), 60_000);
  const app = controlApp(router);
  const given = ask(app, "POST", "/ip/c1");
  await ask(app, "PUT", "/name/c1/10.32.0.1?fqdn=one.weave.local");
  await cluster.run(20_000);
  await given;
  return { app, router };
}

describe("status pages", () => {
  for (const page of pages) {
    test(`${page} is a text, with 503 until the router is ready`, async () => {
      const { app, router } = await pair();
      router.isReady = false;
      const early = await ask(app, "GET", page);
      router.isReady = true;
      const late = await ask(app, "GET", page);
      expect([early.status, late.status]).toEqual([503, 200]);
      expect(late.type).toBe(late.body === "" ? null : "text/plain; charset=utf-8");
      expect(early.body).toBe(late.body);
    });
  }

  test("tell of a lone router without its services, too", async () => {
    const alone = new Alone({ ipalloc: undefined, dns: undefined });
    const { body } = await alone.ask("GET", "/status");
    expect(body).toContain("Service: router");
    expect(body).not.toMatch(/Service: (ipam|dns)/);
    for (const page of ["/status/ipam", "/status/dns"]) {
      expect(await alone.ask("GET", page)).toMatchObject({ status: 200, body: "" });
    }
  });
});

describe("readiness", () => {
  test("is refused with what is awaited, a line each, until all is done", async () => {
    const alone = new Alone();
    expect(await alone.ask("GET", "/readyz")).toMatchObject({ status: 200, body: "ok\n" });
    alone.router.awaiting = ["the bridge has no address", "no peers"];
    const awaits = { status: 503, body: "the bridge has no address\nno peers\n" };
    expect(await alone.ask("GET", "/readyz")).toMatchObject(awaits);
    alone.router.isReady = false;
    const starts = { status: 503, body: "the router is starting\n" };
    expect(await alone.ask("GET", "/readyz")).toMatchObject(starts);
  });
});

describe("the report", () => {
  test("has the members of the original, in its order, and extensions where there are some", async () => {
    const report = await reportOf(await pair());
    expect(members(report)).toEqual([
      ".Ready",
      ".Version",
      ".VersionCheck",
      ...["Enabled", "Success", "NewVersion", "NextCheckAt"].map((key) => `.VersionCheck.${key}`),
      ".Router",
      ...["Protocol", "ProtocolMinVersion", "ProtocolMaxVersion"].map((key) => `.Router.${key}`),
      ...["Encryption", "PeerDiscovery", "Name", "NickName", "Port"].map((key) => `.Router.${key}`),
      ".Router.Peers",
      ...["Name", "NickName", "UID", "ShortID", "Version", "Connections"].map(
        (key) => `.Router.Peers[].${key}`,
      ),
      ...["Name", "NickName", "Address", "Outbound", "Established"].map(
        (key) => `.Router.Peers[].Connections[].${key}`,
      ),
      ".Router.UnicastRoutes",
      ...["Dest", "Via"].map((key) => `.Router.UnicastRoutes[].${key}`),
      ".Router.BroadcastRoutes",
      ...["Source", "Via"].map((key) => `.Router.BroadcastRoutes[].${key}`),
      ".Router.Connections",
      ...["Address", "Outbound", "State", "Info", "Attrs"].map(
        (key) => `.Router.Connections[].${key}`,
      ),
      ...["mtu", "name"].map((key) => `.Router.Connections[].Attrs.${key}`),
      ...["Extensions", "ClockOffsetMs", "Reason", "Since"].map(
        (key) => `.Router.Connections[].${key}`,
      ),
      ...["TerminationCount", "Targets", "OverlayDiagnostics"].map((key) => `.Router.${key}`),
      ".Router.OverlayDiagnostics.sleeve",
      ...["TrustedSubnets", "Interface", "CaptureStats"].map((key) => `.Router.${key}`),
      ...["PacketsReceived", "PacketsDropped", "PacketsIfDropped"].map(
        (key) => `.Router.CaptureStats.${key}`,
      ),
      ".Router.MACs",
      ".IPAM",
      ...["Paxos", "Range", "RangeNumIPs", "ActiveIPs", "DefaultSubnet", "Entries"].map(
        (key) => `.IPAM.${key}`,
      ),
      ...["Token", "Size", "Peer", "Nickname", "IsKnownPeer", "Version"].map(
        (key) => `.IPAM.Entries[].${key}`,
      ),
      ...["PendingClaims", "PendingAllocates"].map((key) => `.IPAM.${key}`),
      ".DNS",
      ...["Domain", "Upstream", "Address", "TTL", "Entries"].map((key) => `.DNS.${key}`),
      ...["Hostname", "Origin", "ContainerID", "Address", "Version", "Tombstone"].map(
        (key) => `.DNS.Entries[].${key}`,
      ),
    ]);
  });

  test("says of a target that failed what to do about it", async () => {
    const cluster = new SimCluster(1);
    cluster.start(1, []);
    const router = new TestRouter(
      cluster.start(2, ["10.0.0.1"], { control: { password: "not that of the others" } }),
    );
    await cluster.run(5000);
    const { body } = await ask(controlApp(router), "GET", "/report", json);
    const { Router } = JSON.parse(body) as Report;
    expect(Router.Connections).toHaveLength(1);
    expect(Router.Connections![0]).toMatchObject({ Outbound: true });
    expect(Router.Connections![0]!.Remedy).toContain("password");
  });

  test("of a lone router has null for what is empty, and [] for trusted networks", async () => {
    const alone = new Alone();
    const { Router, IPAM, DNS } = (await reportOf(alone)) as {
      Router: Record<string, unknown>;
      IPAM: Record<string, unknown>;
      DNS: Record<string, unknown>;
    };
    expect(Router).toMatchObject({ Connections: null, Targets: null, MACs: null });
    expect(Router.TrustedSubnets).toEqual([]);
    expect(Router.BroadcastRoutes).toEqual([{ Source: Router.Name, Via: null }]);
    expect(Router.UnicastRoutes).toEqual([{ Dest: Router.Name, Via: "00:00:00:00:00:00" }]);
    expect(IPAM).toMatchObject({ PendingClaims: null, PendingAllocates: null, Paxos: null });
    expect(DNS).toMatchObject({ Entries: null });
  });

  test("is indented by four blanks, without line end", async () => {
    const { body, type, status } = await new Alone().ask("GET", "/report", json);
    expect([status, type]).toEqual([200, "application/json"]);
    expect(body).toStartWith('{\n    "Ready": true,\n    "Version": "');
    expect(body).toEndWith("\n}");
  });

  test("says whether the router is ready, with 200 in either case", async () => {
    const alone = new Alone();
    for (const ready of [false, true]) {
      alone.router.isReady = ready;
      expect((await reportOf(alone)).Ready).toBe(ready);
    }
  });

  test("has 64-bit numbers in full", async () => {
    const alone = new Alone();
    const { body } = await alone.ask("GET", "/report", json);
    const { uid } = alone.router.peer.plane.mesh;
    expect(uid > BigInt(Number.MAX_SAFE_INTEGER)).toBe(true);
    expect(body).toContain(`"UID": ${uid},`);
  });

  for (const Accept of [
    "application/json, */*",
    "text/html,application/json;q=0.9",
    "Application/JSON",
  ]) {
    test(`is JSON for who accepts ${Accept}, whatever the format`, async () => {
      const answer = await new Alone().ask("GET", "/report?format=x", { headers: { Accept } });
      expect(answer).toMatchObject({ status: 200, type: "application/json" });
    });
  }

  test("by template has the same parts", async () => {
    const alone = new Alone();
    const part = encodeURIComponent("{{json .DNS}}");
    const answer = await alone.ask("GET", `/report?format=${part}`);
    expect(answer).toMatchObject({ status: 200, type: "text/plain; charset=utf-8" });
    const { DNS } = await reportOf(alone);
    expect(answer.body).toBe(JSON.stringify(DNS));
    const format = encodeURIComponent("{{.Router.Name}}({{.Router.NickName}})");
    expect((await alone.ask("GET", `/report?format=${format}`)).body).toBe(
      "01:00:00:01:00:00(host1)",
    );
  });

  test("needs exactly one template", async () => {
    for (const query of ["", "?format=a&format=b"]) {
      expect(await new Alone().ask("GET", `/report${query}`)).toMatchObject({
        status: 400,
        body: "error: must supply one format parameter\n",
      });
    }
  });

  test("with a broken template is refused with the reason", async () => {
    const alone = new Alone();
    const refused = await alone.ask("GET", `/report?format=${encodeURIComponent("{{.Version")}`);
    expect(refused).toMatchObject({
      status: 400,
      body: "template: format:1: unclosed action\n",
    });
    const unknown = await alone.ask("GET", `/report?format=${encodeURIComponent("{{.Nothing}}")}`);
    expect(unknown.status).toBe(500);
    expect(unknown.body).toContain("Nothing");
  });
});

describe("addresses for reading", () => {
  const alone = new Alone();
  const control = new Set(
    alone.app.routes.filter(({ method }) => method !== "ALL").map(({ path }) => path),
  );
  const readable = [...pages, "/readyz", "/report", "/metrics"];

  test("serve status, report and metrics, and nothing else", async () => {
    const app = statusApp(alone.router);
    for (const path of readable) expect((await ask(app, "GET", path, json)).status).toBe(200);
    for (const path of control) {
      if (readable.includes(path)) continue;
      for (const method of ["GET", "POST", "PUT", "DELETE"]) {
        expect((await ask(app, method, path)).status).toBe(404);
      }
    }
  });

  test("for metrics alone serve nothing but these", async () => {
    const app = metricsApp(alone.router);
    for (const path of control) {
      const { status } = await ask(app, "GET", path);
      expect(`${path} ${status}`).toBe(`${path} ${path === "/metrics" ? 200 : 404}`);
    }
  });
});
