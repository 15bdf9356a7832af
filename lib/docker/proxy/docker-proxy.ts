import { realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { ProxyReport } from "../../api/docker-report.ts";
import { orNull } from "../../api/make-router-report.ts";
import { measured, type Sample } from "../../api/metrics/measurement.ts";
import { everyBeat } from "../../base/beat.ts";
import { errorText, WeaveError } from "../../base/errors.ts";
import type { Cancel, Log, World } from "../../base/world.ts";
import type { LaunchOptions } from "../../daemon/launch-options.ts";
import type { Tracer } from "../../daemon/tracing/tracer.ts";
import type { TlsFileReader, TlsSettings } from "../../host/tls-files.ts";
import type { EngineClient } from "../engine-client.ts";
import type { EngineObserver } from "../engine-observer.ts";
import type { ByteStream } from "./byte-stream.ts";
import { detectTls } from "./detect-tls.ts";
import { dialEngine } from "./dial-engine.ts";
import { Conversation } from "./exchange.ts";
import type { Interceptor } from "./interceptor.ts";
import { listenTcp, listenUnix, ownerOf, type ProxyListener } from "./listeners.ts";
import { proxyTls } from "./proxy-tls.ts";
import { refusal } from "./refusal.ts";

/** How long a launch waits for an engine that is elsewhere and may not be there. */
const engineWaitMs = 2_000;

/** How often certificates are looked at. */
const renewPeriodMs = 10_000;

/** Clients at a time; each costs two descriptors. */
const conversationsMax = 2048;

export interface DockerProxyOptions {
  readonly world: World;
  readonly log: Log;
  readonly tracer: Tracer;
  readonly proxy: NonNullable<LaunchOptions["proxy"]>;
  readonly client: EngineClient;
  readonly interceptor: Pick<Interceptor, "intercept">;
  /** Path of the socket that is there unless the proxy listens on TCP alone. */
  readonly socket: string;
}

/**
 * The engine's API with containers attached to the network (docker.md §2, §3). It listens from when
 * the engine first answers, until the router stops:
 *
 *   no engine yet ── it answers ──▶ listening ── it ends ──▶ listening; requests are refused
 */
export class DockerProxy implements EngineObserver {
  readonly #options: DockerProxyOptions;
  readonly #listeners: ProxyListener[] = [];
  /** With what resolves when they are over. */
  readonly #conversations = new Map<Conversation, Promise<void>>();
  /** Why it does not listen where it should, by address. */
  readonly #problems = new Map<string, string>();
  #tlsFiles: TlsFileReader | undefined;
  #tls: TlsSettings | undefined;
  #opening: Promise<void> | undefined;
  #cancelRenewal: Cancel = () => {};
  #accepted = 0;
  #isStopped = false;

  constructor(options: DockerProxyOptions) {
    this.#options = options;
  }

  /** Listens at once where the engine answers already, so that whoever launches finds the proxy. */
  async begin(): Promise<void> {
    if (await this.#engineAnswers()) await this.#open();
  }

  connected(): void {
    void this.#open();
  }

  /** What was in the way may be gone. */
  swept(): void {
    if (this.#problems.size > 0) void this.#open();
  }

  addresses(): readonly string[] {
    return this.#listeners.map(({ address }) => address);
  }

  /** `undefined` before it has anything to tell. */
  report(): ProxyReport | undefined {
    const addresses = this.addresses();
    const problems = [...this.#problems.values()];
    if (addresses.length === 0 && problems.length === 0) return undefined;
    return {
      Addresses: orNull(addresses),
      ...(problems.length > 0 && { Problems: problems }),
    };
  }

  measurements(): Sample[] {
    return [
      measured("weave_proxy_connections", this.#conversations.size),
      measured("weave_proxy_connections_total", this.#accepted),
    ];
  }

  /** Takes no more requests. Those under way go on: a session may last as long as this process. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelRenewal();
    for (const listener of this.#listeners.splice(0)) listener.close();
    for (const conversation of this.#conversations.keys()) conversation.retire();
  }

  /** Resolves when no request is under way any more. */
  async finished(): Promise<void> {
    await Promise.all(this.#conversations.values());
  }

  /** Those under way as well: events, which may be followed for ever, would keep this process. */
  end(): void {
    for (const conversation of this.#conversations.keys()) conversation.close();
  }

  async #engineAnswers(): Promise<boolean> {
    const { world } = this.#options;
    const late = Promise.withResolvers<undefined>();
    const cancel = world.after(engineWaitMs, () => late.resolve(undefined));
    const dialled = this.#dial();
    try {
      const connection = await Promise.race([dialled, late.promise]);
      return connection !== undefined;
    } catch {
      return false;
    } finally {
      cancel();
      void dialled.then(
        (connection) => connection.close(),
        () => {},
      );
    }
  }

  async #dial(): Promise<ByteStream> {
    const { address, tls } = this.#options.client.way();
    return dialEngine(address, tls);
  }

  /** Each address that is not open yet, one after the other. */
  #open(): Promise<void> {
    this.#opening ??= this.#openAll().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #openAll(): Promise<void> {
    const { log } = this.#options;
    const wanted = this.#wanted();
    for (const address of wanted) {
      if (this.#isStopped || this.addresses().includes(address)) continue;
      try {
        const listener = await this.#listen(address);
        this.#listeners.push(listener);
        this.#problems.delete(address);
        log.info(`proxy listening on ${address}`);
      } catch (error) {
        const text = errorText(error);
        if (this.#problems.get(address) !== text) log.error(text);
        this.#problems.set(address, text);
      }
    }
    this.#listeners.sort((a, b) => wanted.indexOf(a.address) - wanted.indexOf(b.address));
    if (this.#isStopped) this.stop();
  }

  /** TCP first and the socket of the run folder last, as the original tells them. */
  #wanted(): readonly string[] {
    const { proxy, socket } = this.#options;
    const tcp = proxy.listen.filter((address) => address.startsWith("tcp:"));
    const unix = proxy.listen
      .filter((address) => address.startsWith("unix:"))
      .map((address) => address.slice("unix://".length))
      .filter((path) => realPath(path) !== realPath(socket));
    const isTcpAlone = tcp.length > 0 && tcp.length === proxy.listen.length;
    const paths = isTcpAlone ? [] : [...unix, socket];
    return [...new Set([...tcp, ...paths.map((path) => `unix://${path}`)])];
  }

  async #listen(address: string): Promise<ProxyListener> {
    const accept = (client: ByteStream) => this.#accept(client);
    if (address.startsWith("tcp:")) return listenTcp(address, this.#tlsNow(), accept);
    const path = address.slice("unix://".length);
    const engineSocket = this.#options.client.socketPath;
    if (engineSocket !== undefined && realPath(engineSocket) === realPath(path)) {
      throw new WeaveError("PROXY_LISTEN", `the Docker engine itself listens on ${address}`, {
        remedy: "name the engine's own socket with --docker-api",
      });
    }
    return listenUnix(path, ownerOf(engineSocket), accept);
  }

  #tlsNow(): TlsSettings | undefined {
    if (this.#tlsFiles === undefined) {
      this.#tlsFiles = proxyTls(this.#options.proxy.tls, detectTls);
      if (this.#tlsFiles === undefined) return undefined;
      this.#cancelRenewal = everyBeat(this.#options.world, renewPeriodMs, () => this.#renew());
    }
    this.#tls = this.#tlsFiles.current();
    return this.#tls;
  }

  /** Certificates that were renewed are shown to who connects from then on. */
  #renew(): void {
    const { log } = this.#options;
    try {
      const tls = this.#tlsFiles?.current();
      if (tls === this.#tls) return;
      this.#tls = tls;
      for (const listener of this.#listeners) listener.renew(tls);
      log.info("proxy: certificates were read again");
    } catch (error) {
      log.warn(errorText(error));
    }
  }

  #accept(client: ByteStream): void {
    if (this.#conversations.size >= conversationsMax) {
      const error = new WeaveError("PROXY_BUSY", "the weave proxy has too many clients");
      void client.write(refusal(error, { keepsOpen: false })).then(() => client.close());
      return;
    }
    this.#accepted++;
    const { interceptor, log, tracer } = this.#options;
    const conversation = new Conversation(client, {
      dial: () => this.#dial(),
      intercept: (method, target) => interceptor.intercept(method, target),
      ...{ tracer, log },
    });
    const over = conversation.run().finally(() => this.#conversations.delete(conversation));
    this.#conversations.set(conversation, over);
  }
}

/** Without links on the way to it; the file itself need not be there. */
function realPath(path: string): string {
  try {
    return join(realpathSync(dirname(path)), basename(path));
  } catch {
    return path;
  }
}
