import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CniError, cniCode } from "../../lib/cni/cni-error.ts";
import { runPlugin } from "../../lib/cni/run-plugin.ts";
import { FakeCall } from "./fake-router.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "weave-delegate-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a plugin of addresses does, in shell; it writes down who calls and what is on its stdin. */
function put(name: string, body: string): void {
  const script = `#!/bin/sh
echo "$CNI_COMMAND $CNI_CONTAINERID" >>"$0.calls"
cat >"$0.stdin"
${body}
`;
  writeFileSync(join(folder, name), script, { mode: 0o755 });
}

async function called(command: string, type: string, call = new FakeCall()) {
  const config = {
    ...{ cniVersion: "1.1.0", name: "n", ipam: { type, of: "its own" } },
    "cni.dev/valid-attachments": [],
  };
  const environment = { CNI_PATH: `relative:/nowhere:${folder}` };
  const outcome = await runPlugin("weave-net", call.surroundings(command, config, environment));
  const calls = join(folder, `${type}.calls`);
  return {
    ...outcome,
    ...{ call, config, asked: call.router.asked },
    calls: existsSync(calls) ? readFileSync(calls, "utf8").trim().split("\n") : [],
  };
}

describe("another plugin for addresses", () => {
  test("gets what we got, and its first address is used with its routes", async () => {
    put(
      "routed",
      `echo '{"cniVersion":"0.2.0","ip4":{"ip":"10.40.0.9/16","routes":[{"dst":"10.0.0.0/8","gw":"10.40.0.1"}]}}'`,
    );
    const { asked, config, exitCode } = await called("ADD", "routed");
    expect(exitCode).toBe(0);
    expect(JSON.parse(readFileSync(join(folder, "routed.stdin"), "utf8"))).toEqual(config);
    expect(asked).toMatchObject([
      ["add", { address: "10.40.0.9/16", routes: [{ dst: "10.0.0.0/8", gw: "10.40.0.1" }] }],
    ]);
  });

  test("gives the bridge its address where a default route needs one", async () => {
    put("plain", `echo '{"cniVersion":"1.0.0","ips":[{"address":"10.40.0.9/16"}]}'`);
    const { asked, calls } = await called("ADD", "plain");
    expect(calls).toEqual(["ADD abcdef123456", "ADD weave-expose"]);
    expect(asked.slice(0, 2)).toEqual([["bridgeAddresses"], ["expose", "10.40.0.9/16"]]);
  });

  test("gets the bridge's address back when the bridge does not get it", async () => {
    put("refused", `echo '{"cniVersion":"1.0.0","ips":[{"address":"10.40.0.9/16"}]}'`);
    const call = new FakeCall();
    call.router.expose = () => Promise.reject(new CniError(cniCode.failed, "no room"));
    const { output, calls } = await called("ADD", "refused", call);
    expect(output).toMatchObject({ code: 100, msg: "no room" });
    expect(calls).toEqual([
      ...["ADD abcdef123456", "ADD weave-expose", "DEL weave-expose", "DEL abcdef123456"],
    ]);
  });

  test("gets its address back when the router fails, whose reason counts", async () => {
    put(
      "returned",
      `[ "$CNI_COMMAND" = ADD ] || exit 3
echo '{"ips":[{"address":"10.40.0.9/16","gateway":"10.40.0.1"}]}'`,
    );
    const call = new FakeCall();
    call.router.failure = new CniError(cniCode.failed, "no room");
    const { output, calls } = await called("ADD", "returned", call);
    expect(output).toMatchObject({ code: 100, msg: "no room" });
    expect(calls).toEqual(["ADD abcdef123456", "DEL abcdef123456"]);
    expect(call.warnings).toHaveLength(1);
  });

  for (const [what, body, error] of [
    [
      "whose reason it gives",
      `echo '{"code":11,"msg":"full","details":"wait"}'; exit 1`,
      { code: 11, msg: "full" },
    ],
    ["without a reason", "echo oh; exit 7", { code: 102, details: "oh" }],
    ["by what is no JSON", "echo yes", { code: 102 }],
    ["by a result without address", "echo '{}'", { code: 102 }],
    ["by an address that is none", `echo '{"ips":[{"address":"here"}]}'`, { code: 6 }],
    ["by answering without end", "exec cat /dev/zero", { code: 102 }],
  ] as const) {
    test(`fails ${what}, and the runtime is told`, async () => {
      put("failing", body);
      const { output, asked } = await called("ADD", "failing");
      expect(output).toMatchObject(error);
      expect(asked).toEqual([]);
    });
  }

  test("is asked for all that the runtime asks for", async () => {
    put("asked", "");
    for (const command of ["DEL", "GC", "STATUS"]) {
      expect((await called(command, "asked")).exitCode).toBe(0);
    }
    expect((await called("DEL", "asked")).calls.map((line) => line.split(" ")[0]!)).toEqual([
      ...["DEL", "GC", "STATUS", "DEL"],
    ]);
  });
});
