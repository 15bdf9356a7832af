import { namedNamespaceFolder } from "../../host/netns.ts";

/**
 * Whether network namespaces that are bound to files after this process began can be seen in it: the
 * mount in which their folder lies has to get the mounts of another one, or share them.
 *
 * @param mountinfo `/proc/self/mountinfo`: `36 35 98:0 /mnt1 /run/netns rw master:1 - ext3 …` (proc(5))
 */
export function seesLaterNamespaces(mountinfo: string): boolean {
  const mounts = mountinfo.split("\n").flatMap((line) => {
    const [mount = "", rest] = line.split(" - ", 2);
    const [, , , , point = "", , ...tags] = mount.split(" ");
    return rest === undefined ? [] : [{ point, tags }];
  });
  const around = mounts.filter(({ point }) => isWithin(namedNamespaceFolder, point));
  // Of several at one place the last one covers the others.
  const nearest = around.reduce<(typeof around)[number] | undefined>(
    (best, each) => (best === undefined || each.point.length >= best.point.length ? each : best),
    undefined,
  );
  return nearest?.tags.some((tag) => /^(shared|master):/.test(tag)) ?? false;
}

function isWithin(folder: string, point: string): boolean {
  return point === "/" || folder === point || folder.startsWith(`${point}/`);
}
