import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { buildExecutable } from "./build.ts";
import { executablePath, findProgram, makeRootFolder } from "./root-folder.ts";

/**
 * Makes a container image without a container engine, for `ctr images import`, `podman load` and
 * `docker load`:
 *
 *   dist/weave-image.tar
 *     oci-layout, index.json    OCI image layout 1.0
 *     blobs/sha256/…            manifest, configuration, and one layer: the root folder
 *     manifest.json             the same as `docker save` has it, for engines that know no layouts
 *
 * deploy/image/Dockerfile makes the same of a distribution's packages.
 */
const root = join(import.meta.dir, "..");

/** What the image answers to besides `weave`: the paths that manifests of Weave Net 2.x call. */
export const formerPaths = ["weave", "launch.sh", "init.sh", "kube-utils"].map(
  (name) => `/home/weave/${name}`,
);

/** Places for what a pod mounts, and for scratch files. */
const folders = ["dev", "etc", "host", "proc", "run", "sys", "tmp", "var/lib/weave", "weavedb"];

/** By which `weave kube init` loads modules of the kernel, and the older packet filter keeps sets. */
const programs = ["modprobe", "ipset"];

/** What the manifests of deploy/ name. */
export function imageName(): string {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return `weave:${version}`;
}

/** Part of image and container configurations (OCI image specification 1.0, config.md). */
export const containerDefaults = {
  Env: ["PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
  Entrypoint: [executablePath],
  Cmd: ["kube"],
  WorkingDir: "/",
} as const;

/**
 * @param program the executable
 * @param archive path of the archive
 * @throws Error when a library is missing, or `tar` fails
 */
export function packImage(program: string, archive: string, name = imageName()): void {
  const tree = `${archive}.root`;
  makeRootFolder(tree, { program, folders, programs });
  for (const path of formerPaths) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    symlinkSync(executablePath, join(tree, path));
  }
  // Runtimes call the folder of network namespaces by its older name.
  symlinkSync("../run", join(tree, "var/run"));
  const seconds = Math.floor(statSync(program).mtimeMs / 1000);
  archiveImage(tree, archive, { name, config: containerDefaults, seconds });
  rmSync(tree, { recursive: true });
}

export interface ImageParts {
  /** With a tag; without a host it is one of Docker's library. */
  readonly name: string;
  /** Entrypoint, Cmd, Env … of its containers. */
  readonly config: object;
  /** When it was made, and all that is in it, since 1970. */
  readonly seconds: number;
}

/**
 * Makes the archive of an image of one layer.
 *
 * @param tree its root folder
 * @throws Error when `tar` fails
 */
export function archiveImage(tree: string, archive: string, parts: ImageParts): void {
  const layout = `${archive}.layout`;
  rmSync(layout, { recursive: true, force: true });
  const layer = putBlob(layout, (path) => pack(tree, path, parts.seconds));
  writeLayout(layout, layer, parts);
  pack(layout, archive, parts.seconds);
  rmSync(layout, { recursive: true });
}

interface Blob {
  readonly digest: string;
  readonly size: number;
}

function writeLayout(layout: string, layer: Blob, parts: ImageParts): void {
  const { name, seconds } = parts;
  const created = new Date(seconds * 1000).toISOString();
  const config = putJson(layout, {
    architecture: process.arch === "arm64" ? "arm64" : "amd64",
    ...{ os: "linux", created, config: parts.config },
    rootfs: { type: "layers", diff_ids: [layer.digest] },
    history: [{ created, created_by: "build/image.ts" }],
  });
  const media = "application/vnd.oci.image";
  const manifest = putJson(layout, {
    schemaVersion: 2,
    mediaType: `${media}.manifest.v1+json`,
    config: { mediaType: `${media}.config.v1+json`, ...config },
    layers: [{ mediaType: `${media}.layer.v1.tar`, ...layer }],
  });
  const annotations = {
    "io.containerd.image.name": name.includes("/") ? name : `docker.io/library/${name}`,
    "org.opencontainers.image.ref.name": name.slice(name.lastIndexOf(":") + 1),
  };
  const write = (file: string, content: object): void =>
    writeFileSync(join(layout, file), JSON.stringify(content));
  write("oci-layout", { imageLayoutVersion: "1.0.0" });
  write("index.json", {
    schemaVersion: 2,
    mediaType: `${media}.index.v1+json`,
    manifests: [{ mediaType: `${media}.manifest.v1+json`, ...manifest, annotations }],
  });
  write("manifest.json", [
    { Config: blobPath(config), RepoTags: [name], Layers: [blobPath(layer)] },
  ]);
}

const blobPath = ({ digest }: Blob): string => `blobs/${digest.replace(":", "/")}`;

function putJson(layout: string, content: object): Blob {
  return putBlob(layout, (path) => writeFileSync(path, JSON.stringify(content)));
}

function putBlob(layout: string, make: (path: string) => void): Blob {
  const folder = join(layout, "blobs/sha256");
  mkdirSync(folder, { recursive: true });
  const scratch = join(folder, "new");
  make(scratch);
  const hasher = new Bun.CryptoHasher("sha256").update(readFileSync(scratch));
  const blob = { digest: `sha256:${hasher.digest("hex")}`, size: statSync(scratch).size };
  renameSync(scratch, join(layout, blobPath(blob)));
  return blob;
}

/** Equal input gives an equal archive: no names, one order, one time. */
function pack(folder: string, archive: string, seconds: number): void {
  const stable = ["--sort=name", `--mtime=@${seconds}`, "--owner=0", "--group=0"];
  const command = ["tar", "-C", folder, ...stable, "--numeric-owner", "-cf", archive, "."];
  const { exitCode, stderr } = Bun.spawnSync(command);
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
}

if (import.meta.main) {
  const built = join(root, "dist/weave");
  const program = process.argv.includes("--built") && existsSync(built) ? built : undefined;
  const archive = join(root, "dist/weave-image.tar");
  for (const name of programs.filter((each) => findProgram(each) === null)) {
    console.warn(`note: the image is without ${name}, which this machine does not have`);
  }
  packImage(program ?? (await buildExecutable()).path, archive);
  console.log(`${archive}: ${imageName()}; ctr -n k8s.io images import ${archive}`);
}
