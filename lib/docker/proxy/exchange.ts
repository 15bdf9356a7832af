import { errorCode, errorText } from "../../base/errors.ts";
import type { Log } from "../../base/world.ts";
import { currentSpan } from "../../daemon/tracing/span.ts";
import type { Tracer } from "../../daemon/tracing/tracer.ts";
import { answerBodyLength, type BodyLength, requestBodyLength } from "./body.ts";
import type { ByteStream } from "./byte-stream.ts";
import { HttpHead, requestLine, statusOf } from "./http-head.ts";
import { passBody, readBody, readHead, readShortBody } from "./message-reader.ts";
import { refusal } from "./refusal.ts";
import { copyAll } from "./tunnel.ts";

/** What is done to one request and its answer; whatever is missing here passes as it is. */
export interface Interception {
  /** In the engine's API, for traces; absent: not worth one. */
  readonly route?: string;
  /**
   * What goes to the engine in place of a body; `undefined` for the body as it came.
   *
   * @throws WeaveError what the client is answered, and the engine is not asked
   */
  request?(body: Uint8Array): Promise<Uint8Array | undefined>;
  /**
   * Called once the engine has answered; its answer goes on when this resolves.
   *
   * @returns fields that are added to its head
   * @throws WeaveError what the client is answered instead
   */
  answered?(status: number): Promise<readonly (readonly [name: string, value: string])[]>;
  /**
   * What the client gets in place of the body of an answer; `undefined` for the body as it came. Not
   * called for one that is too long to be held, which passes.
   */
  answer?(body: Uint8Array, status: number): Promise<Uint8Array | undefined>;
  /** Called when nobody waits any more, answered or not; maybe twice. */
  over?(): void;
}

export interface ConversationOptions {
  /** A connection to the engine. @throws WeaveError */
  dial(): Promise<ByteStream>;
  intercept(method: string, target: string): Interception | undefined;
  readonly tracer: Tracer;
  readonly log: Log;
}

/** A client that takes this long to close after the last answer gets no more patience. */
const lingerMs = 500;

/**
 * One client's connection: requests one after the other, over one connection to the engine.
 *
 *   head ─▶ edited? ─ no ──▶ head, body as it comes ──▶ engine ─▶ 1xx ──▶ on it goes, and another head
 *             │ yes                                       ▲        101, or no length ──▶ tunnel
 *             └─▶ whole body ─▶ other body ───────────────┘        else ─▶ held? edited? ──▶ next request
 *
 * An answer without length ends with its connection. Nothing after it can be a request, so that
 * octets flow both ways as after 101: old clients attach to containers in this way.
 */
export class Conversation {
  readonly #client: ByteStream;
  readonly #options: ConversationOptions;
  #engine: ByteStream | undefined;
  /** What the client's connection is used for; its end has another meaning in each. */
  #phase: "between" | "sending" | "waiting" | "tunnel" = "between";
  #interception: Interception | undefined;
  #hasClientEnded = false;
  #hasEngineEnded = false;
  #isRetired = false;

  constructor(client: ByteStream, options: ConversationOptions) {
    this.#client = client;
    this.#options = options;
    void client.ended.then(() => {
      this.#hasClientEnded = true;
      this.#passEnd();
    });
  }

