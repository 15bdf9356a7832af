import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { privateApt } from "../debian-archive.ts";
import { must } from "../hosts/shell.ts";

/** The release of Debian whose source package `kubernetes` is the whole of it: later ones have a client only. */
const suite = "bookworm";

/** Where a compiler without modules looks for it. */
const sourcePath = "gopath/src/k8s.io/kubernetes";

const fetchMaxMs = 300_000;

export interface KubernetesSource {
  /** The package's, e.g. `1.20.5+really1.20.2-1.1+deb12u1`. */
  readonly version: string;
  /** What upstream calls it, e.g. `v1.20.2`. */
  readonly release: string;
  /** As `GOPATH`. */
  readonly gopath: string;
  readonly folder: string;
}

/** The version that the archive has. @throws Error with what apt says */
export async function packagedVersion(scratch: string): Promise<string> {
  const apt = await aptOfSources(scratch);
  const listed = await must([...apt, "--print-uris", "source", "kubernetes"]);
  const version = / kubernetes_(\S+)\.dsc /.exec(listed)?.[1];
  if (version === undefined) throw new Error("the archive has no sources of kubernetes");
  return version;
}

/**
 * The unpacked source in `work`, fetched unless it is there, with what it lacks.
 *
 * @throws Error with what apt or tar says
 */
export async function kubernetesSource(work: string, version: string): Promise<KubernetesSource> {
  const folder = join(work, sourcePath);
  if (!existsSync(folder)) await fetchSource(work, folder);
  addEndPort(folder);
  const release = `v${/really([\d.]+)/.exec(version)?.[1] ?? version.split("-")[0]!}`;
  return { version, release, gopath: join(work, "gopath"), folder };
}

/** One that knows what the archive has. */
async function aptOfSources(scratch: string): Promise<string[]> {
  const apt = await privateApt(scratch, "deb-src", suite);
  await must([...apt, "update"], { waitMs: fetchMaxMs });
  return apt;
}

async function fetchSource(work: string, folder: string): Promise<void> {
  const unpacked = join(work, "unpacked");
  mkdirSync(unpacked, { recursive: true });
  const apt = await aptOfSources(work);
  const download = [...apt, "source", "--download-only", "kubernetes"];
  await must(["sh", "-c", 'cd "$0" && exec "$@"', work, ...download], { waitMs: fetchMaxMs });
  const archive = readdirSync(work).find((name) => name.endsWith(".orig.tar.gz"));
  if (archive === undefined) throw new Error("apt gave no sources of kubernetes");
  await must(["tar", "-C", unpacked, "--strip-components=1", "-xf", join(work, archive)]);
  mkdirSync(join(folder, ".."), { recursive: true });
  renameSync(unpacked, folder);
}

/**
 * This release drops `endPort` of a port of a NetworkPolicy, which came a year later: the field is
 * added to the forms that a policy has on its way through the server, all alike, so that those convert
 * by their memory. Storage has to be JSON.
 */
function addEndPort(folder: string): void {
  const json = ' `json:"endPort,omitempty"`';
  for (const [path, tag] of [
    ["staging/src/k8s.io/api/networking/v1/types.go", json],
    ["staging/src/k8s.io/api/extensions/v1beta1/types.go", json],
    ["pkg/apis/networking/types.go", ""],
  ] as const) {
    const file = join(folder, path);
    const text = readFileSync(file, "utf8");
    if (text.includes("EndPort")) continue;
    const type = /(^type NetworkPolicyPort struct \{\n[^}]*)\}/m;
    if (!type.test(text)) throw new Error(`${path} is not as expected`);
    writeFileSync(file, text.replace(type, `$1\tEndPort *int32${tag}\n}`));
  }
}
