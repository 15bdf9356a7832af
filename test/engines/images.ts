import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { must } from "../hosts/shell.ts";

/**
 * Images made of this machine's busybox, which every engine of a lab has:
 *
 *   bb         Cmd /bin/sh, no Entrypoint
 *   bb-entry   Entrypoint /bin/echo entry, Cmd of words
 */
export const images: Readonly<Record<string, readonly string[]>> = {
  bb: ['CMD ["/bin/sh"]'],
  "bb-entry": ['ENTRYPOINT ["/bin/echo", "entry"]', 'CMD ["of", "words"]'],
};

/** What they are made of, as one file. */
export async function rootArchive(folder: string): Promise<string> {
  const root = join(folder, "image-root");
  for (const name of ["bin", "etc", "tmp", "proc", "sys", "dev"]) {
    mkdirSync(join(root, name), { recursive: true });
  }
  copyFileSync(Bun.which("busybox")!, join(root, "bin/busybox"));
  await must(["chroot", root, "/bin/busybox", "--install", "-s", "/bin"]);
  const archive = join(folder, "image-root.tar");
  await must(["tar", "-C", root, "-cf", archive, "."]);
  return archive;
}
