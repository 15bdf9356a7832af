import { fromUtf8, utf8 } from "../../base/bytes.ts";
import { errorText, WeaveError } from "../../base/errors.ts";
import type { World } from "../../base/world.ts";
import type { DockerEngine } from "../engine.ts";
import type { EngineContainer } from "../engine-models.ts";
import type { ExpectedStart, StartHold } from "../start-hold.ts";
import { isWrapped, type WaitHelperFolders, waitHelperTarget } from "../wait-helper/mount.ts";
import { weaveCidrDecision } from "../weave-cidr.ts";
import type { Interception } from "./exchange.ts";
import { heldStart } from "./held-start.ts";
import type { DnsSettings } from "./host-config.ts";
import type { HostnameRule } from "./hostname.ts";
import { JsonObject } from "./json-text.ts";
import { createChoice, imageAsked, rewriteCreate } from "./rewrite-create.ts";
import { rewriteExec } from "./rewrite-exec.ts";
import { rewriteInspect, type ShownInterface } from "./rewrite-inspect.ts";
import { rewriteStart } from "./rewrite-start.ts";
import { type Route, routeOf } from "./routes.ts";

/** A question about a container is answered after this time, whatever is being done to it. */
const settleMaxMs = 5_000;

export interface InterceptorOptions {
  readonly world: Pick<World, "after" | "monotonicMs" | "log">;
  readonly engine: Pick<DockerEngine, "image" | "inspect" | "kill">;
  readonly hold: StartHold;
  readonly folders: WaitHelperFolders;
  readonly multicastRoute: boolean;
  /** Containers that say nothing are attached. */
  readonly byDefault: boolean;
  readonly hostname: HostnameRule;
  /** What containers are told of weaveDNS; missing: nothing. */
  dns(): DnsSettings | undefined;
  /** Whether a container was detached by hand since it began to run. */
  wasDetached(container: EngineContainer): boolean;
  /** As in `HeldStartOptions`. */
  obstacle(): string | undefined;
  /** The interface of a container by its full id; missing: answers to questions pass as they are. */
  readonly shownInterface?: ((id: string) => Promise<ShownInterface | undefined>) | undefined;
}

/** What the proxy does to requests: decisions and edits are pure, here the engine is asked. */
export class Interceptor {
  readonly #options: InterceptorOptions;

  constructor(options: InterceptorOptions) {
    this.#options = options;
  }

  intercept(method: string, target: string): Interception | undefined {
    const route = routeOf(method, target);
    return route && this.#interceptionOf(route);
  }

