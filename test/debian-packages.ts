import { run } from "./hosts/shell.ts";

/** Programs, each with the package of Debian that has it. */
export type PackagedPrograms = Readonly<Record<string, string>>;

const installMaxMs = 180_000;

/** The programs that this machine has not. */
export function missingPrograms(programs: PackagedPrograms): string[] {
  return Object.keys(programs).filter((program) => Bun.which(program) === null);
}

/** Installs the packages of those that are missing. @throws Error with what apt says */
export async function installMissing(programs: PackagedPrograms): Promise<void> {
  const packages = [...new Set(missingPrograms(programs).map((program) => programs[program]!))];
  if (packages.length === 0) return;
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  for (const words of [["update"], ["install", "-y", "--no-install-recommends", ...packages]]) {
    const { code, stderr } = await run(["apt-get", "-qq", ...words], { env, waitMs: installMaxMs });
    if (code !== 0) throw new Error(`${packages.join(", ")} cannot be installed: ${stderr.trim()}`);
  }
}
