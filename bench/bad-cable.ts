import { BadCable, connectedOver } from "../test/hosts/bad-cable.ts";
import type { Container, Host } from "../test/hosts/lab.ts";
import { must } from "../test/hosts/shell.ts";
import { transfer } from "../test/hosts/traffic.ts";
import { inTurn, median, shown } from "./measure.ts";
import { needIperf3 } from "./overlay-pair.ts";
import { useBuild } from "./sleeve-pairs.ts";

/**
 * One TCP stream over a cable that loses 1 % of the frames and takes 20 ms each way: between
 * containers, and between their hosts themselves, in turn. Then for how long nothing arrives of a
 * stream while the cable's MTU shrinks.
 *
 *   bun run build && bun run bench bad-cable
 */
const rounds = 8;
const seconds = "6";
const shrinkings = 5;

type Inside = Host | Container;

/** Mbit/s from `from` to `to`, which has this address. */
async function stream(from: Inside, to: Inside, address: string): Promise<number> {
  const inside = (where: Inside) => ["nsenter", `--net=/run/netns/${where.namespace}`];
  const server = Bun.spawn([...inside(to), "iperf3", "-s", "-1", "--forceflush", "-B", address], {
    stdout: "pipe",
    timeout: 60_000,
  });
  for await (const chunk of server.stdout) {
    if (new TextDecoder().decode(chunk).includes("Server listening")) break;
  }
  const client = [...inside(from), "iperf3", "-c", address, "-t", seconds, "-J"];
  const { end } = JSON.parse(await must(client)) as {
    end: { sum_received: { bits_per_second: number } };
  };
  await server.exited;
  return end.sum_received.bits_per_second / 1e6;
}

const passwords = [undefined, "a password for the cable"] as const;
const sealing = (password: string | undefined) => (password === undefined ? "clear" : "encrypted");

export async function benchBadCable(): Promise<void> {
  needIperf3();
  useBuild();
  await benchLoss();
  for (const password of passwords) {
    for (const tells of [true, false]) {
      const pauses: number[] = [];
      for (let round = 0; round < shrinkings; round++) pauses.push(await shrink(password, tells));
      const how = `${sealing(password)}, ${tells ? "and says so" : "without a word"}`;
      console.log(`shrinks from 1500 to 1280, ${how}: ${shown(pauses, 2)} s without anything new`);
    }
  }
}

/** The longest pause of a stream, in seconds. A path that was found once is known: so a new cable. */
async function shrink(password: string | undefined, tells: boolean): Promise<number> {
  await using cable = await BadCable.open("bb");
  const { from, to, address } = await connectedOver(cable, password);
  const options = ["-n", "-l", "-tt", "-s", "80", "tcp dst port 5001"];
  const watch = Bun.spawn(to.command(["tcpdump", "-i", "ethwe", ...options]), {
    stdout: "pipe",
    stderr: "ignore",
  });
  const seen = new Response(watch.stdout).text();
  await transfer(from, to, address, 100_000_000, () => cable.becomes({ mtu: 1280, tells }));
  watch.kill("SIGINT");
  const times = [...(await seen).matchAll(/^(\d+\.\d+) /gm)].map(([, time]) => Number(time));
  return times.reduce(
    (longest, time, at) => Math.max(longest, time - times[Math.max(0, at - 1)]!),
    0,
  );
}

async function benchLoss(): Promise<void> {
  for (const password of passwords) {
    await using cable = await BadCable.open("bb");
    const { from, to, address } = await connectedOver(cable, password);
    await cable.becomes({ loss: 0.01, delayMs: 20 });
    const { raw, sleeve } = await inTurn(
      {
        raw: () => stream(cable.one, cable.two, cable.two.ip),
        sleeve: () => stream(from, to, address),
      },
      rounds,
    );
    const how = sealing(password);
    const ratio = (median(sleeve) / median(raw)).toFixed(2);
    console.log(`${how}: ${shown(sleeve, 2)} Mbit/s, raw ${shown(raw, 2)}; ratio ${ratio}`);
  }
}
