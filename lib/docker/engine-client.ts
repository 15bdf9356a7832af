import { statSync } from "node:fs";
import { errorCode, errorText, WeaveError } from "../base/errors.ts";
import type { TlsFiles, TlsSettings } from "../host/tls-files.ts";
import type { EngineAddress } from "./engine-address.ts";
import { type EngineRequest, EngineTransport } from "./engine-transport.ts";
import {
  chooseApiVersion,
  type EngineVersions,
  isApiVersion,
  isVersionRefusal,
  readVersions,
} from "./engine-version.ts";

/** What of a refusal is shown. */
const refusalCharactersMax = 1000;

/** How an engine is spoken to. */
export interface EngineAccess {
  /** On TCP; missing: in clear. */
  readonly tls?: TlsFiles | undefined;
  /** The value of `DOCKER_API_VERSION`; missing: the newest that both have. */
  readonly apiVersion?: string | undefined;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/**
 * Requests to a Docker engine, in a version of its API that both have:
 *
 *   unknown ── GET /_ping, and /version where that is not enough ──▶ known ──▶ requests
 *      ▲                                                               │
 *      └───── no answer, or "client version is too old" (or new) ──────┘
 *
 * so that an engine that was replaced by another one is negotiated with anew.
 */
export class EngineClient {
  readonly #transport: EngineTransport;
  readonly #wanted: string | undefined;
  #version: string | undefined;
  #negotiation: Promise<string> | undefined;

  /** @param endpoint as in `DOCKER_HOST` @throws WeaveError `ENGINE_ENDPOINT` */
  constructor(endpoint: string, { tls, apiVersion }: EngineAccess = {}) {
    this.#transport = new EngineTransport(endpoint, tls);
    this.#wanted = apiVersion;
  }

  /** As given. */
  get endpoint(): string {
    return this.#transport.endpoint;
  }

  /** Path of the engine's socket; `undefined` for an engine on TCP. */
  get socketPath(): string | undefined {
    const { address } = this.#transport;
    return address.kind === "unix" ? address.path : undefined;
  }

  /** For connections beside its own: where they go, and what TLS takes now. @throws WeaveError `ENGINE_TLS` */
  way(): { readonly address: EngineAddress; readonly tls: TlsSettings | undefined } {
    const { address, tls } = this.#transport;
    return { address, tls };
  }

  /** Another one when the socket has been made anew; always the same for an engine on TCP. */
  socketStamp(): string {
    if (this.socketPath === undefined) return "";
    try {
      const { dev, ino, ctimeMs } = statSync(this.socketPath);
      return `${dev}/${ino}/${ctimeMs}`;
    } catch {
      return "";
    }
  }

  /** Whether requests go by TLS. */
  get isSecured(): boolean {
    return this.#transport.isSecured;
  }

  /** The version in use; `undefined` before the first answer, and after one that did not come. */
  get apiVersion(): string | undefined {
    return this.#version;
  }

  /**
   * The answer as JSON, `null` for one without content; `undefined` for 404.
   *
   * @param request its path without version
   * @throws WeaveError `ENGINE_UNREACHABLE`, `ENGINE_REFUSED`, `ENGINE_ANSWER`, `ENGINE_VERSION`,
   *   `ENGINE_TLS`
   */
  async request(request: EngineRequest): Promise<unknown> {
    const { status, text } = await this.#inVersion(request, (versioned) =>
      this.#transport.ask(versioned),
    );
    if (status === 404) return undefined;
    // With 304 it is as was asked for already.
    if (status >= 400) throw refusal(status, text);
    if (text === "") return null;
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new WeaveError("ENGINE_ANSWER", `the Docker engine sent no JSON: ${errorText(cause)}`);
    }
  }

  /**
   * Octets of an answer that goes on for as long as the engine and `signal` let it; `waitMs` is for
   * its beginning. Leaving the loop over them ends the request.
   *
   * @throws WeaveError as {@link request}; `ENGINE_UNREACHABLE` also while it is read
   */
  async stream(request: EngineRequest, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const { status, text, chunks } = await this.#inVersion(request, async (versioned) => {
      const answer = await this.#transport.follow(versioned, signal);
      return { ...answer, text: answer.status < 300 ? "" : await answer.text() };
    });
    if (status >= 300) throw refusal(status, text);
    return chunks();
  }

  /** One request in the version in use, and once more when the engine has another one by now. */
  async #inVersion<A extends Answer>(
    request: EngineRequest,
    ask: (versioned: EngineRequest) => Promise<A>,
  ): Promise<A> {
    const attempt = async (): Promise<A> =>
      ask({ ...request, path: `/v${await this.#negotiated(request)}${request.path}` });
    try {
      const isFresh = this.#version === undefined;
      const answer = await attempt();
      if (isFresh || !isVersionRefusal(answer.status, answer.text)) return answer;
      this.#version = undefined;
      return await attempt();
    } catch (error) {
      // Who answers next may be another engine.
      if (errorCode(error) === "ENGINE_UNREACHABLE") this.#version = undefined;
      throw error;
    }
  }

  /** Requests that come together negotiate once. */
  async #negotiated({ waitMs }: EngineRequest): Promise<string> {
    if (this.#version !== undefined) return this.#version;
    this.#negotiation ??= this.#negotiate(waitMs).finally(() => {
      this.#negotiation = undefined;
    });
    this.#version = await this.#negotiation;
    return this.#version;
  }

  /** The oldest version that it answers matters only where ours is older than its newest. */
  async #negotiate(waitMs: number | undefined): Promise<string> {
    const ping = await this.#transport.ask({ path: "/_ping", waitMs });
    if (ping.status >= 400) throw refusal(ping.status, ping.text);
    const newest = ping.headers.get("Api-Version") ?? "";
    if (isApiVersion(newest) && this.#wanted === undefined) {
      const choice = chooseApiVersion({ newest }, undefined);
      if (choice === newest) return choice;
    }
    return chooseApiVersion(await this.#versions(waitMs), this.#wanted);
  }

  async #versions(waitMs: number | undefined): Promise<EngineVersions> {
    const { status, text } = await this.#transport.ask({ path: "/version", waitMs });
    if (status >= 400) throw refusal(status, text);
    return readVersions(text);
  }
}

/** The engine's own words, which are in an object, but for those of a proxy before it. */
function refusal(status: number, text: string): WeaveError {
  let said = text;
  try {
    const { message } = JSON.parse(text);
    if (typeof message === "string") said = message;
  } catch {
    // As it is.
  }
  const shown = said.trim().slice(0, refusalCharactersMax);
  return new WeaveError("ENGINE_REFUSED", `the Docker engine answered ${status}: ${shown}`);
}
