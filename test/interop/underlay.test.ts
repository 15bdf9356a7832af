import { describe, expect, test } from "bun:test";
import { type Host, Lab } from "../hosts/lab.ts";
import { eventually, must } from "../hosts/shell.ts";
import { referenceBinary } from "./reference-router.ts";
import {
  ask,
  disposeAll,
  established,
  establishedLinks,
  type Router,
  routerOn,
} from "./routers.ts";

const sleeve = ["-p", "udp", "--dport", "6783"];

async function filter(host: Host, rule: readonly string[]): Promise<void> {
  await must(["nsenter", `--net=/run/netns/${host.namespace}`, "iptables", ...rule]);
}

/** Ours dials the original, and both have the link. */
async function link(original: Router, ours: Router): Promise<void> {
  await original.start();
  await ours.start({ peers: [original.host.ip] });
  await established(ours, 1);
  await established(original, 1);
}

/** An original and one of ours, not yet started. */
async function withPair(
  use: (original: Router, ours: Router, lab: Lab) => Promise<void>,
): Promise<void> {
  const lab = await Lab.onSwitch("xo", 2);
  const original = routerOn(lab.hosts[0]!, "original");
  const ours = routerOn(lab.hosts[1]!, "ours");
  try {
    await use(original, ours, lab);
  } finally {
    await disposeAll([original, ours, lab]);
  }
}

if (referenceBinary === undefined) {
  test("an underlay of a mixed pair needs a router of the original", () => {
    console.log("no router to run beside: set WEAVE_REFERENCE_ROUTER=/path/to/weaver");
  });
} else {
  describe("an original and one of ours, over an underlay", () => {
    test(
      "that drops datagrams beyond 700 octets, find it out in both directions",
      () =>
        withPair(async (original, ours, lab) => {
          const long = ["-m", "length", "--length", "701:65535"];
          for (const host of lab.hosts) {
            await filter(host, ["-A", "INPUT", ...sleeve, ...long, "-j", "DROP"]);
            // A wire carries datagrams, not runs of them.
            await host.exec(["ethtool", "-K", "eth0", "tx-udp-segmentation", "off"]);
          }
          const flags = ["--ipalloc-init", `seed=${original.host.peerName}`];
          await original.start({ flags });
          await ours.start({ flags, peers: [original.host.ip] });
          await established(ours, 1);
          const [a, b] = [await original.container("ca"), await ours.container("cb")];
          await a.container.pings(b.ip);
          for (const [from, to] of [
            [a.container, b.ip],
            [b.container, a.ip],
          ] as const) {
            await eventually(
              `a ping of 10000 octets to ${to}`,
              () => from.exec(["ping", "-c", "1", "-W", "2", "-s", "10000", to]),
              ({ code }) => code === 0,
              35_000,
            );
          }
        }),
      90_000,
    );

    test(
      "that swallows all datagrams, part and meet again after it",
      () =>
        withPair(async (original, ours, lab) => {
          await link(original, ours);
          for (const host of lab.hosts)
            await filter(host, ["-A", "INPUT", ...sleeve, "-j", "DROP"]);
          for (const router of [ours, original]) {
            await eventually(
              `no link at ${router.kind}`,
              async () => (await ask(router, "GET", "/status/connections")).text,
              (text) => !/ established /.test(text),
              80_000,
            );
          }
          for (const host of lab.hosts)
            await filter(host, ["-D", "INPUT", ...sleeve, "-j", "DROP"]);
          await established(ours, 1, 30_000);
          await established(original, 1);
        }),
      150_000,
    );

    test(
      "that falls silent, part at our end and meet again after it",
      () =>
        withPair(async (original, ours, lab) => {
          await link(original, ours);
          const silence = ["INPUT", "-i", "eth0", "-j", "DROP"];
          for (const host of lab.hosts) await filter(host, ["-A", ...silence]);
          await eventually(
            "no link at ours",
            async () => (await ask(ours, "GET", "/status/connections")).text,
            (text) => !/ established /.test(text),
            12_000,
          );
          for (const host of lab.hosts) await filter(host, ["-D", ...silence]);
          await established(ours, 1, 60_000);
          await established(original, 1);
        }),
      150_000,
    );

    test(
      "that loses every tenth packet and falls silent for five seconds, keep their link",
      () =>
        withPair(async (original, ours, lab) => {
          await link(original, ours);
          const links = await establishedLinks(ours);
          const loss = ["-m", "statistic", "--mode", "random", "--probability", "0.1"];
          for (const host of lab.hosts)
            await filter(host, ["-A", "INPUT", "-i", "eth0", ...loss, "-j", "DROP"]);
          await lab.hosts[0]!.exec(["sleep", "25"]);
          for (const host of lab.hosts) await filter(host, ["-F", "INPUT"]);
          for (const host of lab.hosts)
            await filter(host, ["-A", "INPUT", "-i", "eth0", "-j", "DROP"]);
          await lab.hosts[0]!.exec(["sleep", "5"]);
          for (const host of lab.hosts) await filter(host, ["-F", "INPUT"]);
          await lab.hosts[0]!.exec(["sleep", "5"]);
          const addresses = (lines: string[]) => lines.map((line) => line.slice(0, 24));
          expect(addresses(await establishedLinks(ours))).toEqual(addresses(links));
        }),
      90_000,
    );
  });
}
