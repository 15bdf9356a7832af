import { errorText, WeaveError } from "../base/errors.ts";

/** An answer that takes longer means an engine that hangs. */
const answerWaitMs = 10_000;

export interface EngineRequest {
  readonly method?: "GET" | "POST";
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Default {@link answerWaitMs}. */
  readonly waitMs?: number;
}

/**
 * HTTP to a Docker engine. No version is put into the path: the engine then answers in its own
 * newest, of which only lasting fields are read.
 */
export class EngineClient {
  readonly #endpoint: string;
  readonly #base: string;
  readonly #unix: string | undefined;

  /** `unix:///path` or `tcp://host:port`. @throws WeaveError `ENGINE_ENDPOINT` */
  constructor(endpoint: string) {
    this.#endpoint = endpoint;
    const unix = /^unix:\/\/(\/.+)$/.exec(endpoint)?.[1];
    const tcp = /^(?:tcp|http):\/\/(.+)$/.exec(endpoint)?.[1];
    if (unix === undefined && tcp === undefined) {
      throw new WeaveError("ENGINE_ENDPOINT", `cannot use "${endpoint}" as Docker endpoint`, {
        remedy: "write unix:///path/of/docker.sock or tcp://host:port",
      });
    }
    this.#unix = unix;
    this.#base = `http://${tcp ?? "docker"}`;
  }

  /**
   * The answer as JSON, `null` for one without content; `undefined` for 404.
   *
   * @throws WeaveError `ENGINE_UNREACHABLE`, `ENGINE_REFUSED`, `ENGINE_ANSWER`
   */
  async request({ method = "GET", path, body, waitMs }: EngineRequest): Promise<unknown> {
    const { status, text } = await this.#send(method, path, body, waitMs ?? answerWaitMs);
    if (status === 404) return undefined;
    // With 304 it is as was asked for already.
    if (status >= 400) {
      throw new WeaveError("ENGINE_REFUSED", `the Docker engine answered ${status}: ${text}`);
    }
    if (text === "") return null;
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new WeaveError("ENGINE_ANSWER", `the Docker engine sent no JSON: ${errorText(cause)}`);
    }
  }

  async #send(
    method: string,
    path: string,
    body: unknown,
    waitMs: number,
  ): Promise<{ status: number; text: string }> {
    try {
      const response = await fetch(this.#base + path, {
        method,
        ...(this.#unix === undefined ? {} : { unix: this.#unix }),
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
        signal: AbortSignal.timeout(waitMs),
      });
      return { status: response.status, text: await response.text() };
    } catch (cause) {
      throw new WeaveError("ENGINE_UNREACHABLE", `no Docker engine answers at ${this.#endpoint}`, {
        remedy: "name containers as netns:<name> or pid:<n>, or start the engine",
        cause,
      });
    }
  }
}
