import { mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { embeddedNaming, embedLibraries } from "./embed-libraries.ts";
import { embedPage } from "./embed-page.ts";
import { productVersion } from "./product-version.ts";

/**
 * Builds `dist/weave`: the program, the Bun runtime and the native libraries in one file. It reads
 * no .env, bunfig.toml, tsconfig.json or package.json of the folder it happens to run in.
 */
const root = join(import.meta.dir, "..");

export interface BuildResult {
  readonly path: string;
  readonly bytes: number;
  readonly version: string;
}

export async function buildExecutable(outfile = join(root, "dist/weave")): Promise<BuildResult> {
  const version = productVersion(root);
  // Source maps go into the executable; the bundler leaves copies beside it, which nobody wants.
  const scratch = join(root, "build/cache/executable");
  rmSync(scratch, { recursive: true, force: true });
  const result = await Bun.build({
    // The worker is an entry of its own: a thread starts from a file, not from a function.
    entrypoints: [
      join(root, "cmd/weave.ts"),
      join(root, "lib/host/dataplane/worker.ts"),
      ...embedLibraries(root),
      await embedPage(root),
    ],
    root,
    naming: { asset: embeddedNaming },
    loader: { ".so": "file", ".page": "file" },
    target: "bun",
    minify: { syntax: true, whitespace: true },
    sourcemap: "inline",
    bytecode: true,
    // What a command does not import it does not load: most need a tenth of the program.
    splitting: true,
    format: "esm",
    define: {
      WEAVE_VERSION: JSON.stringify(version),
      WEAVE_RELEASES: JSON.stringify(process.env.WEAVE_BASE_URL ?? ""),
    },
    compile: {
      outfile: join(scratch, "weave"),
      autoloadDotenv: false,
      autoloadBunfig: false,
      autoloadTsconfig: false,
      autoloadPackageJson: false,
    },
  });
  mkdirSync(dirname(outfile), { recursive: true });
  renameSync(join(scratch, "weave"), outfile);
  for (const message of result.logs) console.warn(String(message));
  return { path: outfile, bytes: statSync(outfile).size, version };
}

if (import.meta.main) {
  const { path, bytes, version } = await buildExecutable();
  console.log(`${path}: weave ${version}, ${(bytes / 1e6).toFixed(1)} MB`);
}
