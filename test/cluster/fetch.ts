import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorText } from "../../lib/base/errors.ts";
import { installMissing } from "../debian-packages.ts";
import { builtPrograms, cacheFolder, cannot, installPrograms } from "./cluster-files.ts";
import { buildProgram } from "./kubernetes-build.ts";
import { kubernetesSource, packagedVersion } from "./kubernetes-source.ts";

/**
 * Makes sure that there are the programs of a cluster: whether they can be had is another question than
 * whether the tests pass. Ends with 1 and a sentence when they cannot. A build that was interrupted
 * goes on where it was.
 *
 *   bun fetch.ts             installs and builds what is missing
 *   bun fetch.ts --no-build  installs what is missing, and fails when something would have to be built
 */
try {
  await fetchCluster(!process.argv.includes("--no-build"));
} catch (error) {
  console.error(cannot(errorText(error)).message);
  process.exitCode = 1;
}

async function fetchCluster(mayBuild: boolean): Promise<void> {
  const current = join(cacheFolder(), "current");
  if (!existsSync(current) && !mayBuild) {
    throw new Error(`there are no programs in ${cacheFolder()}`);
  }
  await installPrograms();
  if (!existsSync(current)) {
    await installMissing({ go: "golang-go" });
    const scratch = join(cacheFolder(), "lists");
    const version = await packagedVersion(scratch);
    await build(join(cacheFolder(), version), version);
    rmSync(scratch, { recursive: true });
    writeFileSync(current, version);
  }
  console.log(`kubernetes ${await Bun.file(current).text()}`);
}

async function build(folder: string, version: string): Promise<void> {
  const [work, programs] = [join(folder, "work"), join(folder, "bin")];
  for (const each of [work, programs]) mkdirSync(each, { recursive: true });
  const missing = builtPrograms.filter((name) => !existsSync(join(programs, name)));
  if (missing.length > 0) {
    console.log(`sources of kubernetes ${version}`);
    const source = await kubernetesSource(work, version);
    for (const name of missing) {
      const startMs = performance.now();
      await buildProgram(source, name, join(work, name));
      renameSync(join(work, name), join(programs, name));
      console.log(`${name}: built in ${Math.round((performance.now() - startMs) / 1000)} s`);
    }
  }
  rmSync(work, { recursive: true, force: true });
}
