import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { errorText, WeaveError } from "../base/errors.ts";

/**
 * A release from the network, by the convention of `install.sh`:
 *
 *   <location>/<version>/SHA256SUMS      <sha256>  weave-<version>-<system>.tar.gz, a line each
 *   <location>/<version>/<archive>       weave-<version>-<system>/weave, and what goes with it
 */
const sumsBytesMax = 1 << 16;
const archiveBytesMax = 1 << 30;
const sumsWaitMs = 30_000;
const archiveWaitMs = 600_000;

const systems: Readonly<Record<string, string>> = { x64: "linux-x64", arm64: "linux-arm64" };

/** The version that a word means; `undefined` for what can only be a file. */
export function releaseVersion(word: string): string | undefined {
  return /^(latest|\d+\.\d+[\w.+-]*)$/.test(word) ? word : undefined;
}

/** A downloaded release, as long as it is not disposed of. */
export class Release implements Disposable {
  /** Path of its program, which is what was published. */
  readonly program: string;
  readonly #folder: string;

  private constructor(folder: string, program: string) {
    this.#folder = folder;
    this.program = program;
  }

  /**
   * Downloads one into a folder of its own below `parent`, and verifies its checksum before
   * anything looks into it.
   *
   * @throws WeaveError `RELEASE_LOCATION`, `RELEASE_DOWNLOAD`, `RELEASE_MISSING`,
   *   `RELEASE_STORE`, `RELEASE_CHECKSUM`, `RELEASE_UNPACK`; nothing is left behind then
   */
  static async download(version: string, location: string, parent: string): Promise<Release> {
    if (location === "") {
      throw new WeaveError("RELEASE_LOCATION", "it is not known where releases are published", {
        remedy:
          "set WEAVE_BASE_URL to the place that install.sh downloads from, or give the program of " +
          "a release as a file",
      });
    }
    const place = `${location.replace(/\/$/, "")}/${version}`;
    const folder = mkdtempSync(join(parent, "release-"));
    try {
      return new Release(folder, await programFrom(place, folder));
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function programFrom(place: string, folder: string): Promise<string> {
  const { sum, name } = await publishedArchive(place);
  const archive = join(folder, name);
  if ((await downloadTo(archive, `${place}/${name}`)) !== sum) {
    throw new WeaveError("RELEASE_CHECKSUM", `the checksum of ${name} is wrong`, {
      remedy: "nothing was changed; the download is damaged, or it is not what was published",
    });
  }
  const program = `${name.slice(0, -".tar.gz".length)}/weave`;
  const unpacking = Bun.spawn(["tar", "-xzf", archive, "-C", folder, program], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const said = await new Response(unpacking.stderr).text();
  if ((await unpacking.exited) === 0) return join(folder, program);
  throw new WeaveError("RELEASE_UNPACK", `cannot unpack ${name}: ${said.trim()}`, {
    remedy: "nothing was changed; tar and gzip have to be there, and room on the disk",
  });
}

/** The archive for this machine, and what its checksum has to be. */
async function publishedArchive(place: string): Promise<{ sum: string; name: string }> {
  const system = systems[process.arch] ?? process.arch;
  let sums = "";
  for await (const chunk of received(`${place}/SHA256SUMS`, sumsWaitMs, sumsBytesMax)) {
    sums += Buffer.from(chunk).toString("latin1");
  }
  const pattern = new RegExp(`^([0-9a-f]{64})  (weave-[\\w.+-]+-${system}\\.tar\\.gz)$`, "gm");
  const found = [...sums.matchAll(pattern)];
  const [, sum, name] = found[0] ?? [];
  if (found.length === 1 && sum !== undefined && name !== undefined) return { sum, name };
  const what = found.length === 0 ? "no release" : "several releases";
  throw new WeaveError("RELEASE_MISSING", `there is ${what} for ${system} at ${place}`, {
    remedy: "nothing was changed; see which versions are published there",
  });
}

/** Writes what comes to a file; gives its SHA-256 in hex. */
async function downloadTo(path: string, url: string): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256");
  const file = openSync(path, "wx", 0o600);
  try {
    for await (const chunk of received(url, archiveWaitMs, archiveBytesMax)) {
      hasher.update(chunk);
      for (let at = 0; at < chunk.length; ) at += storedAt(path, () => writeSync(file, chunk, at));
    }
  } finally {
    closeSync(file);
  }
  return hasher.digest("hex");
}

function storedAt<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (cause) {
    throw new WeaveError("RELEASE_STORE", `cannot write ${path}: ${errorText(cause)}`, {
      remedy: "nothing was changed; make room on that disk",
      cause,
    });
  }
}

async function* received(
  url: string,
  waitMs: number,
  bytesMax: number,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(waitMs) });
    if (!response.ok || response.body === null) throw new Error(`the answer is ${response.status}`);
    for await (const chunk of response.body) {
      bytes += chunk.length;
      if (bytes > bytesMax) throw new Error(`it has more than ${bytesMax} octets`);
      yield chunk;
    }
  } catch (cause) {
    throw new WeaveError("RELEASE_DOWNLOAD", `cannot download ${url}: ${errorText(cause)}`, {
      remedy: "nothing was changed",
      cause,
    });
  }
}
