import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Host, Lab } from "./lab.ts";
import { eventually } from "./shell.ts";

describe("a host that has lost its disk", () => {
  let lab: Lab;
  let one: Host;
  let two: Host;

  beforeAll(async () => {
    lab = await Lab.onSwitch("lcn", 2);
    [one, two] = [lab.hosts[0]!, lab.hosts[1]!];
    await two.launch();
    await one.launch([two.ip]);
    await one.established(1);
  });
  afterAll(() => lab?.[Symbol.asyncDispose]());

  test("has its name, peers, addresses and names again, and gives out none of another", async () => {
    const [mine, theirs] = [await one.container("c1"), await two.container("c2")];
    const ip = await one.mustWeave(["attach", mine.reference]);
    const taken = await two.mustWeave(["attach", theirs.reference]);
    const exposed = await one.mustWeave(["expose"]);
    await one.mustWeave(["dns-add", mine.reference, "-h", "mine.weave.local"]);
    const file = join(lab.folder, "snapshot.json");
    await one.mustWeave(["snapshot", "save", file]);
    const before = await one.mustWeave(["status", "ipam"]);

    await one.mustWeave(["stop"]);
    for (const name of readdirSync(one.env.WEAVE_STATE_DIR!)) {
      rmSync(join(one.env.WEAVE_STATE_DIR!, name), { recursive: true });
    }
    await one.mustWeave(["snapshot", "restore", file]);
    // Neither its name nor its peers are told to it.
    await one.mustWeave(["launch", "--no-fastdp", "--nickname", "host1", "--resume"]);
    await one.established(1);
    expect(await one.mustWeave(["report", "-f", "{{.Router.Name}}"])).toBe(one.peerName);
    expect(await one.mustWeave(["status", "targets"])).toBe(two.ip);
    expect(await one.mustWeave(["ps", "weave:expose"])).toContain(exposed);
    expect(await one.mustWeave(["dns-lookup", "mine"])).toBe(ip);
    await theirs.pings(ip);
    await eventually(
      "the same share of the addresses as before",
      () => one.mustWeave(["status", "ipam"]),
      (text) => text === before,
    );
    const more = await one.container("c3");
    expect([ip, taken, exposed]).not.toContain(await one.mustWeave(["attach", more.reference]));
  });
});
