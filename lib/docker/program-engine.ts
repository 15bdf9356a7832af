import * as v from "valibot";
import { WeaveError } from "../base/errors.ts";
import type { EngineProgram, ProgramEngine, RestartPolicy } from "../daemon/adoption/facts.ts";
import { inspectPath } from "./engine.ts";
import { parseAnswer } from "./engine-answers.ts";
import { type EngineAccess, EngineClient } from "./engine-client.ts";

/** A program that does not end by then is killed; the engine itself may need a moment more. */
const stopSeconds = 10;
const orderWaitMs = 30_000;

const describeSchema = v.object({
  Id: v.string(),
  Name: v.optional(v.string(), ""),
  Path: v.optional(v.string(), ""),
  Args: v.optional(v.nullable(v.array(v.string())), []),
  State: v.object({
    Pid: v.optional(v.number(), 0),
    Running: v.optional(v.boolean(), false),
  }),
  Config: v.object({ Env: v.optional(v.nullable(v.array(v.string())), []) }),
  HostConfig: v.object({
    RestartPolicy: v.optional(
      v.object({
        Name: v.optional(v.string(), ""),
        MaximumRetryCount: v.optional(v.number(), 0),
      }),
      {},
    ),
  }),
  Mounts: v.optional(
    v.nullable(
      v.array(
        v.object({ Source: v.optional(v.string(), ""), Destination: v.optional(v.string(), "") }),
      ),
    ),
    [],
  ),
});

const listSchema = v.array(v.object({ Id: v.string() }));

/** How a Docker engine runs the programs of containers, and the way to change that. */
export class DockerProgramEngine implements ProgramEngine {
  readonly #client: EngineClient;

  /** @throws WeaveError `ENGINE_ENDPOINT` */
  constructor(endpoint: string, access?: EngineAccess) {
    this.#client = new EngineClient(endpoint, access);
  }

  async describe(reference: string): Promise<EngineProgram | undefined> {
    const raw = await this.#client.request({ path: inspectPath(reference) });
    if (raw === undefined) return undefined;
    const { Id, Name, Path, Args, State, Config, HostConfig, Mounts } = parseAnswer(
      describeSchema,
      raw,
    );
    return {
      id: Id,
      name: Name.replace(/^\//, ""),
      pid: State.Pid,
      isRunning: State.Running,
      command: [Path, ...(Args ?? [])],
      environment: Config.Env ?? [],
      restartPolicy: {
        name: HostConfig.RestartPolicy.Name,
        maximumRetryCount: HostConfig.RestartPolicy.MaximumRetryCount,
      },
      mounts: (Mounts ?? []).map(({ Source, Destination }) => ({
        source: Source,
        target: Destination,
      })),
    };
  }

  async running(): Promise<EngineProgram[]> {
    const raw = await this.#client.request({ path: "/containers/json" });
    const found: EngineProgram[] = [];
    for (const { Id } of raw === undefined ? [] : parseAnswer(listSchema, raw)) {
      const program = await this.describe(Id);
      if (program !== undefined) found.push(program);
    }
    return found;
  }

  async stop(id: string): Promise<void> {
    await this.#order(`/containers/${id}/stop?t=${stopSeconds}`);
  }

  async start(id: string): Promise<void> {
    await this.#order(`/containers/${id}/start`);
  }

  async setRestartPolicy(id: string, { name, maximumRetryCount }: RestartPolicy): Promise<void> {
    await this.#order(`/containers/${id}/update`, {
      RestartPolicy: { Name: name || "no", MaximumRetryCount: maximumRetryCount },
    });
  }

  async #order(path: string, body?: unknown): Promise<void> {
    const answer = await this.#client.request({ method: "POST", path, body, waitMs: orderWaitMs });
    if (answer !== undefined) return;
    throw new WeaveError("ENGINE_REFUSED", `the Docker engine knows nothing of ${path}`);
  }
}
