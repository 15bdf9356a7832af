import { copyFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeRootFolder } from "../../build/root-folder.ts";
import { eventually } from "../hosts/shell.ts";
import { referenceBinary } from "../interop/reference-router.ts";
import type { ClusterLab } from "./cluster-lab.ts";
import type { ClusterNode } from "./cluster-node.ts";
import { testImage } from "./images.ts";
import { addon } from "./weave-addon.ts";

/** The original's CNI plugins are a program that it installs beside its router. */
const plugins = referenceBinary && join(dirname(referenceBinary), "weaveutil");

const image = "weave.test/original:2";

/**
 * Has the original be the network of a cluster, as its own manifest does it: a DaemonSet of the same
 * name and labels, with the same folder of the node for what it remembers, and a list of peers.
 */
export async function installOriginal(lab: ClusterLab): Promise<void> {
  if (referenceBinary === undefined) throw new Error("WEAVE_REFERENCE_ROUTER names no router");
  const root = join(lab.folder, "original");
  const folders = ["dev", "etc", "host", "proc", "run", "sys", "tmp", "weavedb"];
  makeRootFolder(root, { program: referenceBinary, folders, programs: ["ipset", "conntrack"] });
  await lab.addImage(testImage(lab.folder, image, root, {}));
  await lab.plane.applyAll([daemonSet(lab.nodes)]);
  for (const node of lab.nodes) await installPlugins(node);
  const listed = await Promise.all(
    lab.nodes.map(async (node) => ({ PeerName: await peerName(node), NodeName: node.name })),
  );
  const key = "kube-peers.weave.works/peers";
  const metadata = { ...addon, annotations: { [key]: JSON.stringify({ Peers: listed }) } };
  await lab.plane.applyAll([{ apiVersion: "v1", kind: "ConfigMap", metadata }]);
}

/** Its name, once it answers. */
async function peerName(node: ClusterNode): Promise<string> {
  const { stdout } = await eventually(
    `the original on ${node.name}`,
    () => node.exec(["busybox", "wget", "-qO-", "http://127.0.0.1:6784/status"]),
    ({ code }) => code === 0,
    90_000,
  );
  return / Name: ([\da-f:]+)\(/.exec(stdout)![1]!;
}

async function installPlugins(node: ClusterNode): Promise<void> {
  for (const name of ["weave-net", "weave-ipam"]) {
    copyFileSync(plugins!, node.outside(`/opt/cni/bin/${name}`));
  }
  const list = {
    ...{ cniVersion: "0.3.0", name: "weave" },
    plugins: [
      { name: "weave", type: "weave-net", hairpinMode: true },
      { type: "portmap", capabilities: { portMappings: true }, snat: true },
    ],
  };
  const stdin = JSON.stringify(list);
  await node.mustExec(["sh", "-c", "cat >/etc/cni/net.d/10-weave.conflist"], { stdin });
}

function daemonSet(nodes: readonly ClusterNode[]): object {
  const labels = { name: addon.name };
  const words = [
    ...["--port=6783", "--no-fastdp", "--weave-bridge=weave", "--host-root=/host", "--no-dns"],
    ...["--http-addr=127.0.0.1:6784", "--metrics-addr=0.0.0.0:6782", "--docker-api="],
    ...["--db-prefix=/weavedb/weave-net", "--ipalloc-range=10.32.0.0/12"],
    ...[`--ipalloc-init=consensus=${nodes.length}`, "--nickname=$(HOSTNAME)"],
    ...nodes.map(({ ip }) => ip),
  ];
  const nodeName = { valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } };
  const container = {
    ...{ name: "weave", image, command: ["/usr/local/bin/weave", ...words] },
    env: [
      { name: "HOSTNAME", ...nodeName },
      { name: "CHECKPOINT_DISABLE", value: "1" },
    ],
    securityContext: { privileged: true },
    volumeMounts: [
      { name: "weavedb", mountPath: "/weavedb" },
      { name: "machine-id", mountPath: "/host/etc/machine-id", readOnly: true },
      { name: "xtables-lock", mountPath: "/run/xtables.lock" },
    ],
  };
  const volume = (name: string, path: string, type: string) => ({ name, hostPath: { path, type } });
  const volumes = [
    volume("weavedb", "/var/lib/weave", "DirectoryOrCreate"),
    volume("machine-id", "/etc/machine-id", "File"),
    volume("xtables-lock", "/run/xtables.lock", "FileOrCreate"),
  ];
  const tolerations = ["NoSchedule", "NoExecute"].map((effect) => ({
    ...{ effect, operator: "Exists" },
  }));
  const spec = { hostNetwork: true, tolerations, containers: [container], volumes };
  return {
    ...{ apiVersion: "apps/v1", kind: "DaemonSet", metadata: { ...addon, labels } },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
}
