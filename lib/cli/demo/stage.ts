import { mkdirSync, rmSync } from "node:fs";
import { errorText, WeaveError } from "../../base/errors.ts";
import { parseCidr } from "../../base/ip.ts";
import { pathsFrom } from "../../daemon/paths.ts";
import { runningRouter } from "../../daemon/pid-file.ts";
import { stopRouter } from "../../daemon/process.ts";
import { addAddress } from "../../host/netlink/address.ts";
import {
  changeLink,
  createBridge,
  createVeth,
  deleteLink,
  findLink,
} from "../../host/netlink/link.ts";
import { openRoute } from "../../host/netlink/open.ts";
import {
  createNamedNamespace,
  deleteNamedNamespace,
  NetworkNamespace,
  namedNamespaceFolder,
  namedNamespaces,
} from "../../host/netns.ts";
import { hostsOf, namespacesOf, removalOf, type Scene } from "./scene.ts";

/** Makes and removes the namespaces, the cable and the folder of the demonstration. */

/** @throws WeaveError `DEMO_NOT_ROOT`, `DEMO_EXISTS` or `DEMO_KERNEL`; nothing is left behind then */
export function buildStage(scene: Scene): void {
  if (process.getuid?.() !== 0) {
    throw new WeaveError("DEMO_NOT_ROOT", "weave demo makes network namespaces and needs root", {
      remedy: "run 'sudo weave demo'",
    });
  }
  claimFolder(scene);
  try {
    for (const name of namespacesOf(scene)) createNamedNamespace(name).close();
    for (const name of namespacesOf(scene)) inNamespace(name, () => raise("lo"));
    inNamespace(scene.host1.namespace, probeBridge);
    layCable(scene);
  } catch (cause) {
    removeNamespaces(scene);
    rmSync(scene.folder, { recursive: true, force: true });
    throw new WeaveError("DEMO_KERNEL", `the stage cannot be built: ${errorText(cause)}`, {
      remedy:
        "this needs a kernel with network namespaces, veth and bridge; inside a container, a privileged one",
      cause,
    });
  }
}

function claimFolder(scene: Scene): void {
  try {
    mkdirSync(scene.folder, { mode: 0o700 });
  } catch (cause) {
    throw new WeaveError("DEMO_EXISTS", `another demonstration is there (${scene.folder})`, {
      remedy: `'${removalOf(scene)}' removes it`,
      cause,
    });
  }
}

/** Runs `action` with this thread in the namespace; programs it starts run there. */
export function inNamespace<Result>(name: string, action: () => Result): Result {
  using namespace = new NetworkNamespace(`${namedNamespaceFolder}/${name}`);
  return namespace.run(action);
}

function raise(link: string): void {
  using netlink = openRoute();
  const found = findLink(netlink, { name: link });
  if (found !== undefined) changeLink(netlink, found.index, { up: true });
}

/** The router needs one; better to hear of it before anything has been shown. */
function probeBridge(): void {
  using netlink = openRoute();
  createBridge(netlink, { name: "probe" });
  const bridge = findLink(netlink, { name: "probe" });
  if (bridge !== undefined) deleteLink(netlink, bridge.index);
}

/** `eth0` of each host is one end. */
function layCable(scene: Scene): void {
  const path = (name: string): string => `${namedNamespaceFolder}/${name}`;
  using left = new NetworkNamespace(path(scene.host1.namespace));
  using right = new NetworkNamespace(path(scene.host2.namespace));
  left.run(() => {
    using netlink = openRoute();
    createVeth(netlink, { name: "eth0" }, { name: "eth0", namespaceDescriptor: right.descriptor });
  });
  for (const host of hostsOf(scene)) {
    inNamespace(host.namespace, () => {
      using netlink = openRoute();
      const link = findLink(netlink, { name: "eth0" });
      if (link !== undefined) addAddress(netlink, link.index, parseCidr(`${host.ip}/24`));
    });
    inNamespace(host.namespace, () => raise("eth0"));
  }
}

/** Ends what runs on the stage and removes it, as far as it is there. */
export async function strikeStage(scene: Scene): Promise<void> {
  for (const host of hostsOf(scene)) await stopRouter(pathsFrom(host.environment));
  const server = runningRouter(scene.webPidFile);
  if (server !== undefined) process.kill(server.pid, "SIGKILL");
  removeNamespaces(scene);
  rmSync(scene.folder, { recursive: true, force: true });
}

/** The devices inside go with them. */
function removeNamespaces(scene: Scene): void {
  const present = new Set(namedNamespaces().map((namespace) => namespace.name));
  for (const name of namespacesOf(scene)) if (present.has(name)) deleteNamedNamespace(name);
}
