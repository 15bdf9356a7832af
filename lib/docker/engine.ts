import * as v from "valibot";
import { errorText, WeaveError } from "../base/errors.ts";

/** A container as the engine describes it, reduced to what the router asks for. */
export interface EngineContainer {
  /** 64 hex digits. */
  readonly id: string;
  /** Process id of its first process; 0 when it does not run. */
  readonly pid: number;
  readonly running: boolean;
  readonly restarting: boolean;
  /** Without domain. */
  readonly hostname: string;
  readonly domainname: string;
  readonly usesHostNetwork: boolean;
  /** Path of the hosts file that the engine made for it; empty when it has none. */
  readonly hostsPath: string;
}

const inspectSchema = v.object({
  Id: v.string(),
  HostsPath: v.optional(v.string(), ""),
  State: v.object({
    Pid: v.optional(v.number(), 0),
    Running: v.optional(v.boolean(), false),
    Restarting: v.optional(v.boolean(), false),
  }),
  Config: v.object({
    Hostname: v.optional(v.string(), ""),
    Domainname: v.optional(v.string(), ""),
  }),
  HostConfig: v.object({ NetworkMode: v.optional(v.string(), "") }),
});

const listSchema = v.array(v.object({ Id: v.string() }));

/** An answer that takes longer means an engine that hangs. */
const answerWaitMs = 10_000;

/**
 * A client for the Docker engine's API, for looking at containers. No version is put into the
 * path: the engine then answers in its own newest, of which only lasting fields are read.
 */
export class DockerEngine {
  readonly endpoint: string;
  readonly #base: string;
  readonly #unix: string | undefined;

  /** `unix:///path` or `tcp://host:port`. @throws WeaveError `ENGINE_ENDPOINT` */
  constructor(endpoint: string) {
    this.endpoint = endpoint;
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

  /** By name, id or unambiguous start of an id; `undefined` when there is no such container. */
  async inspect(reference: string): Promise<EngineContainer | undefined> {
    const raw = await this.#get(`/containers/${encodeURIComponent(reference)}/json`);
    if (raw === undefined) return undefined;
    const { Id, State, Config, HostConfig, HostsPath } = this.#parse(inspectSchema, raw);
    return {
      id: Id,
      pid: State.Pid,
      running: State.Running,
      restarting: State.Restarting,
      hostname: Config.Hostname,
      domainname: Config.Domainname,
      usesHostNetwork: HostConfig.NetworkMode === "host",
      hostsPath: HostsPath,
    };
  }

  /** Ids of all running containers. */
  async runningIds(): Promise<string[]> {
    const raw = await this.#get("/containers/json");
    return raw === undefined ? [] : this.#parse(listSchema, raw).map((each) => each.Id);
  }

  #parse<Schema extends v.GenericSchema>(schema: Schema, raw: unknown): v.InferOutput<Schema> {
    const parsed = v.safeParse(schema, raw);
    if (parsed.success) return parsed.output;
    throw new WeaveError("ENGINE_ANSWER", "the Docker engine answered something unexpected", {
      cause: parsed.issues[0].message,
    });
  }

  async #get(path: string): Promise<unknown> {
    let response: Response;
    try {
      response = await fetch(this.#base + path, {
        ...(this.#unix === undefined ? {} : { unix: this.#unix }),
        signal: AbortSignal.timeout(answerWaitMs),
      });
    } catch (cause) {
      throw new WeaveError("ENGINE_UNREACHABLE", `no Docker engine answers at ${this.endpoint}`, {
        remedy: "name containers as netns:<name> or pid:<n>, or start the engine",
        cause,
      });
    }
    if (response.status === 404) return undefined;
    const body = await response.text();
    if (!response.ok) {
      throw new WeaveError(
        "ENGINE_REFUSED",
        `the Docker engine answered ${response.status}: ${body}`,
      );
    }
    try {
      return JSON.parse(body);
    } catch (cause) {
      throw new WeaveError("ENGINE_ANSWER", `the Docker engine sent no JSON: ${errorText(cause)}`);
    }
  }
}