  #interceptionOf(route: Route): Interception | undefined {
    switch (route.kind) {
      case "create":
        return this.#create(route.name);
      case "start":
        return this.#start(route.container);
      case "exec":
        return {
          route: "/containers/{id}/exec",
          request: (body) => this.#exec(route.container, body),
        };
      case "inspect":
        return this.#inspect();
    }
  }

  /** Warnings come with the engine's own, which clients show. */
  #create(name: string): Interception {
    let warnings: readonly string[] = [];
    return {
      route: "/containers/create",
      request: async (bytes) => {
        const body = parsedBody(bytes);
        if (body === undefined) return undefined;
        const decision = weaveCidrDecision(createChoice(body), this.#options);
        if (!decision.attach) {
          const which = name === "" ? "a container" : `container ${name}`;
          this.#options.world.log.info(`${which} is not attached: it ${decision.reason}`);
          return undefined;
        }
        const reference = imageAsked(body);
        // Without an image the engine says best what is wrong.
        if (reference === "") return undefined;
        const image = reference === undefined ? undefined : await this.#image(reference);
        const made = rewriteCreate(body, name, image, this.#createSettings());
        warnings = made.warnings;
        for (const warning of warnings) this.#options.world.log.warn(warning);
        const obstacle = this.#options.obstacle();
        if (obstacle !== undefined) warnings = [...warnings, `its start will wait: ${obstacle}`];
        return utf8(String(made.body));
      },
      answer: async (body, status) =>
        status === 201 && warnings.length > 0 ? withWarnings(body, warnings) : undefined,
    };
  }

  async #image(reference: string) {
    const image = await this.#options.engine.image(reference);
    if (image !== undefined) return image;
    throw new WeaveError("IMAGE_UNKNOWN", `No such image: ${reference}`);
  }

  #createSettings() {
    const { hostname } = this.#options;
    return { waitFolder: this.#waitFolder(), hostname, dns: this.#options.dns() };
  }

  #waitFolder(): string {
    const { folders, multicastRoute } = this.#options;
    return multicastRoute ? folders.dir : folders.noMulticastDir;
  }

  #start(reference: string): Interception {
    const { engine, hold, folders, world, obstacle } = this.#options;
    let id = "";
    let expected: ExpectedStart | undefined;
    const abandoned = Promise.withResolvers<void>();
    return {
      route: "/containers/{id}/start",
      request: async (body) => {
        const container = await engine.inspect(reference);
        // Of one that is not there the engine says so itself.
        if (container === undefined || !isWrapped(container.entrypoint)) return undefined;
        id = container.id;
        expected = hold.expectStart(id);
        const edited = rewriteStart(fromUtf8(body), {
          ...{ folders, waitFolder: this.#waitFolder(), dns: this.#options.dns() },
          isNamed: container.domainname !== "",
        });
        return edited === undefined ? undefined : utf8(edited);
      },
      answered: async (status) => {
        if (expected === undefined || status < 200 || status >= 300) return [];
        const kill = () => engine.kill(id);
        const tookMs = await heldStart(expected, {
          ...{ world, container: id, obstacle, kill },
          abandoned: abandoned.promise,
        });
        if (tookMs === undefined) return [];
        const seconds = Math.round(tookMs / 1000);
        return [["Warning", `299 weave "attached after ${seconds} s"`]];
      },
      over() {
        expected?.[Symbol.dispose]();
        abandoned.resolve();
      },
    };
  }

  async #exec(reference: string, bytes: Uint8Array): Promise<Uint8Array | undefined> {
    if (parsedBody(bytes) === undefined) return undefined;
    const container = await this.#options.engine.inspect(reference);
    if (container === undefined || !this.#waits(container)) return undefined;
    const edited = rewriteExec(fromUtf8(bytes));
    return edited === undefined ? undefined : utf8(edited);
  }

  /** Whether a command in it can wait for the interface, and has one to wait for. */
  #waits(container: EngineContainer): boolean {
    if (!container.mounts.some(({ target }) => target === waitHelperTarget)) return false;
    if (this.#options.wasDetached(container)) return false;
    return weaveCidrDecision(container, this.#options).attach;
  }

  #inspect(): Interception | undefined {
    const { shownInterface } = this.#options;
    if (shownInterface === undefined) return undefined;
    return {
      answer: async (body, status) => {
        if (status !== 200) return undefined;
        try {
          return await this.#withAddress(body, shownInterface);
        } catch (error) {
          this.#options.world.log.warn(
            `an answer about a container is passed on as it is: ${errorText(error)}`,
          );
          return undefined;
        }
      },
    };
  }

  async #withAddress(
    body: Uint8Array,
    shownInterface: (id: string) => Promise<ShownInterface | undefined>,
  ): Promise<Uint8Array | undefined> {
    const text = fromUtf8(body);
    const id = JsonObject.parse(text).string("Id");
    await this.#settled(id);
    const shown = await shownInterface(id);
    return shown === undefined ? undefined : utf8(rewriteInspect(text, shown));
  }

  async #settled(id: string): Promise<void> {
    const { hold, world } = this.#options;
    const late = Promise.withResolvers<void>();
    const cancel = world.after(settleMaxMs, () => late.resolve());
    await Promise.race([hold.settled(id), late.promise]);
    cancel();
  }
}

/** `undefined` for what the engine will not take either, and says best why. */
function parsedBody(bytes: Uint8Array): JsonObject | undefined {
  try {
    return JsonObject.parse(fromUtf8(bytes));
  } catch {
    return undefined;
  }
}

/** Clients show the warnings of an engine to whoever has a container made. */
function withWarnings(body: Uint8Array, warnings: readonly string[]): Uint8Array | undefined {
  const answer = parsedBody(body);
  if (answer === undefined) return undefined;
  const ours = warnings.map((warning) => `weave: ${warning}`);
  return utf8(String(answer.with("Warnings", [...(answer.strings("Warnings") ?? []), ...ours])));
}
