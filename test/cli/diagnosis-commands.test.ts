import { describe, expect, test } from "bun:test";
import { ApiError } from "../../lib/cli/api-error.ts";
import type { Diagnosis } from "../../lib/diagnosis/doctor/diagnosis.ts";
import { finding } from "../../lib/diagnosis/finding.ts";
import type { Explanation } from "../../lib/diagnosis/why/explanation.ts";
import { requestLine, weave } from "./command-line.ts";

const examined = { router: "host1", links: 2, peers: 3, containers: 1 };
const mended = finding("BRIDGE_DOWN", "weave", "the bridge weave is down", {
  commands: ["ip link set dev weave up"],
});
const warned = finding("OWNER_GONE", "host9", "host9 is not there and owns 16 addresses");
const noted = finding("NICKNAME_SHARED", "twin", "a, b are all called twin");

function answering(diagnosis: Diagnosis | Explanation) {
  return { answer: () => JSON.stringify(diagnosis) };
}

const found: Diagnosis = { examined, findings: [mended, warned] };

describe("doctor", () => {
  test("says on its first line how it stands, then what mends it", async () => {
    const { stdout, code, requests } = await weave(["doctor"], answering(found));
    expect(requests.map(requestLine)).toEqual(["GET /doctor"]);
    expect(stdout).toBe(`1 error, 1 warning: looked at host1, 2 links, 3 peers, 1 container.

error BRIDGE_DOWN
  the bridge weave is down.
  To mend it: put it up:
    ip link set dev weave up

warning OWNER_GONE
  host9 is not there and owns 16 addresses.
  To mend it: bring the peer back, or take its addresses over if it is gone for
  good.
`);
    expect(code).toBe(6);
  });

  test("ends with a code that says how bad the worst is", async () => {
    const codeOf = async (...findings: Diagnosis["findings"]) =>
      (await weave(["doctor"], answering({ examined, findings }))).code;
    expect(await codeOf()).toBe(0);
    expect(await codeOf(noted)).toBe(0);
    expect(await codeOf(warned, noted)).toBe(5);
    expect(await codeOf(mended, warned)).toBe(6);
  });

  test("prints the same as JSON of a versioned schema", async () => {
    const { stdout, code } = await weave(["doctor", "--json"], answering(found));
    expect(JSON.parse(stdout)).toEqual({ schema: "weave/doctor/1", ...found });
    expect(code).toBe(6);
  });

  test("looks at the host alone when no router answers", async () => {
    const { stdout, router, code } = await weave(["doctor"]);
    expect(router).toEqual(["examine"]);
    expect(stdout).toBe(
      "Nothing found to mend: looked at this host, 0 containers, and no router.\n",
    );
    expect(code).toBe(0);
  });

  test("does not take a forbidden socket for a router that is not there", async () => {
    const forbidden = () => {
      throw new ApiError("unreachable", "API_FORBIDDEN", "this user may not use it");
    };
    const { router, code, stderr } = await weave(["doctor"], { answer: forbidden });
    expect({ router, code }).toEqual({ router: [], code: 7 });
    expect(stderr).toContain("this user may not use it");
  });

  test("shows colours on a screen, and text without them otherwise", async () => {
    const coloured = await weave(["doctor"], { ...answering(found), isColoured: true });
    const plain = await weave(["doctor"], answering(found));
    expect(coloured.stdout).toContain("\u001b[31merror BRIDGE_DOWN\u001b[0m");
    expect(Bun.stripANSI(coloured.stdout)).toBe(plain.stdout);
  });

  test("never breaks a command, however long, and no other line is wider than 80 columns", async () => {
    const command = `ip route replace ${"10.32.0.0/12 ".repeat(12)}dev ethwe`;
    const long = finding("ROUTE_MISSING", "c", "word ".repeat(60).trim(), { commands: [command] });
    const { stdout } = await weave(["doctor"], answering({ examined, findings: [long] }));
    expect(stdout).toContain(`\n    ${command}\n`);
    const lines = stdout.split("\n").filter((line) => !line.includes(command));
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  });
});

describe("why", () => {
  const explanation: Explanation = {
    from: "netns:blue",
    to: "db",
    verdict: "degraded",
    answer: "netns:blue to db: there is a way, but slower",
    steps: [
      {
        kind: "container",
        title: "netns:blue",
        details: [{ name: "address", value: "10.32.0.1/12" }],
      },
    ],
    findings: [warned],
  };

  test("asks for one place or two", async () => {
    const one = await weave(["why", "host2"], answering(explanation));
    expect(one.requests.map(requestLine)).toEqual(["GET /why?from=host2"]);
    const two = await weave(["why", "netns:blue", "db"], answering(explanation));
    expect(two.requests.map(requestLine)).toEqual(["GET /why?from=netns:blue&to=db"]);
  });

  test("answers on its first line, then goes the way step by step", async () => {
    const { stdout, code } = await weave(["why", "netns:blue", "db"], answering(explanation));
    expect(stdout).toStartWith(`netns:blue to db: there is a way, but slower.

netns:blue
  address  10.32.0.1/12

warning OWNER_GONE
`);
    expect(code).toBe(5);
  });

  test("prints the same as JSON of a versioned schema", async () => {
    const { stdout } = await weave(["why", "netns:blue", "db", "--json"], answering(explanation));
    expect(JSON.parse(stdout)).toEqual({ schema: "weave/why/1", ...explanation });
  });

  test("needs a router, and a place", async () => {
    expect((await weave(["why", "host2"])).code).toBe(7);
    const { code, stderr } = await weave(["why"], answering(explanation));
    expect(code).toBe(1);
    expect(stderr).toContain("weave why");
  });
});
