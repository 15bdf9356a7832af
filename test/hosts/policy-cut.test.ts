import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { formatIpv4, parseIpv4 } from "../../lib/base/ip.ts";
import { type ConntrackEntry, connections } from "../../lib/host/netlink/conntrack.ts";
import { openNetfilter } from "../../lib/host/netlink/open.ts";
import { NetworkNamespace } from "../../lib/host/netns.ts";
import { cutMark } from "../../lib/host/policy/cut-mark.ts";
import { type Container, type Host, Lab } from "./lab.ts";
import type { LabPod } from "./pod-lab.ts";
import { mustBeCut, mustGoOn, PodTalk, type TalkOptions } from "./pod-talk.ts";
import { eventually } from "./shell.ts";

/** Reaches db: what has label app=web, and what is in a namespace with label team=blue. */
const policies = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: default}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
    - from:
        - podSelector: {matchLabels: {app: web}}
        - namespaceSelector: {matchLabels: {team: blue}}
`;
const team = (labels: string) =>
  `{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {${labels}}}}`;

let lab: Lab;
let one: Host;
let two: Host;
const talks = new DisposableStack();
let port = 8000;

/** A container with these labels, and where a test speaks for it. */
async function attached(host: Host, name: string, ...labels: readonly string[]) {
  const container = await host.container(name);
  return { container, pod: podOf(container, await attach(host, container, ...labels)) };
}

function attach(host: Host, { reference }: Container, ...labels: readonly string[]) {
  return host.mustWeave(["attach", reference, ...labels.flatMap((each) => ["--label", each])]);
}

function podOf({ namespace }: Container, address: string): LabPod {
  return {
    namespace: talks.use(new NetworkNamespace(`/run/netns/${namespace}`)),
    ...{ ipv4: parseIpv4(address), ipv6: "" },
  };
}

async function begin(
  from: { readonly pod: LabPod },
  to: { readonly pod: LabPod },
  protocol: TalkOptions["protocol"] = "TCP",
): Promise<PodTalk> {
  return talks.use(await PodTalk.begin(from.pod, to.pod, ++port, { protocol }));
}

async function policyStatus(host: Host): Promise<{ standing?: { cut: number } } | undefined> {
  return JSON.parse(await host.mustWeave(["status", "--json"])).policy;
}

/** Connections of which the host's kernel drops what belongs to them. */
function cutAt(host: Host): ConntrackEntry[] {
  using namespace = new NetworkNamespace(`/run/netns/${host.namespace}`);
  using netlink = openNetfilter(namespace);
  return [...connections(netlink, { marked: cutMark })].flat();
}

async function isCut(host: Host, { port }: PodTalk): Promise<void> {
  await eventually(
    `the end of the connection to port ${port} at ${host.namespace}`,
    async () => cutAt(host).map(({ reply }) => reply.sourcePort),
    (ports) => ports.includes(port),
  );
}

function apply(text: string): Promise<string> {
  return one.mustWeave(["policy", "apply", "-f", "-"], { stdin: text });
}

let web: Awaited<ReturnType<typeof attached>>;
let guest: typeof web;
let near: typeof web;
let db: typeof web;

beforeAll(async () => {
  lab = await Lab.onSwitch("kct", 2);
  [one, two] = lab.hosts as [Host, Host];
  // Else the kernel would keep track of what crosses bridges whoever asks for it.
  const hide = "for each in /proc/sys/net/bridge/bridge-nf-call-ip*; do echo 0 > $each; done";
  for (const host of lab.hosts) await host.exec(["sh", "-c", hide]);
  await one.launch(["--policy-standing", "cut"]);
  await two.launch(["--policy-standing", "cut", "--policy-filter", "iptables", one.ip]);
  web = await attached(one, "web", "app=web");
  guest = await attached(one, "guest", "weave.works/namespace=shop");
  near = await attached(two, "near");
  db = await attached(two, "db", "app=db");
  await web.container.pings(formatIpv4(db.pod.ipv4));
});

afterAll(async () => {
  talks.dispose();
  await lab?.[Symbol.asyncDispose]();
});

describe("connections that stand, with --policy-standing cut", () => {
  test("are ended by the first policy, between hosts and on one, those that it allows go on", async () => {
    const allowed = await begin(web, db);
    const denied = [
      await begin(guest, db),
      await begin(near, db),
      await begin(guest, db, "UDP"),
      await begin(near, db, "UDP"),
    ];
    await apply(policies);
    for (const each of denied) await isCut(two, each);
    for (const each of denied) await mustBeCut(each, allowed);
    await mustGoOn(allowed);
    expect((await policyStatus(one))?.standing?.cut).toBe(0);
  });

  test("are told of where they end: in events, in the log, in metrics and in the status", async () => {
    const events = (await two.mustWeave(["events", "--json", "--kind", "policy.cut"])).split("\n");
    const told = events.map((line) => JSON.parse(line).details);
    expect(told.reduce((sum, { count }) => sum + count, 0)).toBe(4);
    const name = (container: Container) => container.namespace;
    expect(told.flatMap(({ flows }) => flows)).toContain(
      `TCP shop/${name(guest.container)} to default/${name(db.container)}:8002`,
    );
    expect((await two.weave(["logs"])).stdout).toMatch(/policy: ended .* no longer allowed: \w+ /);
    const metrics = (await two.exec(["curl", "-s", "http://127.0.0.1:6784/metrics"])).stdout;
    expect(metrics).toContain("weave_policy_flows_cut_total 4\n");
    expect((await two.weave(["status"])).stdout).toMatch(/Cut: 4 connections\n/);
    const { findings } = JSON.parse((await two.weave(["doctor", "--json"])).stdout);
    const codes = findings.map(({ code }: { code: string }) => code);
    expect(codes).not.toContain("POLICY_STANDING");
  });

  test("are ended by another label of a container, and go on when it has the former again", async () => {
    const talk = await begin(web, db);
    const other = await begin(db, near);
    const ping = ["ping", "-i", "0.2", formatIpv4(db.pod.ipv4)];
    const pinging = Bun.spawn(web.container.command(ping), { stdout: "pipe" });
    const answers = pinging.stdout.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
    for (let text = ""; !text.includes("bytes from"); ) text += (await answers.next()).value;
    await attach(one, web.container, "app=other");
    await isCut(two, talk);
    await eventually(
      "the end of the pings",
      async () => cutAt(two).map(({ original }) => original.protocol),
      (protocols) => protocols.includes(1),
    );
    await mustBeCut(talk, other);
    await attach(one, web.container, "app=web");
    await mustGoOn(talk);
    pinging.kill();
  });

  test("are ended by another label of a namespace, and go on when it has the former again", async () => {
    await apply(team("team: blue"));
    const talk = await begin(guest, db);
    const other = await begin(web, db);
    await apply(team("team: red"));
    await isCut(two, talk);
    await mustBeCut(talk, other);
    await apply(team("team: blue"));
    await mustGoOn(talk);
  });

  test("are ended where their sender is, too", async () => {
    const talk = await begin(guest, db);
    const other = await begin(web, db);
    await apply(`
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: guest, namespace: shop}
      spec: {podSelector: {}, policyTypes: [Egress]}
    `);
    await isCut(one, talk);
    await mustBeCut(talk, other);
    await one.mustWeave(["policy", "delete", "shop/guest"]);
    await mustGoOn(talk);
  });

  test("stay as they are through a router's death, which ends none that is allowed", async () => {
    const denied = await begin(near, guest);
    const allowed = await begin(guest, near);
    await apply(`
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: near, namespace: default}
      spec: {podSelector: {matchExpressions: [{key: app, operator: DoesNotExist}]}, policyTypes: [Egress]}
    `);
    await isCut(two, denied);
    process.kill(await two.routerPid(), "SIGKILL");
    await two.launch(["--policy-standing", "cut", "--policy-filter", "iptables", one.ip]);
    await two.established(1);
    await mustBeCut(denied, allowed);
    await mustGoOn(allowed);
    await one.mustWeave(["policy", "delete", "default/near"]);
    await mustGoOn(denied);
  });

  test("go on when the last policy goes", async () => {
    const talk = await begin(guest, near);
    await apply(team("team: red"));
    const other = await begin(web, db);
    const denied = await begin(web, near);
    await apply(`
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: near, namespace: default}
      spec:
        podSelector: {matchExpressions: [{key: app, operator: DoesNotExist}]}
        ingress: [{from: [{namespaceSelector: {matchLabels: {team: red}}}]}]
    `);
    await isCut(two, denied);
    await mustBeCut(denied, other);
    await one.mustWeave(["policy", "delete", "default/near", "default/db"]);
    for (const each of [denied, talk, other]) await mustGoOn(each);
  });
});

describe("connections that stand, by default", () => {
  test("go on under policies that would not let them begin", async () => {
    await two.mustWeave(["stop"]);
    await two.launch(["--policy", "on", one.ip]);
    await two.established(1);
    const talk = await begin(near, db);
    await apply(policies);
    await eventually(
      "no new connections",
      () => near.container.exec(["ping", "-c", "1", "-W", "1", formatIpv4(db.pod.ipv4)]),
      ({ code }) => code !== 0,
    );
    await mustGoOn(talk);
    expect((await policyStatus(two))?.standing).toBeUndefined();
  });
});
