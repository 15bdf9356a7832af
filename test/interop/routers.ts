import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Container, Host } from "../hosts/lab.ts";
import { eventually, killed } from "../hosts/shell.ts";
import { type ReferenceOptions, ReferenceRouter } from "./reference-router.ts";

/** Whose router runs on a host: ours, or the original's. */
export type Kind = "ours" | "original";

export interface StartOptions {
  readonly peers?: readonly string[];
  /** Options that both kinds understand. */
  readonly flags?: readonly string[];
  readonly password?: string;
}

/** A router of either kind, asked through the control API that both serve alike. */
export interface Router extends AsyncDisposable {
  readonly kind: Kind;
  readonly host: Host;
  start(options?: StartOptions): Promise<void>;
  stop(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Forgets what a router that has stopped had stored. */
  wipe(): void;
  /** A container with one address of the allocator's. */
  container(suffix: string): Promise<{ container: Container; ip: string }>;
  /** Addresses that it gives for a name of the default domain. */
  lookup(name: string): Promise<string[]>;
  log(): Promise<string>;
}

/** What only routers of the original are told, at every start. */
export type OriginalOptions = Pick<ReferenceOptions, "fastdp" | "env">;

export function routerOn(host: Host, kind: Kind, options: OriginalOptions = {}): Router {
  return kind === "ours" ? new OurRouter(host) : new OriginalRouter(host, options);
}

class OurRouter implements Router {
  readonly kind = "ours";
  readonly host: Host;
  #pid = 0;

  constructor(host: Host) {
    this.host = host;
  }

  async start({ peers = [], flags = [], password }: StartOptions = {}): Promise<void> {
    const env = password === undefined ? {} : { WEAVE_PASSWORD: password };
    await this.host.launch([...flags, ...peers], { env });
    this.#pid = await this.host.routerPid();
  }

  async stop(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    if (signal === "SIGTERM") await this.host.mustWeave(["stop"]);
    else await killed(this.#pid);
  }

  wipe(): void {
    const folder = this.host.env.WEAVE_STATE_DIR!;
    for (const file of readdirSync(folder)) rmSync(join(folder, file), { recursive: true });
  }

  async container(suffix: string): Promise<{ container: Container; ip: string }> {
    const container = await this.host.container(suffix);
    return { container, ip: await this.host.mustWeave(["attach", container.reference]) };
  }

  async lookup(name: string): Promise<string[]> {
    return words((await this.host.weave(["dns-lookup", name])).stdout);
  }

  async log(): Promise<string> {
    return (await this.host.weave(["logs"])).stdout;
  }

  /** The lab ends what runs in its namespaces. */
  async [Symbol.asyncDispose](): Promise<void> {}
}

class OriginalRouter implements Router {
  readonly kind = "original";
  readonly host: Host;
  readonly #router: ReferenceRouter;
  readonly #options: OriginalOptions;

  constructor(host: Host, options: OriginalOptions) {
    this.host = host;
    this.#options = options;
    this.#router = new ReferenceRouter(host);
  }

  start(options: StartOptions = {}): Promise<void> {
    return this.#router.start({ ...options, ...this.#options });
  }

  stop(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    return this.#router.stop(signal);
  }

  wipe(): void {
    this.#router.wipe();
  }

  async container(suffix: string): Promise<{ container: Container; ip: string }> {
    const { container, cidr } = await this.#router.container(suffix);
    return { container, ip: cidr.split("/")[0]! };
  }

  lookup(name: string): Promise<string[]> {
    return this.#router.lookup(`${name}.weave.local`);
  }

  async log(): Promise<string> {
    return this.#router.log();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#router[Symbol.asyncDispose]();
  }
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

export interface Answer {
  readonly ok: boolean;
  readonly text: string;
}

/** A request to a router's control API, whatever the answer. */
export async function ask(
  router: Router,
  method: string,
  path: string,
  form = "",
): Promise<Answer> {
  const { code, stdout, stderr } = await router.host.exec([
    ...["curl", "-gsS", "--fail-with-body", "-m", "10", "-X", method, "-d", form],
    `http://127.0.0.1:6784${path}`,
  ]);
  return { ok: code === 0, text: code === 0 ? stdout : stdout + stderr };
}

/** Like {@link ask}, for requests that must succeed; gives the answer without its line end. */
export async function told(
  router: Router,
  method: string,
  path: string,
  form = "",
): Promise<string> {
  const { ok, text } = await ask(router, method, path, form);
  if (!ok) throw new Error(`${method} ${path}: ${text}\n${await router.log()}`);
  return text.trimEnd();
}

/** Lines of `status connections`: of links, and of what became of those that are none. */
async function connections(router: Router): Promise<string[]> {
  return (await ask(router, "GET", "/status/connections")).text.split("\n");
}

const isEstablished = (line: string): boolean => / established /.test(line);

/** Lines of `status connections` of links that are established. */
export async function establishedLinks(router: Router): Promise<string[]> {
  return (await connections(router)).filter(isEstablished);
}

export async function established(router: Router, count: number, waitMs = 15_000): Promise<void> {
  await eventually(
    `${count} established links at ${router.kind} ${router.host.number}`,
    () => connections(router),
    (lines) => lines.filter(isEstablished).length === count,
    waitMs,
  );
}

/** Every member holds one link to every other, and no more. */
export async function fullMesh(routers: readonly Router[], waitMs = 10_000): Promise<void> {
  const deadline = performance.now() + waitMs;
  for (const router of routers) {
    await established(router, routers.length - 1, Math.max(0, deadline - performance.now()));
  }
}

/** Names of the owners in `status ipam`, sorted. */
export async function owners(router: Router): Promise<string[]> {
  const { text } = await ask(router, "GET", "/status/ipam");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.slice(0, 17))
    .sort();
}

/** What an original says when something of ours hurt it; that we ended does not. */
export async function complaints(router: Router): Promise<string[]> {
  return (await router.log())
    .split("\n")
    .filter((line) => /^(ERRO|FATA)|panic|shutting down due to error(?!.*: EOF$)/.test(line));
}

export async function disposeAll(things: readonly (AsyncDisposable | undefined)[]): Promise<void> {
  for (const thing of things) await thing?.[Symbol.asyncDispose]();
}
