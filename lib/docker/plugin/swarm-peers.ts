import { splitHostPort } from "../../base/endpoint.ts";
import { errorText } from "../../base/errors.ts";
import { type Cancel, every, type World } from "../../base/world.ts";
import type { DockerEngine } from "../engine.ts";
import type { EngineInfo } from "../engine-models.ts";

/** How often it is looked which hosts manage the swarm: some come after the plugin, or instead. */
const lookPeriodMs = 10_000;

export interface SwarmPeersOptions {
  readonly world: Pick<World, "after" | "log">;
  readonly engine: Pick<DockerEngine, "info">;
  /** Tries to reach these hosts from now on. */
  connect(hosts: readonly string[]): void;
}

/** The hosts that manage the swarm of this node, without itself. */
export function swarmManagers({ swarm }: Pick<EngineInfo, "swarm">): string[] {
  const hosts = swarm.managers.flatMap((each) => splitHostPort(each)?.host ?? []);
  return [...new Set(hosts)].filter((host) => host !== "" && host !== swarm.nodeAddress);
}

/**
 * Makes the managers of a swarm our peers; who else there is, they tell. The engine does not answer
 * while it starts its plugins, and a node may join a swarm later: so it is asked again and again.
 */
export class SwarmPeers {
  readonly #options: SwarmPeersOptions;
  readonly #known = new Set<string>();
  readonly #cancel: Cancel;
  #isAsking = false;

  constructor(options: SwarmPeersOptions) {
    this.#options = options;
    this.#cancel = every(options.world, lookPeriodMs, () => void this.look());
    void this.look();
  }

  stop(): void {
    this.#cancel();
  }

  async look(): Promise<void> {
    const { engine, world, connect } = this.#options;
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      const managers = swarmManagers(await engine.info());
      const fresh = managers.filter((host) => !this.#known.has(host));
      for (const host of fresh) this.#known.add(host);
      if (fresh.length === 0) return;
      world.log.info(`[plugin] the swarm is managed by ${fresh.join(", ")}`);
      connect(fresh);
    } catch (error) {
      world.log.debug(`[plugin] the engine does not tell of its swarm: ${errorText(error)}`);
    } finally {
      this.#isAsking = false;
    }
  }
}
