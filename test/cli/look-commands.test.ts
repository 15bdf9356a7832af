import { describe, expect, test } from "bun:test";
import { productVersion } from "../../lib/base/product-version.ts";
import { ApiError } from "../../lib/cli/api-error.ts";
import { FakeEngine } from "../docker/fake-engine.ts";
import { requestLine, weave } from "./command-line.ts";

const report = {
  Ready: true,
  Version: "2.8.1",
  Router: {
    Protocol: "weave",
    ProtocolMinVersion: 1,
    ProtocolMaxVersion: 2,
    Encryption: true,
    PeerDiscovery: true,
    Name: "8a:3e:3e:3e:3e:3e",
    NickName: "host1",
    Port: 6783,
    Peers: [
      {
        Name: "8a:3e:3e:3e:3e:3e",
        NickName: "host1",
        UID: 1,
        Connections: [
          {
            Name: "00:00:00:00:00:02",
            NickName: "host2",
            Address: "10.0.0.2:6783",
            Outbound: true,
            Established: true,
          },
        ],
      },
    ],
    Connections: [
      {
        Address: "10.0.0.2:6783",
        Outbound: true,
        State: "established",
        Info: "encrypted sleeve",
        Attrs: { encrypted: true, mtu: 1414, name: "sleeve" },
      },
      { Address: "10.0.0.9:6783", Outbound: true, State: "retrying", Info: "no", Attrs: null },
    ],
    Targets: ["10.0.0.9", "10.0.0.2"],
    TrustedSubnets: [],
  },
  IPAM: {
    Paxos: null,
    Range: "10.32.0.0/12",
    RangeNumIPs: 1048576,
    ActiveIPs: 2,
    DefaultSubnet: "10.32.0.0/12",
    Entries: [
      { Token: "10.32.0.0", Size: 10, Peer: "b", Nickname: "host2", IsKnownPeer: false },
      {
        Token: "10.33.0.0",
        Size: 20,
        Peer: "8a:3e:3e:3e:3e:3e",
        Nickname: "host1",
        IsKnownPeer: true,
      },
      { Token: "10.34.0.0", Size: 5, Peer: "b", Nickname: "host2", IsKnownPeer: false },
    ],
  },
  DNS: {
    Domain: "weave.local.",
    Upstream: ["8.8.8.8"],
    Address: "172.17.0.1:53",
    TTL: 1,
    Entries: [
      { Hostname: "a.", Origin: "o", ContainerID: "c", Address: "10.32.0.1", Tombstone: 0 },
      { Hostname: "b.", Origin: "o", ContainerID: "c", Address: "10.32.0.2", Tombstone: 99 },
    ],
  },
};

async function json(words: string[], data: object = report): Promise<unknown> {
  const { code, stdout } = await weave([...words, "--json"], {
    answer: () => JSON.stringify(data),
  });
  expect(code).toBe(0);
  expect(stdout.endsWith("\n")).toBe(true);
  return JSON.parse(stdout);
}

describe("weave status", () => {
  test("puts the page between blank lines", async () => {
    const outcome = await weave(["status"], { answer: () => "        Version: 2.8.1\n" });
    expect(outcome).toMatchObject({ code: 0, stdout: "\n        Version: 2.8.1\n\n" });
    expect(outcome.requests.map(requestLine)).toEqual(["GET /status"]);
  });

  test("prints lists as they come, and nothing for an empty one", async () => {
    for (const part of ["targets", "connections", "peers", "dns", "ipam"]) {
      const outcome = await weave(["status", part], { answer: () => "10.2.2.1" });
      expect(outcome.stdout).toBe("10.2.2.1\n");
      expect(outcome.requests.map(requestLine)).toEqual([`GET /status/${part}`]);
    }
    expect((await weave(["status", "ipam"], { answer: () => "" })).stdout).toBe("");
  });

  test("of a router that is not ready goes to stderr, with 1", async () => {
    const outcome = await weave(["status"], {
      answer: () => {
        throw new ApiError("refused", "API_REFUSED", "  Version: 2.8.1", { status: 503 });
      },
    });
    expect(outcome).toMatchObject({ code: 1, stdout: "", stderr: "  Version: 2.8.1\n" });
  });

  test("refuses a list there is not", async () => {
    const { code, stderr } = await weave(["status", "foo"]);
    expect(code).toBe(1);
    expect(stderr).toStartWith("Invalid 'weave status' sub-command: foo\n");
  });
});

