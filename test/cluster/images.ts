import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { archiveImage } from "../../build/image.ts";
import { must } from "../hosts/shell.ts";
import type { ClusterFiles } from "./cluster-files.ts";

/** What holds the network of a pod. */
export const pauseImage = "weave.test/pause:1";

/** Servers and clients of every kind, under the name that upstream's tests have for it, and busybox. */
export const agnhostImage = "k8s.gcr.io/e2e-test-images/agnhost:2.21";

/** Makes the images that every node has; gives their archives. */
export async function testImages(folder: string, files: ClusterFiles): Promise<string[]> {
  const root = join(folder, "root");
  for (const name of ["bin", "etc", "tmp", "proc", "sys", "dev"]) {
    mkdirSync(join(root, name), { recursive: true });
  }
  copyFileSync(Bun.which("busybox")!, join(root, "bin/busybox"));
  const entrypoint = ["/bin/busybox", "sleep", "infinity"];
  const pause = testImage(folder, pauseImage, root, { Entrypoint: entrypoint });
  await must(["chroot", root, "/bin/busybox", "--install", "-s", "/bin"]);
  copyFileSync(files.program("agnhost"), join(root, "agnhost"));
  const config = { Entrypoint: ["/agnhost"], Cmd: ["pause"] };
  return [pause, testImage(folder, agnhostImage, root, config)];
}

/** Makes an image of a root folder; gives its archive. */
export function testImage(folder: string, name: string, root: string, config: object): string {
  const archive = join(folder, `${name.replaceAll(/[^\w.]/g, "-")}.tar`);
  const Env = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"];
  archiveImage(root, archive, { name, config: { Env, ...config }, seconds: 0 });
  return archive;
}
