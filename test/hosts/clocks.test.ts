import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import type { Picture } from "../../lib/api/picture-models.ts";
import type { Finding } from "../../lib/diagnosis/finding.ts";
import { type Host, Lab } from "./lab.ts";
import { eventually } from "./shell.ts";

/** Two of three hosts have the right time, as far as they know. */
const aheadMs = 12 * 60_000;

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.onSwitch("dck", 3);
  const [one, two, three] = lab.hosts as [Host, Host, Host];
  three.env.WRONG_CLOCK_MS = String(aheadMs);
  three.env.BUN_OPTIONS = `--preload ${join(import.meta.dir, "wrong-clock.ts")}`;
  await one.launch();
  await two.launch([one.ip]);
  await three.launch([one.ip, two.ip]);
  await three.established(2);
});

afterAll(() => lab?.[Symbol.asyncDispose]());

/** States are told on connecting where they are news, and at the latest in the next round or so. */
const toldMaxMs = 100_000;

/** What doctor says of clocks, once that has this beginning. */
async function clockFinding(host: Host, beginning: RegExp): Promise<Finding> {
  const ofClocks = ({ findings }: { readonly findings: readonly Finding[] }): Finding[] =>
    findings.filter(({ code }) => code.startsWith("CLOCK_"));
  const answer = await eventually(
    `${beginning} at ${host.namespace}`,
    async () => JSON.parse((await host.weave(["doctor", "--json"])).stdout),
    (each) => ofClocks(each).some(({ sentence }) => beginning.test(sentence)),
    toldMaxMs,
  );
  expect(ofClocks(answer)).toHaveLength(1);
  return ofClocks(answer)[0]!;
}

test("a host whose clock is wrong is named by its neighbours, and knows itself that it is", async () => {
  const [one, two, three] = lab.hosts as [Host, Host, Host];
  for (const host of [one, two]) {
    const found = await clockFinding(host, /^the clock of host3 \(\S+\) is 1[12] min ahead of /);
    expect(found).toMatchObject({ code: "CLOCK_SKEW", severity: "error" });
  }
  await clockFinding(three, /^the clock of this host is 1[12] min ahead of those of 2 of 2 /);
  const metrics = (await one.exec(["curl", "-s", "http://127.0.0.1:6784/metrics"])).stdout;
  const labels = `nickname="host3",peer="${three.peerName}"`;
  const value = metrics.split(`weave_neighbour_clock_offset_seconds{${labels}} `)[1];
  expect(Number.parseFloat(value!) / 60).toBeCloseTo(12, 0);
  const { connections } = JSON.parse(await two.mustWeave(["status", "connections", "--json"]));
  const offsets = connections.map((each: { clockOffsetMs?: number }) => each.clockOffsetMs);
  expect(Math.max(...offsets) / 60_000).toBeCloseTo(12, 0);
  const asked = await two.exec(["curl", "-s", "http://127.0.0.1:6784/picture?links=own"]);
  const { links } = JSON.parse(asked.stdout) as Picture;
  const shown = links.map(({ own }) => own?.clockOffsetMs ?? 0);
  expect(Math.max(...shown) / 60_000).toBeCloseTo(12, 0);
});
