import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, readSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closeDescriptor } from "../../ffi/descriptor.ts";
import { AF_UNIX, bindSocket, openSocket, SOCK_DGRAM, sockaddrUn } from "../../ffi/socket.ts";
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
  readonly by?: unknown;
}

async function told(words: readonly string[] = [], host = lab.hosts[0]!): Promise<Told[]> {
  const output = await host.mustWeave(["events", "--json", ...words]);
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
  const ofContainer = await told(["--container", container.reference]);
  expect(ofContainer.map(({ kind }) => kind)).toEqual([
    ...["address.allocated", "container.attached", "address.released", "container.detached"],
  ]);
  for (const { by } of ofContainer) {
    expect(by).toEqual({ kind: "cli", user: expect.any(String), pid: expect.any(Number) });
  }
  const ofPeer = await told(["--peer", "host2", "--kind", "link.established"]);
  expect(ofPeer.map(({ by }) => by)).toEqual([undefined]);
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
    /Z {2}to connect to: 10\.99\.99\.99 .*\n.*Z {2}not to connect any more to: 10/s,
  );
  follower.kill("SIGINT");
  expect(await follower.exited).toBe(0);
});

test("they go to a file of the operator's and to a logger as well, which status and metrics show", async () => {
  const one = lab.hosts[0]!;
  const folder = mkdtempSync(join(tmpdir(), "weave-ev-"));
  const [file, logger] = [join(folder, "audit.jsonl"), join(folder, "log")];
  const descriptor = openSocket(AF_UNIX, SOCK_DGRAM, 0, logger);
  bindSocket(descriptor, sockaddrUn(logger), logger);
  try {
    await one.mustWeave(["stop"]);
    await one.launch([
      ...["--events-file", file, "--events-syslog", `unix://${logger}`],
      ...["--events-syslog-facility", "local3"],
    ]);
    const container = await one.container("c2");
    await one.mustWeave(["attach", container.reference]);
    const written = readFileSync(file, "utf8").trim().split("\n");
    const attached = written.map((line) => JSON.parse(line)).find(isAttached);
    expect(attached).toMatchObject({
      by: { kind: "cli" },
      text: expect.stringMatching("attached"),
    });
    let heard = "";
    const buffer = new Uint8Array(4096);
    while (!heard.includes(" container.attached ")) {
      heard += `${new TextDecoder().decode(buffer.subarray(0, readSync(descriptor, buffer)))}\n`;
    }
    expect(heard).toMatch(/^<158>1 \S+Z \S+ weave \d+ router\.started \[weave@32473 id="\d+" /m);
    expect(heard).toMatch(/^<157>1 .* container="\S+" .* by="cli" byUser="\w+" byPid="\d+"\] /m);
    const status = await one.mustWeave(["status"]);
    expect(status).toContain(
      `        Service: events\n           File: ${file}\n         Syslog: unix`,
    );
    const metrics = (await one.exec(["curl", "-s", "http://127.0.0.1:6784/metrics"])).stdout;
    expect(metrics).toMatch(/weave_events_sent_total\{outlet="file"\} [1-9]/);
    expect(metrics).toContain('weave_events_lost_total{outlet="syslog"} 0');
  } finally {
    closeDescriptor(descriptor);
    rmSync(folder, { recursive: true });
  }
});

test("policies of another host are told with that host, and the size of packets to it", async () => {
  const [one, two] = [lab.hosts[0]!, lab.hosts[1]!];
  await one.mustWeave(["stop"]);
  await one.launch();
  await two.launch([one.ip]);
  await one.established(1);
  const folder = mkdtempSync(join(tmpdir(), "weave-ev-"));
  const file = join(folder, "policy.json");
  const policy = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" };
  const name = { namespace: "shop", name: "quiet" };
  writeFileSync(file, JSON.stringify({ ...policy, metadata: name, spec: { podSelector: {} } }));
  try {
    await two.mustWeave(["policy", "apply", "-f", file]);
    await two.mustWeave(["policy", "delete", "-f", file]);
  } finally {
    rmSync(folder, { recursive: true });
  }
  const details = { kind: "NetworkPolicy", ...name, peer: two.peerName };
  const story = [
    { kind: "policy.applied", details: { ...details, change: "created" } },
    { kind: "policy.deleted", details },
  ];
  const kinds = ["--kind", "policy.applied", "--kind", "policy.deleted", "--peer", two.peerName];
  const there = await told(kinds, two);
  expect(there).toMatchObject(story.map((each) => ({ ...each, by: { kind: "cli" } })));
  const here = await eventually(
    "the other host tells of it",
    () => told(kinds),
    (events) => events.length > 1,
  );
  expect(here).toMatchObject(story);
  expect(here.map(({ by }) => by)).toEqual([undefined, undefined]);
  const [sized] = await eventually(
    "the size of packets is told",
    () => told(["--kind", "link.mtu", "--peer", two.peerName]),
    (events) => events.length > 0,
  );
  expect(sized!.details).toMatchObject({ overlay: "sleeve", mtu: expect.any(Number) });
});

const isAttached = ({ kind }: { readonly kind: string }): boolean => kind === "container.attached";
