import { describe, expect, test } from "bun:test";
import { ApiError } from "../../lib/cli/api-error.ts";
import { requestLine, weave } from "./command-line.ts";

const off = () => {
  throw new ApiError("feature-off", "API_NOT_FOUND", "the router runs without DNS", {
    status: 404,
  });
};
const none = () => '{"names":[],"ignored":[]}';

describe("weave dns-add and dns-remove", () => {
  test("take addresses, a container and a name in every documented shape", async () => {
    const shapes: Array<[string, string]> = [
      ["dns-add c1", '{"container":"c1","addresses":[]}'],
      ["dns-add c1 -h n", '{"container":"c1","addresses":[],"fqdn":"n"}'],
      [
        "dns-add 10.2.1.1 10.2.1.2 c1 -h n",
        '{"container":"c1","addresses":["10.2.1.1","10.2.1.2"],"fqdn":"n"}',
      ],
      ["dns-add -h n 10.2.1.1", '{"addresses":["10.2.1.1"],"fqdn":"n"}'],
    ];
    for (const [line, body] of shapes) {
      for (const command of ["dns-add", "dns-remove"]) {
        const words = line.replace("dns-add", command).split(" ");
        const outcome = await weave(words, { answer: none });
        expect(outcome).toMatchObject({ code: 0, stdout: "", stderr: "" });
        expect(outcome.requests.map(requestLine)).toEqual([`POST /${command} ${body}`]);
      }
    }
  });

  test("want a name for bare addresses", async () => {
    expect((await weave(["dns-add", "10.2.1.1"])).stderr).toBe(
      "'weave dns-add' needs a name for 10.2.1.1\ngive it with -h <fqdn>\n",
    );
    expect((await weave(["dns-remove"])).stderr).toContain("needs a container or addresses");
    expect((await weave(["dns-add", "a", "b", "-h", "n"])).stderr).toContain("takes one container");
  });

  test("tell which names were left alone, and succeed", async () => {
    const outcome = await weave(["dns-add", "c1", "-h", "x.example"], {
      answer: () =>
        '{"names":[],"ignored":[{"fqdn":"x.example","reason":"it is not in weave.local."}]}',
    });
    expect(outcome.code).toBe(0);
    expect(outcome.stderr).toBe("x.example was left alone: it is not in weave.local.\n");
  });

  test("tell that a container has no name of its own", async () => {
    const outcome = await weave(["dns-add", "netns:c1"], {
      answer: () => '{"names":[],"ignored":[{"fqdn":"","reason":"it has no domain"}]}',
    });
    expect(outcome).toMatchObject({
      code: 0,
      stderr: "netns:c1 was left alone: it has no domain\n",
    });
  });

  test("say that DNS is off instead of looking successful", async () => {
    const outcome = await weave(["dns-add", "c1", "-h", "n"], { answer: off });
    expect(outcome).toMatchObject({ code: 4, stderr: "the router runs without DNS\n" });
  });
});

describe("weave dns-lookup", () => {
  test("prints one address a line, and nothing for an unknown name", async () => {
    const known = await weave(["dns-lookup", "web"], {
      answer: () => '{"addresses":["10.32.0.1","10.32.0.2"]}',
    });
    expect(known).toMatchObject({ code: 0, stdout: "10.32.0.1\n10.32.0.2\n" });
    expect(known.requests.map(requestLine)).toEqual(["GET /dns-lookup/web"]);
    const unknown = await weave(["dns-lookup", "x"], { answer: () => '{"addresses":[]}' });
    expect(unknown).toMatchObject({ code: 0, stdout: "", stderr: "" });
  });

  test("has a JSON form", async () => {
    const { stdout } = await weave(["dns-lookup", "web", "--json"], {
      answer: () => '{"addresses":["10.32.0.1"]}',
    });
    expect(JSON.parse(stdout)).toEqual({
      schema: "weave/dns-lookup/1",
      name: "web",
      addresses: ["10.32.0.1"],
    });
  });
});

describe("weave dns-args", () => {
  test("prints docker's options without a line end", async () => {
    const outcome = await weave(["dns-args"], {
      answer: ({ path }) => (path[0] === "domain" ? "weave.local." : "172.17.0.1"),
    });
    expect(outcome).toMatchObject({
      code: 0,
      stdout: "--dns=172.17.0.1 --dns-search=weave.local.",
    });
  });

  test("prints nothing when DNS is off", async () => {
    expect(await weave(["dns-args"], { answer: off })).toMatchObject({
      code: 0,
      stdout: "",
      stderr: "",
    });
  });

  test("can be told both by the environment", async () => {
    const outcome = await weave(["dns-args"], {
      environment: { DNS_DOMAIN: "d.", DNS_ADDRESS: "1.2.3.4" },
    });
    expect(outcome.stdout).toBe("--dns=1.2.3.4 --dns-search=d.");
    expect(outcome.requests).toEqual([]);
  });
});
