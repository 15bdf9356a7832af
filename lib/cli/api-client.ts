import { accessSync, constants, existsSync } from "node:fs";
import { callerHeader, formatCaller } from "../api/caller-header.ts";
import { formatEndpoint } from "../base/endpoint.ts";
import { errorText } from "../base/errors.ts";
import { pathsFrom } from "../daemon/paths.ts";
import { parseTraceparent } from "../wire/trace-context.ts";
import { ApiError } from "./api-error.ts";
import { ownCaller } from "./own-caller.ts";
import type { Environment } from "./parse.ts";

/** One request to the router's control API. */
export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Path segments; each is escaped. */
  readonly path: readonly string[];
  readonly query?: ReadonlyArray<readonly [string, string]>;
  /** Sent as a form. */
  readonly form?: ReadonlyArray<readonly [string, string]>;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly accept?: string;
  /** What the router lacks when it does not know the path: `DNS`, `address allocation`. */
  readonly feature?: string;
  /** The answer may take as long as the cluster needs; else {@link answerWaitMs}. */
  readonly patient?: boolean;
  readonly waitMs?: number;
  /** Takes each part of a 2xx answer as it comes; what is left of the answer then is empty. */
  received?(part: Uint8Array): void;
  /** Ends the wait for an answer, and an answer that would go on. */
  readonly signal?: AbortSignal;
}

export interface ApiClient {
  /** The body of a 2xx answer. @throws ApiError */
  request(request: ApiRequest): Promise<string>;
}

/** Where the control API is. */
export type ApiAddress =
  | { readonly socketPath: string }
  | { readonly host: string; readonly port: number };

const answerWaitMs = 30_000;
const answerBytesMax = 256 << 20;

/**
 * WEAVE_HTTP_ADDR when set; else the socket in the run folder if this user may use it; else the
 * default TCP address. A run folder that was named explicitly is never left for the TCP address,
 * which may belong to another router of this machine.
 */
export function apiAddress(environment: Environment): ApiAddress {
  const given = environment.WEAVE_HTTP_ADDR;
  if (given) return parseAddress(given);
  const { socket } = pathsFrom(environment);
  if (environment.WEAVE_RUN_DIR || usable(socket)) return { socketPath: socket };
  return { host: "127.0.0.1", port: 6784 };
}

function parseAddress(text: string): ApiAddress {
  if (text.startsWith("/")) return { socketPath: text };
  const match = /^(?:http:\/\/)?(?:\[([^\]]+)\]|([^:/]*)):(\d{1,5})\/?$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? "";
  if (match === null || Number(match[3]) > 65_535) {
    throw new ApiError("refused", "API_ADDRESS", `WEAVE_HTTP_ADDR is no address: "${text}"`, {
      remedy: "write host:port, or the path of a unix socket",
    });
  }
  const everywhere = host === "" || host === "0.0.0.0" || host === "::";
  return { host: everywhere ? "127.0.0.1" : host, port: Number(match[3]) };
}

