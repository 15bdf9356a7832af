import { join } from "node:path";
import type { Container } from "./lab.ts";
import { eventually, must } from "./shell.ts";

const probe = [process.execPath, join(import.meta.dir, "probe.ts")];

/** Of a probe that nobody stops: longer than any test with it, also on a busy machine. */
const listenerMaxMs = 20 * 60_000;

/** A probe that listens inside a container. */
class Listener {
  readonly #child: Bun.Subprocess<"ignore", "pipe", "inherit">;
  readonly lines: AsyncGenerator<string>;
  #stopped = false;

  private constructor(child: Bun.Subprocess<"ignore", "pipe", "inherit">) {
    this.#child = child;
    this.lines = linesOf(child.stdout);
  }

  /** Resolves when it listens. */
  static async start(container: Container, words: readonly string[]): Promise<Listener> {
    const child = Bun.spawn(container.command([...probe, ...words]), {
      stdout: "pipe",
      stderr: "inherit",
      timeout: listenerMaxMs,
      killSignal: "SIGKILL",
    });
    const listener = new Listener(child);
    await listener.line();
    return listener;
  }

  async line(): Promise<string> {
    const { value, done } = await this.lines.next();
    if (done) throw new Error("the probe ended without an answer");
    return value;
  }

  /** All that it says until it is stopped. @throws Error when it ends by itself */
  async *endless(): AsyncGenerator<string> {
    yield* this.lines;
    if (!this.#stopped) throw new Error("the probe ended before it was stopped");
  }

  stop(): void {
    this.#stopped = true;
    this.#child.kill("SIGKILL");
  }
}

/** Lines as they come. */
export async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

/**
 * Sends random octets over TCP and gives what each side saw: count and SHA-256.
 *
 * @param octets how many, and more if `underWay` takes longer
 * @param underWay what to do while they are on their way, as soon as the first of them have come
 */
export async function transfer(
  from: Container,
  to: Container,
  address: string,
  octets: number,
  underWay?: () => Promise<unknown>,
): Promise<{ sent: string; received: string }> {
  const sink = await Listener.start(to, ["tcp-sink", "5001"]);
  const more = underWay === undefined ? [] : ["more"];
  const source = Bun.spawn(
    from.command([...probe, "tcp-source", address, "5001", String(octets), ...more]),
    { stdin: "pipe", stdout: "pipe", timeout: listenerMaxMs, killSignal: "SIGKILL" },
  );
  const receiving = async (): Promise<string> => {
    await sink.line();
    await underWay?.();
    source.stdin.end();
    return sink.line();
  };
  const sending = async (): Promise<string> => {
    const text = await new Response(source.stdout).text();
    if ((await source.exited) !== 0) throw new Error(`a stream to ${address} failed`);
    return text.trim();
  };
  try {
    const [sent, received] = await Promise.all([sending(), receiving()]);
    return { sent, received };
  } finally {
    sink.stop();
    source.kill("SIGKILL");
  }
}

/**
 * Says a word by UDP until it is heard (datagrams may be lost), and gives what was heard.
 *
 * @param group multicast group that the hearer joins
 */
export async function hear(
  from: Container,
  to: Container,
  destination: string,
  group?: string,
): Promise<string> {
  const words = ["udp-hear", "5002", ...(group === undefined ? [] : [group])];
  const listener = await Listener.start(to, words);
  let heard: string | undefined;
  void listener.line().then((line) => {
    heard = line;
  });
  try {
    const say = from.command([...probe, "udp-say", destination, "5002", "hello"]);
    await eventually(
      `UDP from ${from.namespace} to ${destination} heard in ${to.namespace}`,
      async () => {
        await must(say);
        return heard;
      },
      (line) => line !== undefined,
    );
    return heard!;
  } finally {
    listener.stop();
  }
}

/** A web server inside a container, whose only page is its name. */
export class WebServer implements Disposable {
  readonly #listener: Listener;

  private constructor(listener: Listener) {
    this.#listener = listener;
  }

  static async start(container: Container, port: number, name: string): Promise<WebServer> {
    return new WebServer(await Listener.start(container, ["http-serve", String(port), name]));
  }

  [Symbol.dispose](): void {
    this.#listener.stop();
  }
}

/** The name of the {@link WebServer} that answers there; `undefined` when none does. */
export async function webServerAt(from: Container, address: string): Promise<string | undefined> {
  const { code, stdout } = await from.exec([...probe, "http-ask", `http://${address}/`]);
  return code === 0 ? stdout.trim() : undefined;
}

/** Whether a TCP connection to there comes about. */
export async function reachesTcp(from: Container, host: string, port: number): Promise<boolean> {
  return (await from.exec([...probe, "tcp-reach", host, String(port)])).code === 0;
}

/** A TCP connection over which both ends send all the time. */
export class Talk {
  readonly #ends: readonly TalkEnd[];

  private constructor(ends: readonly TalkEnd[]) {
    this.#ends = ends;
  }

