import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packRelease } from "../../build/release.ts";

/**
 * Releases published on loopback, and a machine to install them on: a folder for the prefix, and
 * one with stand-ins for tools of the system.
 */
export class ReleaseServer implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "weave-install-"));
  /** Replaces files on their way out, by path. */
  readonly tampered = new Map<string, string>();
  readonly requested: string[] = [];
  readonly #server: Bun.Server<undefined>;

  constructor() {
    this.#server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: (request) => this.#answer(new URL(request.url).pathname),
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}/releases`;
  }

  /** Publishes a release whose program is a script that knows its version. */
  async publish(
    version: string,
    as: string[],
    script = `echo "weave script ${version}"`,
  ): Promise<void> {
    const program = join(this.folder, "program");
    writeFileSync(program, `#!/bin/sh\n${script}\n`);
    for (const name of as) {
      const target = join(this.folder, "releases", name);
      mkdirSync(target, { recursive: true });
      await packRelease(program, version, target, undefined);
    }
  }

  /** Names of the archives of a version. */
  archives(version: string): string[] {
    return readdirSync(join(this.folder, "releases", version)).filter((name) =>
      name.endsWith(".tar.gz"),
    );
  }

  #answer(path: string): Response {
    this.requested.push(path);
    const tampered = this.tampered.get(path);
    if (tampered !== undefined) return new Response(tampered);
    const file = Bun.file(join(this.folder, path));
    return file.size > 0 ? new Response(file) : new Response("no", { status: 404 });
  }

  /** Puts a script in front of a tool of the system; returns the folder for PATH. */
  standIn(name: string, script: string): string {
    const bin = join(this.folder, "stand-ins");
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
    return bin;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export interface Installed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs install.sh the way `curl … | sh -s -- …` does: as text on the standard input of a shell. */
export async function installPiped(
  words: string[],
  environment: Record<string, string>,
): Promise<Installed> {
  const script = readFileSync(join(import.meta.dir, "../../install.sh"));
  const child = Bun.spawn(["/bin/sh", "-s", "--", ...words], {
    stdin: script,
    stdout: "pipe",
    stderr: "pipe",
    env: { PATH: process.env.PATH ?? "", ...environment },
  });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code: await child.exited, stdout, stderr };
}
