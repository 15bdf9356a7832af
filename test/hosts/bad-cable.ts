import { join } from "node:path";
import type { Impairments } from "./impairment.ts";
import type { Host } from "./lab.ts";
import { Lab } from "./lab.ts";
import { eventually, must } from "./shell.ts";

const program = join(import.meta.dir, "impaired-link.ts");

/**
 * Two hosts, 192.168.77.1 and .2, on a cable that can be made bad while it is in use:
 *
 *   [ host 1 ] eth0 ──── h1 [ impaired-link ] h2 ──── eth0 [ host 2 ]
 *
 * The hosts send no super-frames on it: a cable that is looked at packet by packet has none.
 */
export class BadCable implements AsyncDisposable {
  readonly lab: Lab;
  readonly one: Host;
  readonly two: Host;
  readonly #process: Bun.Subprocess<"pipe", "pipe", "inherit">;
  readonly #answers: AsyncIterator<unknown>;

  private constructor(lab: Lab, process_: Bun.Subprocess<"pipe", "pipe", "inherit">) {
    this.lab = lab;
    [this.one, this.two] = lab.hosts as [Host, Host];
    this.#process = process_;
    this.#answers = process_.stdout[Symbol.asyncIterator]();
  }

  static async open(prefix: string, seed = 1): Promise<BadCable> {
    const lab = await Lab.onCables(prefix);
    const hub = `${prefix}-sw`;
    for (const { namespace } of lab.hosts) await withoutOffloads(namespace, "eth0");
    const process_ = Bun.spawn(
      [
        ...["nsenter", `--net=/run/netns/${hub}`],
        ...[process.execPath, program, "h1", "h2", String(seed)],
      ],
      { stdin: "pipe", stdout: "pipe", stderr: "inherit" },
    );
    const cable = new BadCable(lab, process_);
    await cable.#answers.next();
    return cable;
  }

  /** How the cable is from now on. */
  async becomes(impairments: Impairments): Promise<void> {
    this.#process.stdin.write(`${JSON.stringify(impairments)}\n`);
    this.#process.stdin.flush();
    await this.#answers.next();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Stopping is quicker on a cable that works.
    await this.becomes({});
    await this.lab[Symbol.asyncDispose]();
    this.#process.kill("SIGKILL");
    await this.#process.exited;
  }
}

async function withoutOffloads(namespace: string, device: string): Promise<void> {
  const switches = ["tx", "tso", "gso", "gro", "tx-udp-segmentation"].flatMap((each) => [
    each,
    "off",
  ]);
  await must(["nsenter", `--net=/run/netns/${namespace}`, "ethtool", "-K", device, ...switches]);
}

/** Routers on both hosts, a container on each, and the path between them found out. */
export async function connectedOver(cable: BadCable, password: string | undefined) {
  const { one, two } = cable;
  const env = password === undefined ? {} : { WEAVE_PASSWORD: password };
  await one.launch([], { env });
  await two.launch([one.ip], { env });
  await two.established(1);
  const [from, to] = [await one.container("c1"), await two.container("c2")];
  await one.mustWeave(["attach", from.reference]);
  const address = await two.mustWeave(["attach", to.reference]);
  await from.pings(address);
  await eventually(
    "the MTU of a good cable",
    () => one.mustWeave(["status", "connections"]),
    (text) => text.includes(password === undefined ? "mtu=1438" : "mtu=1414"),
  );
  return { from, to, address };
}
