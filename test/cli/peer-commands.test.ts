import { describe, expect, test } from "bun:test";
import { ApiError } from "../../lib/cli/api-error.ts";
import { requestLine, weave } from "./command-line.ts";

const quiet = () => "";

describe("weave connect", () => {
  test("adds peers, or replaces them all", async () => {
    const added = await weave(["connect", "host1", "10.0.0.1:6783"], { answer: quiet });
    expect(added).toMatchObject({ code: 0, stdout: "", stderr: "" });
    expect(added.requests.map(requestLine)).toEqual([
      "POST /connect?peer=host1&peer=10.0.0.1:6783",
    ]);
    const replaced = await weave(["connect", "--replace", "host1"], { answer: quiet });
    expect(replaced.requests.map(requestLine)).toEqual(["POST /connect?peer=host1&replace=true"]);
  });

  test("with --replace and no peer empties the list; without it asks for one", async () => {
    const emptied = await weave(["connect", "--replace"], { answer: quiet });
    expect(emptied.requests.map(requestLine)).toEqual(["POST /connect?replace=true"]);
    const refused = await weave(["connect"], { answer: quiet });
    expect(refused.code).toBe(1);
    expect(refused.requests).toEqual([]);
  });

  test("prints the router's complaints one a line and fails", async () => {
    const outcome = await weave(["connect", ":80", ":81"], {
      answer: () => {
        throw new ApiError("refused", "API_REFUSED", "bad :80\nbad :81", { status: 400 });
      },
    });
    expect(outcome).toMatchObject({ code: 1, stderr: "bad :80\nbad :81\n" });
  });
});

describe("weave forget", () => {
  test("passes the peers as they were typed", async () => {
    const { requests } = await weave(["forget", "host1", "host2"], { answer: quiet });
    expect(requests.map(requestLine)).toEqual(["POST /forget?peer=host1&peer=host2"]);
  });
});

describe("weave prime", () => {
  test("waits as long as the cluster needs", async () => {
    const { code, requests } = await weave(["prime"], { answer: quiet });
    expect(code).toBe(0);
    expect(requests[0]).toMatchObject({ method: "GET", path: ["ring"], patient: true });
  });

  test("says so when allocation is off, and fails with 4", async () => {
    const outcome = await weave(["prime"], {
      answer: ({ feature }) => {
        throw new ApiError("feature-off", "API_NOT_FOUND", `the router runs without ${feature}`);
      },
    });
    expect(outcome.code).toBe(4);
    expect(outcome.stderr).toContain("without address allocation");
  });
});

describe("weave rmpeer", () => {
  test("prints a line per peer, goes on after a failure, and then fails", async () => {
    const outcome = await weave(["rmpeer", "host1", "host2", "host3"], {
      answer: ({ path }) => {
        if (path[1] === "host2") throw new ApiError("refused", "X", "host2 is alive");
        return `4 IPs taken over from ${path[1]}\n`;
      },
    });
    expect(outcome).toMatchObject({
      code: 1,
      stdout: "4 IPs taken over from host1\n4 IPs taken over from host3\n",
      stderr: "host2: host2 is alive\n",
    });
  });

  test("passes --force on", async () => {
    const { requests } = await weave(["rmpeer", "--force", "h"], { answer: quiet });
    expect(requests.map(requestLine)).toEqual(["DELETE /peer/h?force=true"]);
  });
});

describe("without a router", () => {
  const sevens =
    "attach c|detach c|expose|hide|ps|dns-add c|dns-remove c|dns-lookup n|dns-args|connect p|forget p|prime|report";
  for (const line of sevens.split("|")) {
    test(`weave ${line} fails with 7 and says how to start one`, async () => {
      expect(await weave(line.split(" "))).toMatchObject({
        code: 7,
        stdout: "",
        stderr: "weave is not running\nstart it with 'weave launch'\n",
      });
    });
  }
  for (const line of ["status", "status peers", "status --json", "rmpeer h"]) {
    test(`weave ${line} fails with 1 and says how to start one`, async () => {
      expect(await weave(line.split(" "))).toMatchObject({
        code: 1,
        stdout: "",
        stderr: "weave is not running\nstart it with 'weave launch'\n",
      });
    });
  }
});