  static async begin(from: Container, to: Container, address: string, port = 5003): Promise<Talk> {
    const words = ["tcp-talk", String(port)];
    const acceptor = new TalkEnd(await Listener.start(to, words));
    const dialler = new TalkEnd(await Listener.start(from, [...words, address]));
    const talk = new Talk([dialler, acceptor]);
    await talk.goesOn();
    return talk;
  }

  /** Waits until both ends hear something new; fails when the connection ended. */
  async goesOn(waitMs = 30_000): Promise<void> {
    const before = this.#ends.map(({ octets }) => octets);
    await eventually(
      "a conversation that goes on",
      () => must(["true"]),
      () => this.#ends.every(({ octets, ended }, at) => ended || octets > before[at]!),
      waitMs,
    );
    if (this.#ends.some(({ ended }) => ended)) throw new Error("a conversation ended");
  }

  /** The longest time without anything from the other end, in ms. */
  get longestPauseMs(): number {
    return Math.max(...this.#ends.map(({ longestPauseMs }) => longestPauseMs));
  }

  end(): void {
    for (const end of this.#ends) end.listener.stop();
  }
}

class TalkEnd {
  readonly listener: Listener;
  octets = 0;
  longestPauseMs = 0;
  ended = false;

  constructor(listener: Listener) {
    this.listener = listener;
    void this.#read();
  }

  async #read(): Promise<void> {
    for await (const line of this.listener.lines) {
      if (line === "ended") this.ended = true;
      else [this.octets, this.longestPauseMs] = line.split(" ").map(Number) as [number, number];
    }
  }
}

/** A container that broadcasts all the time, and counts what others broadcast. */
export class Chatter {
  readonly #listener: Listener;
  said = 0;
  heard = 0;
  /** Of those, what came more than once. */
  heardAgain = 0;

  private constructor(listener: Listener) {
    this.#listener = listener;
    void this.#read();
  }

  static async begin(container: Container): Promise<Chatter> {
    return new Chatter(await Listener.start(container, ["udp-chat", "5004"]));
  }

  async #read(): Promise<void> {
    for await (const line of this.#listener.endless()) {
      const [said, heard, heardAgain] = line.split(" ").map(Number) as [number, number, number];
      Object.assign(this, { said, heard, heardAgain });
    }
  }

  /** Waits until something new is heard. */
  async goesOn(): Promise<void> {
    const before = this.heard;
    await eventually(
      "broadcasts that are heard",
      () => must(["true"]),
      () => this.heard > before,
      30_000,
    );
  }

  end(): void {
    this.#listener.stop();
  }
}

/** What comes to a container by UDP at one port, from now on. */
export class Hearer {
  readonly container: Container;
  /** `<text> from <address>`, in the order of their coming. */
  readonly heard: string[] = [];
  readonly #listener: Listener;

  private constructor(container: Container, listener: Listener) {
    this.container = container;
    this.#listener = listener;
  }

  /** @param group multicast group that it joins */
  static async start(container: Container, group: string): Promise<Hearer> {
    const words = ["udp-hear-all", "5002", group];
    const hearer = new Hearer(container, await Listener.start(container, words));
    void hearer.#hear();
    return hearer;
  }

  async #hear(): Promise<void> {
    for await (const line of this.#listener.endless()) this.heard.push(line);
  }

  /** Says a word once, from the same container. */
  async say(destination: string, text: string): Promise<void> {
    await must(this.container.command([...probe, "udp-say", destination, "5002", text]));
  }

  stop(): void {
    this.#listener.stop();
  }
}

export interface PingCounts {
  /** Up to the last that was answered: what was sent after it may still be under way. */
  readonly sent: number;
  readonly received: number;
}

/** How often a container pings: so many ms apart, or always as soon as the last one came back. */
export type PingPace = number | "flood";

/** Pings all the while `during` runs, and until one more is answered when it has ended. */
export async function pingDuring(
  from: Container,
  address: string,
  during: () => Promise<void>,
  pace: PingPace = 10,
): Promise<PingCounts> {
  const rhythm = pace === "flood" ? ["-A"] : ["-i", String(pace / 1000)];
  const child = Bun.spawn(from.command(["ping", "-n", ...rhythm, "-W", "2", address]), {
    stdout: "pipe",
    timeout: listenerMaxMs,
  });
  const replies = new PingReplies();
  const read = replies.take(child.stdout);
  await during();
  const { received } = replies;
  await eventually(
    `an answer of ${address} in the end`,
    () => must(["true"]),
    () => replies.received > received,
  );
  child.kill("SIGINT");
  await read;
  return replies;
}

/** Sequence numbers on the wire have so many values, and begin anew then. */
const pingNumbers = 1 << 16;

class PingReplies implements PingCounts {
  sent = 0;
  received = 0;

  async take(output: ReadableStream<Uint8Array>): Promise<void> {
    for await (const line of linesOf(output)) {
      const number = / icmp_seq=(\d+) .* time=/.exec(line)?.[1];
      if (number !== undefined && !line.includes("DUP!")) this.#answered(Number(number));
    }
  }

  #answered(number: number): void {
    this.received++;
    const ahead = (number - this.sent + pingNumbers) % pingNumbers;
    // One that was overtaken is behind.
    if (ahead < pingNumbers / 2) this.sent += ahead;
  }
}
