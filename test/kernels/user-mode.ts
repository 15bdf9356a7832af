import { mkdirSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { shellWord } from "../../lib/diagnosis/shell-words.ts";
import { must } from "../hosts/shell.ts";
import type { Boot, GuestKernel } from "./guest.ts";
import { extract, type PackagedKernel, unpackedKernel } from "./packages.ts";

/**
 * User-mode Linux: a kernel as a process, with the C library it was built against. It starts within
 * a second and has Open vSwitch and ESP, one processor, and no tables of nft for IP.
 *
 *   files/   both packages unpacked
 *   root/    the little that the kernel's own process sees: itself, its loader, mount points
 */
const packaged: PackagedKernel = {
  kind: "user-mode",
  // The release whose kernel runs on processors with large register files; older ones do not.
  suite: "forky",
  packages: ["user-mode-linux", "libc6"],
  versionOf: "user-mode-linux",
  programs: ["unshare", "chroot"],
  unpack,
};

export const userMode: GuestKernel = {
  name: packaged.kind,
  modules: [],

  async fetch() {
    const folder = await unpackedKernel(packaged);
    const releases = join(folder, "files/usr/lib/uml/modules");
    return { folder, modules: join(releases, readdirSync(releases)[0]!) };
  },

  command({ folder }, boot) {
    return [
      ...["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"],
      ...["sh", "-c", bootScript(join(folder, "root"), boot)],
    ];
  },
};

/**
 * The kernel runs as a process whose root folder holds little more than itself; below `host` it finds
 * what becomes the guest's root.
 */
function bootScript(root: string, { job, memoryMegabytes }: Boot): string {
  const init = resolve(import.meta.dir, "guest.sh");
  const kernel = [
    ...["/bin/linux.uml", `mem=${memoryMegabytes}M`, "uml_dir=/tmp/uml", "umid=guest"],
    ...["rootfstype=hostfs", "rootflags=/host", "ro", `init=${init}`, `job=${job}`],
    ...["con=null", "con0=fd:0,fd:1", "ssl=null", "quiet"],
  ];
  return [
    "set -e",
    `mount -t proc proc ${shellWord(root)}/proc`,
    `mount --rbind /dev ${shellWord(root)}/dev`,
    `mount -t tmpfs tmpfs ${shellWord(root)}/tmp`,
    `mount --rbind / ${shellWord(root)}/host`,
    `exec chroot ${shellWord(root)} ${kernel.map(shellWord).join(" ")} </dev/null 2>&1`,
  ].join("\n");
}

async function unpack(from: string, to: string): Promise<void> {
  const [files, root] = [join(to, "files"), join(to, "root")];
  mkdirSync(files);
  for (const name of packaged.packages) await extract(from, name, files);
  const library = "lib/x86_64-linux-gnu";
  for (const mount of ["proc", "dev", "host", "tmp", "bin", "lib64", library]) {
    mkdirSync(join(root, mount), { recursive: true });
  }
  const copy = (path: string, folder: string) => must(["cp", "-L", path, join(root, folder)]);
  await copy(`${files}/usr/bin/linux.uml`, "bin");
  await copy(`${files}/usr/${library}/ld-linux-x86-64.so.2`, "lib64");
  await copy(`${files}/usr/${library}/libc.so.6`, library);
}
