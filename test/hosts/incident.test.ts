import { afterAll, beforeAll, expect, test } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";
import { readBundleFile } from "../../lib/cli/bundle-file.ts";
import { type Host, Lab } from "./lab.ts";
import { eventually, must } from "./shell.ts";

const password = "Tr0ub4dor-and-3";

/** A letter for each end of a link that is established. */
const establishedEnds =
  "{{range .Router.Peers}}{{range .Connections}}{{if .Established}}x{{end}}{{end}}{{end}}";

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.onSwitch("gi", 3);
});

afterAll(() => lab?.[Symbol.asyncDispose]());

/** As somebody does who pulls the cable. */
async function plug(host: Host, way: "up" | "down"): Promise<void> {
  await must(["ip", "-n", host.namespace, "link", "set", "eth0", way]);
}

test("a bundle of a host tells a cut so that it can be replayed elsewhere, and no password", async () => {
  const [one, two, three] = lab.hosts as [Host, Host, Host];
  const options = ["--password", password, "--ipalloc-init", "consensus=2"];
  await one.launch(options);
  await two.launch([...options, one.ip]);
  await three.launch([...options, one.ip, two.ip]);
  await one.established(2);
  await two.established(2);
  const container = await one.container("c1");
  await one.mustWeave(["attach", container.reference]);
  await one.mustWeave(["dns-add", container.reference, "-h", "web.weave.local"]);

  await plug(three, "down");
  await eventually(
    "a host out of sight",
    () => one.mustWeave(["report", "-f", "{{len .Router.Peers}}"]),
    (count) => count.trim() === "2",
    60_000,
  );
  await plug(three, "up");
  // What is news still when the bundle is made is not in it.
  await eventually(
    "three links, in the eyes of both their ends, as the first host has heard",
    () => one.mustWeave(["report", "-f", establishedEnds]),
    (ends) => ends.trim() === "x".repeat(6),
    60_000,
  );

  const file = join(lab.folder, "incident.json.gz");
  const said = await one.weave(["report", "--bundle", file]);
  expect(said.code).toBe(0);
  expect(said.stderr).toContain("3 peers");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const bundle = readBundleFile(file);
  const text = JSON.stringify(bundle);
  expect(text).not.toContain(password);
  expect(bundle.unexamined).toEqual([]);
  expect(bundle.platform.kernel).toStartWith("Linux ");
  expect(bundle.metrics).toContain("weave_connections{");
  expect(bundle.history.gossip.some(({ channel }) => channel === "IPallocation")).toBe(true);
  const changes = bundle.history.topology.map(({ change }) => change);
  expect(changes).toContain("parted");

  // Where no router runs.
  const replayed = await three.mustWeave(["simulate", "--bundle", file, "--json"]);
  const { scenes, differing, asTold, heals } = JSON.parse(replayed);
  expect({ differing, asTold, heals }).toEqual({ differing: [], asTold: true, heals: true });
  const parts: string[][][] = scenes.map((scene: { parts: string[][] }) => scene.parts);
  expect(parts.some((each) => each.length === 2 && each.some((part) => part.length === 1))).toBe(
    true,
  );
  expect(parts.at(-1)).toHaveLength(1);

  const redacted = join(lab.folder, "public.json.gz");
  await one.mustWeave(["report", "--bundle", "--redact", "addresses,names", redacted]);
  const open = JSON.stringify(readBundleFile(redacted));
  for (const host of lab.hosts) {
    expect(open).not.toContain(host.ip);
    expect(open).not.toContain(`"host${host.number}"`);
  }
  expect(open).not.toContain("web.");
  expect((await three.weave(["simulate", "--bundle", redacted])).code).toBe(0);
}, 180_000);
