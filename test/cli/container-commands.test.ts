import { describe, expect, test } from "bun:test";
import { ApiError } from "../../lib/cli/api-error.ts";
import { requestLine, weave } from "./command-line.ts";

const cidrs = (...list: string[]) => JSON.stringify({ ident: "c", cidrs: list });

describe("weave attach", () => {
  test("prints the addresses without prefix lengths on one line", async () => {
    const outcome = await weave(
      ["attach", "10.2.1.1/24", "ip:10.2.2.1/24", "net:10.2.3.0/24", "netns:c1"],
      { answer: () => cidrs("10.2.1.1/24", "10.2.2.1/24", "10.2.3.1/24") },
    );
    expect(outcome.code).toBe(0);
    expect(outcome.stdout).toBe("10.2.1.1 10.2.2.1 10.2.3.1\n");
    expect(outcome.requests.map(requestLine)).toEqual([
      'POST /attach/netns:c1 {"addresses":["10.2.1.1/24","ip:10.2.2.1/24","net:10.2.3.0/24"],"withoutDns":false,"rewriteHosts":false,"addHosts":[],"multicastRoute":true}',
    ]);
  });

  test("takes options and container in any order", async () => {
    const { requests } = await weave(
      [
        "attach",
        "c1",
        "--without-dns",
        "net:default",
        "--add-host=a:10.0.0.1",
        "--no-multicast-route",
      ],
      { answer: () => cidrs() },
    );
    expect(requests[0]).toMatchObject({
      path: ["attach", "c1"],
      json: {
        addresses: ["net:default"],
        withoutDns: true,
        addHosts: ["a:10.0.0.1"],
        multicastRoute: false,
      },
    });
  });

  test("wants exactly one container", async () => {
    expect((await weave(["attach", "10.2.1.1/24"])).stderr).toContain("needs a container");
    expect((await weave(["attach", "c1", "c2"])).stderr).toContain(
      "takes one container, not c1 and c2",
    );
  });

  test("explains an address without prefix length", async () => {
    const { code, stderr, requests } = await weave(["attach", "10.2.1.1", "c1"]);
    expect(code).toBe(1);
    expect(stderr).toBe(
      "10.2.1.1 lacks the length of its network prefix\nwrite it like 10.2.1.1/24\n",
    );
    expect(requests).toEqual([]);
  });

  test("shows the router's own reason and remedy", async () => {
    const { code, stdout, stderr } = await weave(["attach", "netns:x"], {
      answer: () => {
        throw new ApiError("refused", "NETNS_NOT_FOUND", "there is no namespace x", {
          status: 404,
          remedy: "see 'ip netns list'",
        });
      },
    });
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: "",
      stderr: "there is no namespace x\nsee 'ip netns list'\n",
    });
  });

  test("fails with 2 for a container that is not running", async () => {
    const { code } = await weave(["attach", "web"], {
      answer: () => {
        throw new ApiError("refused", "CONTAINER_NOT_RUNNING", "container web not running");
      },
    });
    expect(code).toBe(2);
  });
});

describe("weave detach", () => {
  test("prints an empty line when there was nothing", async () => {
    const outcome = await weave(["detach", "net:default", "c"], { answer: () => cidrs() });
    expect(outcome).toMatchObject({ code: 0, stdout: "\n" });
    expect(outcome.requests.map(requestLine)).toEqual([
      'POST /detach/c {"addresses":["net:default"]}',
    ]);
  });
});

test("weave attach-bridge joins Docker's bridge, or the one that is named", async () => {
  for (const [words, bridge] of [
    [[], "docker0"],
    [["br1"], "br1"],
  ] as const) {
    const { code, stdout, requests } = await weave(["attach-bridge", ...words], {
      answer: () => JSON.stringify({ joined: true }),
    });
    expect([code, stdout]).toEqual([0, ""]);
    expect(requests.map(requestLine)).toEqual([`POST /attach-bridge/${bridge}`]);
  }
});

describe("weave expose and hide", () => {
  test("pass the name and the masquerade choice", async () => {
    const outcome = await weave(
      ["expose", "net:10.2.3.0/24", "-h", "gw.weave.local", "--without-masquerade"],
      { answer: () => cidrs("10.2.3.1/24") },
    );
    expect(outcome.stdout).toBe("10.2.3.1\n");
    expect(outcome.requests.map(requestLine)).toEqual([
      'POST /expose {"addresses":["net:10.2.3.0/24"],"masquerade":false,"fqdn":"gw.weave.local"}',
    ]);
  });

  test("tell when the name was not registered", async () => {
    const reason = "the name is not in the domain weave.local.; write gw.weave.local";
    const body = JSON.stringify({ cidrs: ["10.2.3.1/24"], ignored: [{ fqdn: "gw", reason }] });
    const outcome = await weave(["expose", "-h", "gw"], { answer: () => body });
    expect(outcome).toMatchObject({ code: 0, stdout: "10.2.3.1\n" });
    expect(outcome.stderr).toBe(`gw was left alone: ${reason}\n`);
  });

  test("need no address", async () => {
    const outcome = await weave(["hide"], { answer: () => cidrs("10.32.0.1/12") });
    expect(outcome.stdout).toBe("10.32.0.1\n");
    expect(outcome.requests.map(requestLine)).toEqual(['POST /hide {"addresses":[]}']);
  });

  test("take nothing but addresses", async () => {
    expect((await weave(["expose", "c1"])).stderr).toContain("does not take 'c1'");
    expect((await weave(["hide", "10.2.1.1"])).stderr).toContain("lacks the length");
  });
});

describe("weave ps", () => {
  const containers = [
    { ref: "weave:expose", ident: "weave:expose", mac: "8a:3e:3e:3e:3e:3e", cidrs: [] },
    {
      ref: "3fae9bd2f6b2".padEnd(64, "0"),
      ident: "3fae9bd2f6b2".padEnd(64, "0"),
      mac: "02:00:00:00:00:01",
      cidrs: ["10.2.1.1/24", "10.2.2.1/24"],
    },
    { ref: "netns:customer-42", ident: "netns:customer-42", mac: "02:00:00:00:00:02", cidrs: [] },
  ];

  test("prints id, MAC and addresses; long ids are cut, names are not", async () => {
    const outcome = await weave(["ps"], { answer: () => JSON.stringify({ containers }) });
    expect(outcome.stdout).toBe(
      "weave:expose 8a:3e:3e:3e:3e:3e\n" +
        "3fae9bd2f6b2 02:00:00:00:00:01 10.2.1.1/24 10.2.2.1/24\n" +
        "netns:customer-42 02:00:00:00:00:02\n",
    );
    expect(outcome.requests.map(requestLine)).toEqual(["GET /ps"]);
  });

  test("asks for the containers named", async () => {
    const { requests } = await weave(["ps", "c1", "netns:c2"], {
      answer: () => '{"containers":[]}',
    });
    expect(requests.map(requestLine)).toEqual(["GET /ps?container=c1&container=netns:c2"]);
  });

  test("has a JSON form", async () => {
    const { stdout } = await weave(["ps", "--json"], {
      answer: () => JSON.stringify({ containers }),
    });
    expect(JSON.parse(stdout)).toEqual({ schema: "weave/ps/1", containers });
  });
});

describe("an answer of another shape", () => {
  test("is an error that points at the versions", async () => {
    for (const body of ["", "null", "{}", "<html>", '{"cidrs":[1]}']) {
      const { code, stderr } = await weave(["attach", "c"], { answer: () => body });
      expect(code).toBe(1);
      expect(stderr).toContain("the router's answer is not understood");
      expect(stderr).toContain("weave version");
    }
  });
});
