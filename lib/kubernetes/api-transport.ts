import type { WeaveError } from "../base/errors.ts";
import { answerChunks, boundedText, fetchFailure } from "../host/http-answer.ts";
import type { ClusterAccess } from "./cluster-access.ts";
import { kubernetesError } from "./kubernetes-error.ts";

/** An answer that takes longer means a server that hangs, or one out of reach. */
const answerWaitMs = 20_000;

/** A page of five hundred pods, each with all that operators have written into it, is a tenth of it. */
const answerBytesMax = 64 << 20;

export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH";
  /** With query. */
  readonly path: string;
  readonly body?: { readonly contentType: string; readonly value: unknown };
  /** Ends it before it is answered. */
  readonly signal?: AbortSignal;
}

export interface ApiAnswer {
  readonly status: number;
  /** All of it. @throws WeaveError `K8S_UNREACHABLE`, `K8S_ANSWER` */
  text(): Promise<string>;
  /** Leaving the loop over it ends the request. @throws WeaveError `K8S_UNREACHABLE` */
  chunks(): AsyncGenerator<Uint8Array, void, undefined>;
}

/** HTTP to an API server, bounded in time and size. What it throws never has a token in it. */
export class ApiTransport {
  readonly #access: ClusterAccess;

  constructor(access: ClusterAccess) {
    this.#access = access;
  }

  /** @throws WeaveError `K8S_UNREACHABLE`, `K8S_ANSWER`, `K8S_TLS`, `K8S_CONFIG` */
  async ask(request: ApiRequest): Promise<{ readonly status: number; readonly text: string }> {
    const late = AbortSignal.timeout(answerWaitMs);
    const signal = request.signal === undefined ? late : AbortSignal.any([late, request.signal]);
    const { status, text } = await this.#open(request, signal, {});
    return { status, text: await text() };
  }

  /**
   * The answer once it begins; it may then be silent until `signal` ends it.
   *
   * @throws WeaveError as {@link ask}
   */
  async follow(request: ApiRequest, signal: AbortSignal): Promise<ApiAnswer> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), answerWaitMs);
    try {
      return await this.#open(request, AbortSignal.any([late.signal, signal]), { timeout: false });
    } finally {
      clearTimeout(timer);
    }
  }

  /** With another token, where the server did not take the one that we had. */
  async #open(
    request: ApiRequest,
    signal: AbortSignal,
    extra: { readonly timeout?: false },
  ): Promise<ApiAnswer> {
    const { token } = this.#access;
    const shown = token?.current();
    const answer = await this.#once(request, shown, signal, extra);
    if (answer.status !== 401 || token === undefined) return answer;
    token.refused();
    const renewed = token.current();
    if (renewed === shown) return answer;
    await answer.text();
    return this.#once(request, renewed, signal, extra);
  }

  /** @param extra `timeout: false` lets a connection be silent */
  async #once(
    { method, path, body }: ApiRequest,
    token: string | undefined,
    signal: AbortSignal,
    extra: { readonly timeout?: false },
  ): Promise<ApiAnswer> {
    const { server, tls } = this.#access;
    const init = {
      ...{ method, signal, redirect: "manual" as const },
      // The server is of this cluster, whatever leads from here to the world.
      proxy: false as const,
      // A connection that is still open would go on with certificates that were renewed since.
      ...(tls !== undefined && { tls: tls.current(), keepalive: false }),
      headers: {
        Accept: "application/json",
        "User-Agent": "weave",
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        ...(body !== undefined && { "Content-Type": body.contentType }),
      },
      ...(body !== undefined && { body: JSON.stringify(body.value) }),
      ...extra,
    };
    const response = await this.#reached(() => fetch(`${server}${path}`, init));
    const chunks = () => answerChunks(response, (act) => this.#reached(act));
    return {
      status: response.status,
      chunks,
      text: () => boundedText(chunks(), answerBytesMax, tooLong),
    };
  }

  async #reached<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (cause) {
      const { server } = this.#access;
      throw kubernetesError(
        "K8S_UNREACHABLE",
        `no Kubernetes API answers at ${server}: ${fetchFailure(cause)}`,
      );
    }
  }
}

function tooLong(): WeaveError {
  return kubernetesError(
    "K8S_ANSWER",
    `the Kubernetes API sent more than ${answerBytesMax >> 20} MiB in one answer`,
  );
}
