import { WeaveError } from "../base/errors.ts";
import { answerChunks, boundedText, fetchFailure } from "../host/http-answer.ts";
import { TlsFileReader, type TlsFiles, type TlsSettings } from "../host/tls-files.ts";
import { type EngineAddress, parseEngineAddress } from "./engine-address.ts";
import { engineTlsError } from "./engine-tls.ts";

/** An answer that takes longer means an engine that hangs. */
const answerWaitMs = 10_000;

/** Lists of ten thousand containers are a quarter of it. */
const answerBytesMax = 64 << 20;

export interface EngineRequest {
  readonly method?: "GET" | "POST" | "DELETE";
  /** With query. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Default {@link answerWaitMs}. */
  readonly waitMs?: number | undefined;
}

/** An answer as it comes. */
export interface EngineAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** All of it. @throws WeaveError `ENGINE_UNREACHABLE`, `ENGINE_ANSWER` */
  text(): Promise<string>;
  /** Leaving the loop over it ends the request. @throws WeaveError `ENGINE_UNREACHABLE` */
  chunks(): AsyncGenerator<Uint8Array, void, undefined>;
}

/** HTTP to an engine over a unix socket, TCP or TLS, bounded in time and size. */
export class EngineTransport {
  readonly endpoint: string;
  readonly address: EngineAddress;
  readonly #tls: TlsFileReader | undefined;

  /** @throws WeaveError `ENGINE_ENDPOINT` */
  constructor(endpoint: string, tls: TlsFiles | undefined) {
    this.endpoint = endpoint;
    this.address = parseEngineAddress(endpoint, tls);
    const files = this.address.kind === "tcp" ? this.address.tls : undefined;
    this.#tls = files && new TlsFileReader(files, engineTlsError);
  }

  /** What TLS takes now; missing in clear. @throws WeaveError `ENGINE_TLS` */
  get tls(): TlsSettings | undefined {
    return this.#tls?.current();
  }

  get isSecured(): boolean {
    return this.#tls !== undefined;
  }

  /** The answer once it is whole. @throws WeaveError `ENGINE_UNREACHABLE`, `ENGINE_ANSWER`, `ENGINE_TLS` */
  async ask(request: EngineRequest): Promise<{ status: number; headers: Headers; text: string }> {
    const timeout = AbortSignal.timeout(request.waitMs ?? answerWaitMs);
    const { status, headers, text } = await this.#open(request, timeout, {});
    return { status, headers, text: await text() };
  }

  /**
   * The answer once it begins; it may then be silent for days, until `signal` ends it.
   *
   * @throws WeaveError as {@link ask}
   */
  async follow(request: EngineRequest, signal: AbortSignal): Promise<EngineAnswer> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), request.waitMs ?? answerWaitMs);
    try {
      return await this.#open(request, AbortSignal.any([late.signal, signal]), { timeout: false });
    } finally {
      clearTimeout(timer);
    }
  }

  /** @param extra `timeout: false` lets a connection be silent */
  async #open(
    { method = "GET", path, body }: EngineRequest,
    signal: AbortSignal,
    extra: { readonly timeout?: false },
  ): Promise<EngineAnswer> {
    const init = {
      ...{ method, signal, redirect: "manual" as const },
      // The engine runs beside us, whatever leads from here to the world.
      proxy: false as const,
      ...this.#way(),
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { "Content-Type": "application/json" },
      }),
      ...extra,
    };
    const response = await this.#reached(() => fetch(this.#url(path), init));
    const chunks = () => answerChunks(response, (act) => this.#reached(act));
    return {
      status: response.status,
      headers: response.headers,
      chunks,
      text: () => boundedText(chunks(), answerBytesMax, tooLong),
    };
  }

  #url(path: string): string {
    if (this.address.kind === "unix") return `http://docker${path}`;
    return `${this.isSecured ? "https" : "http"}://${this.address.authority}${path}`;
  }

  /** A connection that is still open would go on with certificates that were renewed since. */
  #way(): Pick<BunFetchRequestInit, "unix" | "tls" | "keepalive"> {
    if (this.address.kind === "unix") return { unix: this.address.path };
    return this.#tls === undefined ? {} : { tls: this.#tls.current(), keepalive: false };
  }

  async #reached<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (cause) {
      throw new WeaveError(
        "ENGINE_UNREACHABLE",
        `no Docker engine answers at ${this.endpoint}: ${fetchFailure(cause)}`,
        { remedy: "name containers as netns:<name> or pid:<n>, or start the engine", cause },
      );
    }
  }
}

function tooLong(): WeaveError {
  return new WeaveError(
    "ENGINE_ANSWER",
    `the Docker engine sent more than ${answerBytesMax >> 20} MiB in one answer`,
  );
}
