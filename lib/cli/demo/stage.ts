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
import { hosts, namespaces, sceneFolder, webPidFile } from "./scene.ts";

/** Makes and removes the namespaces, the cable and the folder of the demonstration. */

/** @throws WeaveError `DEMO_NOT_ROOT`, `DEMO_EXISTS` or `DEMO_KERNEL`; nothing is left behind then */
export function buildStage(): void {
  if (process.getuid?.() !== 0) {
    throw new WeaveError("DEMO_NOT_ROOT", "weave demo makes network namespaces and needs root", {
      remedy: "run 'sudo weave demo'",
    });
  }
  claimFolder();
  try {
    for (const name of namespaces) createNamedNamespace(name).close();
    for (const name of namespaces) inNamespace(name, () => raise("lo"));
    inNamespace(hosts[0]!.namespace, probeBridge);
    layCable();
  } catch (cause) {
    removeNamespaces();
    rmSync(sceneFolder, { recursive: true, force: true });
    throw new WeaveError("DEMO_KERNEL", `the stage cannot be built: ${errorText(cause)}`, {
      remedy:
        "this needs a kernel with network namespaces, veth and bridge; inside a container, a privileged one",
      cause,
    });
  }
}

function claimFolder(): void {
  try {
    mkdirSync(sceneFolder, { mode: 0o700 });
  } catch (cause) {
    throw new WeaveError("DEMO_EXISTS", `another demonstration is there (${sceneFolder})`, {
      remedy: "'weave demo --remove' removes it",
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
function layCable(): void {
  const [left, right] = hosts.map(
    (host) => new NetworkNamespace(`${namedNamespaceFolder}/${host.namespace}`),
  );
  using ends = new DisposableStack();
  ends.use(left!);
  ends.use(right!);
  left!.run(() => {
    using netlink = openRoute();
    createVeth(netlink, { name: "eth0" }, { name: "eth0", namespaceDescriptor: right!.descriptor });
  });
  for (const host of hosts) {
    inNamespace(host.namespace, () => {
      using netlink = openRoute();
      const link = findLink(netlink, { name: "eth0" });
      if (link !== undefined) addAddress(netlink, link.index, parseCidr(`${host.ip}/24`));
    });
    inNamespace(host.namespace, () => raise("eth0"));
  }
}

/** Ends what runs on the stage and removes it, as far as it is there. */
export async function strikeStage(): Promise<void> {
  for (const host of hosts) await stopRouter(pathsFrom(host.environment));
  const server = runningRouter(webPidFile);
  if (server !== undefined) process.kill(server.pid, "SIGKILL");
  removeNamespaces();
  rmSync(sceneFolder, { recursive: true, force: true });
}

/** The devices inside go with them. */
function removeNamespaces(): void {
  const present = new Set(namedNamespaces().map((namespace) => namespace.name));
  for (const name of namespaces) if (present.has(name)) deleteNamedNamespace(name);
}
