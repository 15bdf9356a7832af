import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Where they are kept, from the root. */
export const licencesFile = "docs/licenses/packages.txt";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/**
 * The licences of all packages that become part of the executable, those that packages need included.
 *
 * @param root where `package.json` and `node_modules` are
 * @throws Error for a package without a licence
 */
export function packageLicences(root: string): string {
  const read = (folder: string): Manifest =>
    JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  const found = new Map<string, string>();
  const queue = Object.keys(read(root).dependencies ?? {});
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (found.has(name)) continue;
    const folder = join(root, "node_modules", name);
    const { version, license, dependencies = {} } = read(folder);
    const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
    if (file === undefined) throw new Error(`${name} has no licence`);
    const text = readFileSync(join(folder, file), "utf8").trim();
    found.set(name, `${name} ${version}: ${license}\n\n${text}\n`);
    queue.push(...Object.keys(dependencies));
  }
  return [...found.keys()]
    .sort()
    .map((name) => found.get(name))
    .join(`\n${"-".repeat(72)}\n\n`);
}
