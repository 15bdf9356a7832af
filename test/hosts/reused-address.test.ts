import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Container, type Host, Lab } from "./lab.ts";

const isolated = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: isolated}
spec: {podSelector: {matchLabels: {app: isolated}}, policyTypes: [Ingress]}
`;

describe("an address that comes to another container", () => {
  let lab: Lab;
  let host: Host;

  beforeAll(async () => {
    lab = await Lab.onSwitch("wra", 1);
    host = lab.hosts[0]!;
    await host.launch();
    await host.mustWeave(["policy", "apply", "-f", "-"], { stdin: isolated });
  });

  afterAll(() => lab?.[Symbol.asyncDispose]());

  test("is not reached any more by who was let through to its former one, and goes on asking", async () => {
    const [client, former, next] = await Promise.all(
      ["client", "former", "next"].map((name) => host.container(name)),
    );
    await host.mustWeave(["attach", client!.reference]);
    const ip = await host.mustWeave(["attach", former!.reference]);
    const pinging = new Pinging(client!, ip);
    await pinging.reads(/bytes from/);
    pinging.pause();
    await host.mustWeave(["detach", former!.reference]);
    const labelled = ["--label", "app=isolated"];
    await host.mustWeave(["attach", `${ip}/12`, next!.reference, ...labelled]);
    pinging.goOn();
    let answered = 0;
    for (let unanswered = 0; unanswered < 3; ) {
      const line = await pinging.reads(/bytes from|no answer yet/);
      unanswered = line.includes("no answer yet") ? unanswered + 1 : 0;
      // The former one may have answered some that were not read yet.
      answered += unanswered === 0 ? 1 : 0;
      expect(answered).toBeLessThan(50);
    }
    await host.mustWeave(["policy", "delete", "isolated"]);
    await pinging.reads(/bytes from/);
    await pinging.end();
  });
});

/** A flow that never ends by itself: what is asked has one identity all along. */
class Pinging {
  readonly #child;
  readonly #lines;
  #text = "";

  constructor(from: Container, to: string) {
    this.#child = Bun.spawn(from.command(["ping", "-O", "-i", "0.1", to]), { stdout: "pipe" });
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  }

  /** The next line like this. */
  async reads(wanted: RegExp): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf("\n");
      if (end < 0) {
        const { value, done } = await this.#lines.next();
        if (done === true) throw new Error("ping has ended");
        this.#text += value;
        continue;
      }
      const line = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 1);
      if (wanted.test(line)) return line;
    }
  }

  pause(): void {
    this.#child.kill("SIGSTOP");
  }

  goOn(): void {
    this.#child.kill("SIGCONT");
  }

  async end(): Promise<void> {
    this.#child.kill();
    await this.#child.exited;
  }
}
