import { afterAll, beforeAll, expect, test } from "bun:test";
import { Lab, weaveCommand } from "./lab.ts";
import { eventually, must } from "./shell.ts";

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.onSwitch("ev", 2);
});

afterAll(() => lab?.[Symbol.asyncDispose]());

interface Told {
  readonly id: number;
  readonly kind: string;
  readonly details: Readonly<Record<string, unknown>>;
}

async function told(words: readonly string[] = []): Promise<Told[]> {
  const output = await lab.hosts[0]!.mustWeave(["events", "--json", ...words]);
  return output
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Told);
}

test("what happens on a host and its network is told, also of runs before", async () => {
  const [one, two] = [lab.hosts[0]!, lab.hosts[1]!];
  await one.launch();
  await two.launch([one.ip]);
  await one.established(1);
  const container = await one.container("c1");
  const address = await one.mustWeave(["attach", container.reference]);
  const exposed = await one.mustWeave(["expose", "-h", "here.weave.local"]);
  await must(["ip", "-n", one.namespace, "link", "del", "weave"]);
  await container.pings(exposed);
  await one.mustWeave(["detach", container.reference]);
  await two.mustWeave(["stop"]);
  await eventually(
    "the link is told to be lost",
    () => told(["--kind", "link.lost"]),
    (events) => events.length > 0,
  );
  await one.mustWeave(["stop"]);
  await one.launch();
  const events = await told();
  expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1));
  const kinds = events.map(({ kind }) => kind);
  const story = [
    "router.started",
    "link.established",
    "container.attached",
    "bridge.exposed",
    "host.mended",
    "container.detached",
    "link.lost",
    "router.stopping",
    "router.started",
  ];
  let at = -1;
  for (const kind of story) {
    at = kinds.indexOf(kind, at + 1);
    expect(`${kind} at ${at}: ${kinds}`).not.toContain(" at -1:");
  }
  const attached = events.find(({ kind }) => kind === "container.attached")!.details;
  expect(attached).toMatchObject({ container: container.reference });
  expect(`${attached.addresses}`.split("/")[0]).toBe(address);
  const added = events.find(({ kind }) => kind === "name.added")!.details;
  expect(added).toMatchObject({ name: "here.weave.local.", address: exposed });
});

test("who follows hears of things as they happen, and ends when asked to", async () => {
  const one = lab.hosts[0]!;
  const command = [...weaveCommand(), "events", "-f", "--kind", "target"];
  const inside = ["nsenter", `--net=/run/netns/${one.namespace}`, ...command];
  await using follower = Bun.spawn(inside, {
    env: { ...process.env, ...one.env },
    stdout: "pipe",
  });
  const lines = follower.stdout.pipeThrough(new TextDecoderStream()).getReader();
  await one.mustWeave(["connect", "10.99.99.99"]);
  await one.mustWeave(["forget", "10.99.99.99"]);
  let text = "";
  while (!text.includes("not to connect")) text += (await lines.read()).value ?? "";
  expect(text).toMatch(
    /Z {2}to connect to: 10\.99\.99\.99\n.*Z {2}not to connect any more to: 10/s,
  );
  follower.kill("SIGINT");
  expect(await follower.exited).toBe(0);
});