describe("weave status --json", () => {
  test("sums the router up", async () => {
    expect(await json(["status"])).toEqual({
      schema: "weave/status/1",
      ready: true,
      version: "2.8.1",
      name: "8a:3e:3e:3e:3e:3e",
      nickname: "host1",
      port: 6783,
      protocol: { minimum: 1, maximum: 2 },
      encryption: true,
      peerDiscovery: true,
      trustedSubnets: [],
      targets: 2,
      connections: { established: 1, retrying: 1 },
      peers: 1,
      ipam: {
        range: "10.32.0.0/12",
        defaultSubnet: "10.32.0.0/12",
        addresses: 1048576,
        active: 2,
      },
      dns: {
        domain: "weave.local.",
        address: "172.17.0.1:53",
        upstream: ["8.8.8.8"],
        ttlSeconds: 1,
        entries: 1,
      },
    });
  });

  test("lists targets in order, connections with their attributes, peers with their links", async () => {
    expect(await json(["status", "targets"])).toEqual({
      schema: "weave/status-targets/1",
      targets: ["10.0.0.2", "10.0.0.9"],
    });
    expect(await json(["status", "connections"])).toMatchObject({
      schema: "weave/status-connections/1",
      connections: [
        { state: "established", attributes: { encrypted: true, mtu: 1414, name: "sleeve" } },
        { state: "retrying", info: "no", attributes: {} },
      ],
    });
    expect(await json(["status", "peers"])).toMatchObject({
      schema: "weave/status-peers/1",
      peers: [{ nickname: "host1", connections: [{ nickname: "host2", established: true }] }],
    });
  });

  test("leaves out removed names and adds up each owner's ranges, this peer first", async () => {
    expect(await json(["status", "dns"])).toEqual({
      schema: "weave/status-dns/1",
      domain: "weave.local.",
      entries: [{ hostname: "a.", address: "10.32.0.1", container: "c", origin: "o" }],
    });
    expect(await json(["status", "ipam"])).toMatchObject({
      schema: "weave/status-ipam/1",
      peers: [
        { name: "8a:3e:3e:3e:3e:3e", nickname: "host1", addresses: 20, reachable: true },
        { name: "b", nickname: "host2", addresses: 15, reachable: false },
      ],
    });
  });

  test("takes the nulls that Go writes for empty lists, and services that are off", async () => {
    const { IPAM: _ipam, DNS: _dns, ...bare } = report;
    const empty = {
      ...bare,
      Router: { ...report.Router, Peers: null, Connections: null, Targets: null },
    };
    expect(await json(["status"], empty)).toMatchObject({ targets: 0, connections: {}, peers: 0 });
    const outcome = await weave(["status", "dns", "--json"], {
      answer: () => JSON.stringify(empty),
    });
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toStartWith("the router runs without dns\n");
  });
});

describe("weave report", () => {
  test("prints what the router says, unchanged", async () => {
    const outcome = await weave(["report"], { answer: () => '{\n    "Ready": true\n}' });
    expect(outcome.stdout).toBe('{\n    "Ready": true\n}');
    expect(outcome.requests[0]).toMatchObject({ path: ["report"], accept: "application/json" });
  });

  test("passes a template on and adds no line end", async () => {
    const outcome = await weave(["report", "-f", "{{.Router.Name}}"], { answer: () => "x" });
    expect(outcome.stdout).toBe("x");
    expect(outcome.requests.map(requestLine)).toEqual(["GET /report?format={{.Router.Name}}"]);
  });

  test("shows the reason when the template is wrong", async () => {
    const outcome = await weave(["report", "--format={{"], {
      answer: () => {
        throw new ApiError("refused", "API_REFUSED", "template: format:1: unclosed action", {
          status: 400,
        });
      },
    });
    expect(outcome).toMatchObject({ code: 1, stderr: "template: format:1: unclosed action\n" });
  });
});

describe("weave version", () => {
  test("prints its own version twice when no router runs", async () => {
    expect(await weave(["version"])).toMatchObject({
      code: 0,
      stdout: `weave script ${productVersion}\nweave ${productVersion}\n`,
      stderr: "",
    });
    expect((await weave(["--version"])).code).toBe(0);
  });

  test("asks a running router for the second line", async () => {
    const stage = { answer: () => JSON.stringify(report) };
    expect((await weave(["version"], stage)).stdout).toEndWith("\nweave 2.8.1\n");
    expect(JSON.parse((await weave(["version", "--json"], stage)).stdout)).toEqual({
      schema: "weave/version/1",
      client: productVersion,
      router: "2.8.1",
    });
  });
});

describe("values for completion", () => {
  test("are what is on the network and what runs in Docker, where something is asked for inside", async () => {
    const containers = ["weave:expose", "pid:4711", "ab".repeat(32)].map((ref) => ({
      ...{ ref, ident: ref, mac: "m", cidrs: [] },
    }));
    await using engine = new FakeEngine(() =>
      Response.json([{ Id: "ab".repeat(32), Names: ["/web"] }]),
    );
    const { stdout } = await weave(["complete-values", "container"], {
      answer: () => JSON.stringify({ containers }),
      environment: { DOCKER_HOST: engine.endpoint },
    });
    const inside = stdout.split("\n").filter((line) => !line.startsWith("netns:"));
    expect(inside).toEqual(["web", "pid:4711", ""]);
  });

  test("come from the router, and are none without one", async () => {
    const stage = { answer: () => JSON.stringify(report) };
    expect((await weave(["complete-values", "peer"], stage)).stdout).toBe("10.0.0.9\n10.0.0.2\n");
    expect((await weave(["complete-values", "peer-id"], stage)).stdout).toBe(
      "host1\n8a:3e:3e:3e:3e:3e\n",
    );
    expect((await weave(["complete-values", "fqdn"], stage)).stdout).toBe("a\n");
    expect((await weave(["complete-values", "place"], stage)).stdout).toEndWith(
      "host1\n8a:3e:3e:3e:3e:3e\na\n",
    );
    expect(await weave(["complete-values", "peer"])).toMatchObject({
      code: 0,
      stdout: "",
      stderr: "",
    });
  });
});
