import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { must } from "../hosts/shell.ts";
import type { Boot, GuestKernel, KernelFiles } from "./guest.ts";
import { modulesInOrder } from "./modules.ts";
import { extract, type PackagedKernel, unpackedKernel } from "./packages.ts";

/**
 * The kernel of Debian 12, as hosts have it, on a processor that qemu makes of instructions of this
 * one: several times slower than the machine, and the same on each. It is before Linux 6.6, has BPF
 * with a compiler, all of nf_tables, Open vSwitch and ESP.
 *
 *   boot/vmlinuz-…, lib/modules/…   of the kernel's package
 *   bin/busybox                     what the kernel has as a first root: `early-root.sh` runs in it
 */
const packaged: PackagedKernel = {
  kind: "debian-12",
  suite: "bookworm",
  // The package of that name is empty and needs the one of its latest build.
  packages: ["?reverse-depends(?exact-name(linux-image-amd64))", "busybox-static"],
  versionOf: "linux-image-*-amd64",
  programs: ["qemu-system-x86_64"],
  unpack,
};

/** What tests may ask for lies in these; the rest, drivers above all, has ten times their size. */
const moduleFolders = [
  ...["arch/x86/crypto", "crypto", "lib", "net", "drivers/net", "drivers/virtio"],
  ...["drivers/char/hw_random", "fs/9p", "fs/fscache", "fs/netfs"],
];

/** The machine's files are a device of PCI. */
const earlyModules = ["virtio_pci", "9pnet_virtio", "9p"];
const machineTag = "machine";

export const debian12: GuestKernel = {
  name: packaged.kind,
  // Hosts load these when somebody asks for them; a guest has nothing that would.
  modules: ["crc32c_generic", "cls_bpf", "vxlan", "nft_chain_nat", "nft_ct", "nft_masq"],

  async fetch() {
    const folder = await unpackedKernel(packaged);
    const releases = join(folder, "lib/modules");
    return { folder, modules: join(releases, readdirSync(releases)[0]!) };
  },

  async command(files, boot) {
    const early = await earlyRoot(files, boot.job);
    const [image] = readdirSync(join(files.folder, "boot"));
    const share = [
      ...["local", "path=/", `mount_tag=${machineTag}`, "security_model=none"],
      ...["readonly=on", "multidevs=remap"],
    ];
    return [
      ...["qemu-system-x86_64", "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max"],
      ...["-m", `${boot.memoryMegabytes}`, "-smp", "2", "-nodefaults", "-no-reboot"],
      ...["-display", "none", "-serial", "stdio"],
      ...["-kernel", join(files.folder, "boot", image!), "-initrd", early],
      ...["-append", kernelLine(boot), "-virtfs", share.join(",")],
    ];
  },
};

function kernelLine({ job }: Boot): string {
  const init = resolve(import.meta.dir, "guest.sh");
  return `console=ttyS0 quiet panic=-1 tag=${machineTag} guest=${init} job=${job}`;
}

/** Makes the archive from which the kernel fills its first root. */
async function earlyRoot({ folder, modules }: KernelFiles, job: string): Promise<string> {
  const root = join(job, "early");
  for (const each of ["bin", "modules", "machine"])
    mkdirSync(join(root, each), { recursive: true });
  copyFileSync(join(folder, "bin/busybox"), join(root, "bin/busybox"));
  copyFileSync(join(import.meta.dir, "early-root.sh"), join(root, "init"));
  const paths = modulesInOrder(modules, earlyModules);
  for (const path of paths) copyFileSync(path, join(root, "modules", basename(path)));
  writeFileSync(join(root, "modules/order"), paths.map((path) => `${basename(path)}\n`).join(""));
  const archive = `${root}.cpio`;
  const pack = 'cd "$1" && find . | busybox cpio -o -H newc >"$2"';
  await must(["sh", "-c", pack, "sh", root, archive]);
  return archive;
}

async function unpack(from: string, to: string): Promise<void> {
  const modules = moduleFolders.map((each) => `./lib/modules/*/kernel/${each}/*`);
  const kernel = ["./boot/vmlinuz-*", "./lib/modules/*/modules.*", ...modules];
  await extract(from, packaged.versionOf, to, kernel);
  await extract(from, "busybox-static", to, ["./bin/busybox"]);
  const [release] = readdirSync(join(to, "lib/modules"));
  await must(["busybox", "depmod", "-b", to, release!]);
}