function usable(socket: string): boolean {
  try {
    accessSync(socket, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** The client that commands use. It never asks a proxy that the environment names. */
export function httpApiClient(environment: Environment, kind: "cli" | "cni" = "cli"): ApiClient {
  const { TRACEPARENT: traceparent } = environment;
  const headers = {
    [callerHeader]: formatCaller(ownCaller(kind, environment)),
    // Of whoever traces what calls us; what is no such thing would be no header either.
    ...(traceparent && parseTraceparent(traceparent) && { traceparent }),
  };
  return { request: (request) => send(apiAddress(environment), request, headers) };
}

type Headers = Readonly<Record<string, string>>;

async function send(address: ApiAddress, request: ApiRequest, headers: Headers): Promise<string> {
  refuseNoName(request.path);
  using patience = new Patience(request);
  let answer: { readonly status: number; readonly text: string };
  try {
    answer = await exchange(address, request, headers, patience);
  } catch (cause) {
    if (cause instanceof NotTaken) throw cause.cause;
    throw unreachable(address, cause instanceof Error ? cause : new Error(errorText(cause)));
  }
  const { status, text } = answer;
  if (status >= 200 && status < 300) return text;
  throw refused(status, text, request.feature);
}

/** Such words would make another path of it. @throws ApiError `API_WORD` */
function refuseNoName(path: readonly string[]): void {
  const word = path.find((each) => ["", ".", ".."].includes(each));
  if (word === undefined) return;
  throw new ApiError("refused", "API_WORD", `"${word}" names nothing`, {
    remedy: "write the name or the id of what is meant",
  });
}

/** @throws Error of the connection, or of who waited for it in vain */
async function exchange(
  address: ApiAddress,
  request: ApiRequest,
  common: Headers,
  patience: Patience,
): Promise<{ status: number; text: string }> {
  const { type, body } = encodeBody(request);
  const response = await fetch(urlOf(address, request), {
    method: request.method,
    headers: {
      ...common,
      ...(request.accept === undefined ? {} : { Accept: request.accept }),
      ...(type === undefined ? {} : { "Content-Type": type }),
    },
    ...(request.method !== "GET" && { body }),
    ...("socketPath" in address && { unix: address.socketPath }),
    signal: AbortSignal.any([patience.signal, ...(request.signal ? [request.signal] : [])]),
    timeout: false,
    redirect: "manual",
    keepalive: false,
    proxy: false,
  });
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    patience.renew();
    if (response.ok && request.received !== undefined) {
      handOn(chunk, request.received);
      continue;
    }
    size += chunk.length;
    if (size > answerBytesMax) throw new Error("the answer is too long");
    chunks.push(chunk);
  }
  return { status: response.status, text: Buffer.concat(chunks).toString("utf8") };
}

/** Whoever an answer is for has failed, as a file that is full: no fault of the router. */
class NotTaken extends Error {}

function handOn(chunk: Uint8Array, received: (part: Uint8Array) => void): void {
  try {
    received(chunk);
  } catch (cause) {
    throw new NotTaken("the answer was not taken", { cause });
  }
}

function urlOf(address: ApiAddress, { path, query = [] }: ApiRequest): string {
  const host = "socketPath" in address ? "localhost" : formatEndpoint(address);
  const fields = encodeFields(query);
  const where = `http://${host}/${path.map(encodeURIComponent).join("/")}`;
  return fields === "" ? where : `${where}?${fields}`;
}

/** How long somebody waits for each part of an answer. */
class Patience implements Disposable {
  readonly #controller = new AbortController();
  readonly #waitMs: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor({ patient, waitMs = answerWaitMs }: ApiRequest) {
    this.#waitMs = patient === true ? undefined : waitMs;
    this.renew();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  renew(): void {
    const waitMs = this.#waitMs;
    if (waitMs === undefined) return;
    clearTimeout(this.#timer);
    const inVain = new Error(`no answer within ${waitMs / 1000} s`);
    this.#timer = setTimeout(() => this.#controller.abort(inVain), waitMs);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

function encodeFields(fields: ReadonlyArray<readonly [string, string]>): string {
  const encoded = new URLSearchParams();
  for (const [key, value] of fields) encoded.append(key, value);
  return encoded.toString();
}

function encodeBody(request: ApiRequest): { type: string | undefined; body: string } {
  if (request.json !== undefined) {
    return { type: "application/json", body: JSON.stringify(request.json) };
  }
  if (request.form !== undefined) {
    return { type: "application/x-www-form-urlencoded", body: encodeFields(request.form) };
  }
  return { type: undefined, body: "" };
}

/** The router answered with an error: its own text counts, as JSON or as plain text. */
function refused(status: number, body: string, feature: string | undefined): ApiError {
  const structured = structuredError(body);
  if (structured !== undefined) {
    const { code, message, remedy } = structured;
    const kind = code.endsWith("_DISABLED") ? "feature-off" : "refused";
    return new ApiError(kind, code, message, remedy ? { status, remedy } : { status });
  }
  if (status === 404) {
    const lacks = feature === undefined ? "does not offer this" : `runs without ${feature}`;
    return new ApiError("feature-off", "API_NOT_FOUND", `the router ${lacks}`, {
      status,
      remedy: "'weave launch --help' shows the options that decide it",
    });
  }
  const text = body.trimEnd() || `the router answered with HTTP status ${status}`;
  return new ApiError("refused", "API_REFUSED", text, { status });
}

function structuredError(
  body: string,
): { code: string; message: string; remedy: string | undefined } | undefined {
  if (!body.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value !== "object" || value === null || !("message" in value)) return undefined;
    return {
      code: "code" in value && typeof value.code === "string" ? value.code : "API_REFUSED",
      message: String(value.message),
      remedy: "remedy" in value && typeof value.remedy === "string" ? value.remedy : undefined,
    };
  } catch {
    return undefined;
  }
}

function unreachable(address: ApiAddress, cause: Error): ApiError {
  const at = "socketPath" in address ? address.socketPath : `${address.host}:${address.port}`;
  const code = "code" in cause ? String(cause.code) : "";
  if (code === "EACCES" || code === "EPERM") {
    return new ApiError("unreachable", "API_FORBIDDEN", `this user may not use ${at}`, {
      remedy: "run the command as root",
      cause,
    });
  }
  // Bun tells a refused or absent socket in several ways; what counts is that nobody is there.
  const absent =
    ["ECONNREFUSED", "ENOENT", "ConnectionRefused", "FailedToOpenSocket"].includes(code) ||
    ("socketPath" in address && !existsSync(address.socketPath));
  if (absent) {
    return new ApiError(
      "unreachable",
      "API_NOT_RUNNING",
      `weave is not running (nobody answers at ${at})`,
      {
        remedy: "start it with 'weave launch'",
        cause,
      },
    );
  }
  return new ApiError(
    "unreachable",
    "API_BROKEN_OFF",
    `the router at ${at} did not answer: ${errorText(cause)}`,
    { remedy: "see 'weave logs'", cause },
  );
}