  /** Resolves when both connections are closed. */
  async run(): Promise<void> {
    try {
      while (await this.#exchange());
      this.#client.end();
      await lingering(this.#client);
    } catch (error) {
      if (errorCode(error) !== "HTTP_CUT") await this.#giveUp(error);
    } finally {
      this.close();
    }
  }

  /** Ends with the request that is under way, or at once when there is none. */
  retire(): void {
    this.#isRetired = true;
    if (this.#phase === "between") this.close();
  }

  close(): void {
    this.#client.close();
    this.#engine?.close();
  }

  /** Nothing of an answer was sent: the client hears why there is none. */
  async #giveUp(error: unknown): Promise<void> {
    this.#options.log.debug(`proxy: ${errorText(error)}`);
    await this.#client.write(refusal(error, { keepsOpen: false }));
    this.#client.end();
    await lingering(this.#client);
  }

  /** False when there is no further request to be expected. */
  async #exchange(): Promise<boolean> {
    if (this.#hasEngineEnded || this.#isRetired) return false;
    this.#phase = "between";
    const head = await readHead(this.#client);
    if (head === undefined) return false;
    this.#phase = "sending";
    const { method, target } = requestLine(head);
    const length = requestBodyLength(head);
    this.#interception = this.#options.intercept(method, target);
    try {
      return await this.#traced(method, head, () => this.#proceed(method, head, length));
    } finally {
      this.#interception?.over?.();
      this.#interception = undefined;
    }
  }

  #traced(method: string, head: HttpHead, action: () => Promise<boolean>): Promise<boolean> {
    const route = this.#interception?.route;
    if (route === undefined) return action();
    const [traceparent] = head.values("traceparent");
    const attributes = {
      "http.request.method": method,
      ...{ "http.route": route, "weave.caller": "proxy" },
    };
    const start = { name: `${method} ${route}`, kind: "server", traceparent, attributes } as const;
    return this.#options.tracer.trace(start, action);
  }

  async #proceed(method: string, head: HttpHead, length: BodyLength): Promise<boolean> {
    if (this.#interception?.request === undefined) {
      const engine = await this.#connected();
      await engine.write(plainLength(properHost(head)).bytes());
      return this.#answer(method, engine, this.#send(passBody(this.#client, engine, length)));
    }
    const body = await this.#readRequest(head, length);
    let edited: Uint8Array | undefined;
    try {
      edited = await this.#interception.request(body);
    } catch (error) {
      return this.#client.write(refusal(error, { keepsOpen: true }));
    }
    const engine = await this.#connected();
    const message = messageWith(properHost(head).without("Expect"), length, edited, body);
    return this.#answer(method, engine, this.#send(engine.write(message)));
  }

  async #connected(): Promise<ByteStream> {
    if (this.#engine !== undefined) return this.#engine;
    const engine = await this.#options.dial();
    this.#engine = engine;
    // As it would end the client's connection without a proxy.
    void engine.ended.then(() => {
      this.#hasEngineEnded = true;
      if (this.#phase === "between") this.#client.close();
    });
    return engine;
  }

  async #readRequest(head: HttpHead, length: BodyLength): Promise<Uint8Array> {
    if (head.tokens("Expect").includes("100-continue") && !this.#client.hasUnread) {
      await this.#client.write(HttpHead.of("HTTP/1.1 100 Continue").bytes());
    }
    return readBody(this.#client, length);
  }

  /** False when the engine has not got all of the request. */
  async #send(request: Promise<boolean>): Promise<boolean> {
    let isSent = false;
    try {
      isSent = await request;
    } catch (error) {
      this.#options.log.debug(`proxy: ${errorText(error)}`);
    }
    if (!isSent) this.#engine?.end();
    if (this.#phase === "sending") this.#phase = "waiting";
    this.#passEnd();
    return isSent;
  }

  /** The engine gives up what nobody waits for, such as events that it would tell of. */
  #passEnd(): void {
    if (this.#phase !== "waiting" || !this.#hasClientEnded || this.#client.hasUnread) return;
    this.#interception?.over?.();
    this.#engine?.end();
  }

  async #answer(method: string, engine: ByteStream, sending: Promise<boolean>): Promise<boolean> {
    for (;;) {
      const head = await readHead(engine);
      if (head === undefined) return false;
      const status = statusOf(head);
      const length = answerBodyLength(method, status, head);
      if (status === 101 || length.kind === "until-close") {
        this.#phase = "tunnel";
        await this.#client.write(head.bytes());
        await this.#openTunnel(engine, sending);
        return false;
      }
      if (status < 200) {
        if (!(await this.#client.write(head.bytes()))) return false;
        continue;
      }
      const isPassed = await this.#finalAnswer(engine, head, status, length);
      // The engine does not read what is left of a request that it has answered in this way.
      if (!isPassed || isLast(head)) return false;
      return sending;
    }
  }

  /** False when the client did not get all of it. */
  async #finalAnswer(
    engine: ByteStream,
    head: HttpHead,
    status: number,
    length: BodyLength,
  ): Promise<boolean> {
    let extended = head;
    currentSpan()?.set({ "http.response.status_code": status });
    try {
      for (const [name, value] of (await this.#interception?.answered?.(status)) ?? []) {
        extended = extended.with(name, value);
      }
      if (this.#interception?.answer !== undefined && isPlain(head)) {
        const body = await readShortBody(engine, length);
        if (body !== undefined) {
          const edited = await this.#interception.answer(body, status);
          return await this.#client.write(messageWith(extended, length, edited, body));
        }
      }
    } catch (error) {
      await this.#client.write(refusal(error, { keepsOpen: false }));
      return false;
    }
    if (!(await this.#client.write(extended.bytes()))) return false;
    return passBody(engine, this.#client, length).catch(() => false);
  }

  /** Where the request has not ended yet, its rest goes before what follows it. */
  async #openTunnel(engine: ByteStream, sending: Promise<boolean>): Promise<void> {
    const out = sending.then((isSent) => (isSent ? copyAll(this.#client, engine) : engine.end()));
    await Promise.all([out, copyAll(engine, this.#client)]);
  }
}

/** A message whose body was read; framed as it was where that fits the body still. */
function messageWith(
  head: HttpHead,
  length: BodyLength,
  edited: Uint8Array | undefined,
  original: Uint8Array,
): Uint8Array {
  if (edited === undefined && length.kind === "length") {
    return Buffer.concat([head.bytes(), original]);
  }
  const body = edited ?? original;
  const framed = head
    .without("Content-Length", "Transfer-Encoding", "Trailer")
    .with("Content-Length", String(body.length));
  return Buffer.concat([framed.bytes(), body]);
}

/** Clients before Docker 1.10 name the socket there, which today's engines refuse. */
function properHost(head: HttpHead): HttpHead {
  const isPath = head.values("Host").some((host) => host.startsWith("/"));
  return isPath ? head.without("Host").with("Host", "docker") : head;
}

/** With chunks a length means nothing, and who goes on by it would take a body for a request. */
function plainLength(head: HttpHead): HttpHead {
  const isChunked = head.values("Transfer-Encoding").length > 0;
  return isChunked && head.values("Content-Length").length > 0
    ? head.without("Content-Length")
    : head;
}

function isPlain(head: HttpHead): boolean {
  return head.tokens("Content-Encoding").every((coding) => coding === "identity");
}

/** Whether a message says that its connection ends with it. */
function isLast(head: HttpHead): boolean {
  const tokens = head.tokens("Connection");
  if (tokens.includes("close")) return true;
  return head.startLine.startsWith("HTTP/1.0") && !tokens.includes("keep-alive");
}

/** Closing at once could take away what the client has not read yet. */
async function lingering(client: ByteStream): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, lingerMs);
  await Promise.race([client.ended, late.promise]);
  clearTimeout(timer);
}
