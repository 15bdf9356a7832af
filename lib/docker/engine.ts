import * as v from "valibot";
import { WeaveError } from "../base/errors.ts";
import { EngineClient } from "./engine-client.ts";

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

const listSchema = v.array(v.object({ Id: v.string(), Names: v.nullish(v.array(v.string()), []) }));

/** What the router asks a Docker engine about containers. */
export class DockerEngine {
  readonly #client: EngineClient;

  /** `unix:///path` or `tcp://host:port`. @throws WeaveError `ENGINE_ENDPOINT` */
  constructor(endpoint: string) {
    this.#client = new EngineClient(endpoint);
  }

  /** By name, id or unambiguous start of an id; `undefined` when there is no such container. */
  async inspect(reference: string): Promise<EngineContainer | undefined> {
    const raw = await this.#client.request({ path: inspectPath(reference) });
    if (raw === undefined) return undefined;
    const { Id, State, Config, HostConfig, HostsPath } = parseAnswer(inspectSchema, raw);
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
    return (await this.#running({})).map(({ Id }) => Id);
  }

  /** Names of all running containers, as people call them. */
  async runningNames(options: { readonly waitMs?: number } = {}): Promise<string[]> {
    const names = (await this.#running(options)).flatMap(({ Names }) => Names);
    // Each begins with a slash; others name the container as seen by one that is linked to it.
    return names.filter((name) => name.lastIndexOf("/") === 0).map((name) => name.slice(1));
  }

  async #running(options: { readonly waitMs?: number }): Promise<v.InferOutput<typeof listSchema>> {
    const raw = await this.#client.request({ path: "/containers/json", ...options });
    return raw === undefined ? [] : parseAnswer(listSchema, raw);
  }
}

export function inspectPath(reference: string): string {
  return `/containers/${encodeURIComponent(reference)}/json`;
}

/** @throws WeaveError `ENGINE_ANSWER` */
export function parseAnswer<Schema extends v.GenericSchema>(
  schema: Schema,
  raw: unknown,
): v.InferOutput<Schema> {
  const parsed = v.safeParse(schema, raw);
  if (parsed.success) return parsed.output;
  throw new WeaveError("ENGINE_ANSWER", "the Docker engine answered something unexpected", {
    cause: parsed.issues[0].message,
  });
}
