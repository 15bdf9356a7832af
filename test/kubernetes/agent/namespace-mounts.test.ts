import { describe, expect, test } from "bun:test";
import { seesLaterNamespaces } from "../../../lib/kubernetes/agent/namespace-mounts.ts";

const root = "1140 1000 0:60 / / rw,relatime - overlay overlay rw,lowerdir=/l";
const shared = "30 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw";
const run = "31 30 0:25 / /run rw,nosuid shared:5 - tmpfs tmpfs rw,mode=755";
const slave = "1152 1140 0:25 /netns /run/netns rw,nosuid master:5 - tmpfs tmpfs rw,mode=755";
const alone = "1152 1140 0:25 /netns /run/netns rw,nosuid - tmpfs tmpfs rw,mode=755";
const later = "99 1152 0:4 net:[4026532000] /run/netns/cni-1 rw - nsfs nsfs rw";

describe("network namespaces of pods that come later", () => {
  test.each([
    ["on a host", [shared, run], true],
    ["on a host without a file system for /run", [shared], true],
    ["in a pod as the manifest has it", [root, slave, later], true],
    ["in a pod that mounts their folder alone", [root, alone, later], false],
    ["in a pod that does not mount their folder", [root], false],
    ["in a pod in which something covers what was mounted", [root, slave, alone], false],
    ["where nothing can be read", [], false],
  ])("%s", (_, lines, seen) => {
    expect(seesLaterNamespaces(lines.map((line) => `${line}\n`).join(""))).toBe(seen);
  });
});
