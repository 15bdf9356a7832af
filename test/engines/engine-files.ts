import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { errorText } from "../../lib/base/errors.ts";
import { debianArchive } from "../debian-archive.ts";
import { installMissing, missingPrograms, type PackagedPrograms } from "../debian-packages.ts";
import { run } from "../hosts/shell.ts";

/**
 * The Docker engines of the tests:
 *
 *   20.10   as Debian 12 packages it, installed on this machine      API 1.12 … 1.41
 *   28      as a later Debian packages it, in a root of its own      API 1.44 … 1.51, below refused
 *
 * The root of the second is made once, by the archive that the machine's own apt sources name, in a
 * cache outside the checkout:
 *
 *   <cache>/root      the packages below and what they need, never written to by a test
 *   <cache>/whole     is there when that is complete
 */
export type EngineName = "20.10" | "28";

/** The release that packages the later engine, and what of it is needed. */
const laterSuite = "forky";
const laterPackages = [
  ...["docker.io", "docker-cli", "containerd", "runc", "iptables", "nftables", "iproute2"],
  ...["ca-certificates", "mount"],
];

/** Programs of the machine, and the packages that have them. */
const programs: PackagedPrograms = {
  dockerd: "docker.io",
  containerd: "containerd",
  mmdebstrap: "mmdebstrap",
  busybox: "busybox-static",
  "docker-compose": "docker-compose",
  podman: "podman",
  conmon: "conmon",
  runc: "runc",
  "/usr/lib/cni/portmap": "containernetworking-plugins",
  "qemu-aarch64-static": "qemu-user-static",
  iptables: "iptables",
  ip: "iproute2",
  mount: "mount",
  nsenter: "util-linux",
};

/** A root takes a minute on a machine with two processors and a near archive. */
const makeMaxMs = 280_000;

/** Where the later engine is kept: `WEAVE_ENGINES_DIR`, else in the user's cache folder. */
export function cacheFolder(): string {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
  return process.env.WEAVE_ENGINES_DIR ?? join(cache, "weave-engines");
}

/** The folder that is an engine's root; `undefined` for the machine's own. @throws Error saying what is missing */
export function engineRoot(engine: EngineName): string | undefined {
  const missing = missingPrograms(programs);
  if (missing.length > 0) throw cannot(`there is no ${missing.join(", no ")} on this machine`);
  if (process.getuid?.() !== 0) throw cannot("engines need root");
  if (engine === "20.10") return undefined;
  const root = join(cacheFolder(), "root");
  if (!existsSync(join(cacheFolder(), "whole"))) throw cannot(`there is no engine at ${root}`);
  return root;
}

/** Installs and makes what is not there yet. @throws Error saying what cannot be had */
export async function fetchEngines(): Promise<void> {
  await installMissing(programs).catch((error) => {
    throw cannot(errorText(error));
  });
  if (existsSync(join(cacheFolder(), "whole"))) return;
  const scratch = join(cacheFolder(), `making-${process.pid}`);
  mkdirSync(cacheFolder(), { recursive: true });
  try {
    await makeRoot(scratch);
    rmSync(join(cacheFolder(), "root"), { recursive: true, force: true });
    renameSync(scratch, join(cacheFolder(), "root"));
    writeFileSync(join(cacheFolder(), "whole"), `${laterSuite}\n`);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function makeRoot(folder: string): Promise<void> {
  const { url, keyring } = await debianArchive().catch((error) => {
    throw cannot(errorText(error));
  });
  const { code, stderr } = await run(
    [
      ...["mmdebstrap", "--quiet", "--mode=root", "--variant=essential", `--keyring=${keyring}`],
      ...['--aptopt=Acquire::Check-Valid-Until "false"', `--include=${laterPackages.join(",")}`],
      ...[laterSuite, folder, url],
    ],
    { waitMs: makeMaxMs },
  );
  if (code !== 0) throw cannot(`the later engine cannot be fetched: ${stderr.trim().slice(-500)}`);
}

function cannot(why: string): Error {
  return new Error(
    `the tests with Docker engines cannot run: ${why}. They need a Debian machine with root; what ` +
      `is missing is fetched from its package archive by "bun test/engines/fetch.ts"`,
  );
}
