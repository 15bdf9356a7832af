import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { embeddedNaming, embedLibraries, findLibrary } from "../../build/embed-libraries.ts";
import { libnlName, libsodiumName } from "../../ffi/library.ts";

const root = join(import.meta.dir, "../..");

describe("a compiled executable", () => {
  const folder = mkdtempSync(join(tmpdir(), "weave-build-"));
  const outfile = join(folder, "probe");

  beforeAll(async () => {
    const worker = join(root, "lib/host/dataplane/worker.ts");
    const result = await Bun.build({
      entrypoints: [join(import.meta.dir, "probe.ts"), worker, ...embedLibraries(root)],
      root,
      target: "bun",
      naming: { asset: embeddedNaming },
      loader: { ".so": "file" },
      bytecode: true,
      splitting: true,
      format: "esm",
      compile: { outfile },
    });
    expect(result.success).toBe(true);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const run = (command: string[]) => {
    // Another folder than the checkout: nothing may depend on it.
    const ran = Bun.spawnSync(command, { cwd: "/" });
    expect(ran.stderr.toString()).toBe("");
    return JSON.parse(ran.stdout.toString());
  };

  test("uses the system's libraries, and its worker thread works", () => {
    expect(run([outfile])).toMatchObject({ libnl: "system", secretBox: "libsodium (system)" });
  });

  test("uses the libraries it carries where the system has none", () => {
    // In a mount namespace of its own an empty file hides each library.
    const hidden = [libnlName, libsodiumName]
      .map((name) => `mount --bind /dev/null ${findLibrary(name)}`)
      .join(" && ");
    const script = `${hidden} && exec ${outfile}`;
    const answer = run(["unshare", "-m", "--propagation", "private", "sh", "-c", script]);
    expect(answer).toMatchObject({ libnl: "carried", secretBox: "libsodium (carried)" });
    expect(answer.links).toContain("lo");
  });
});
