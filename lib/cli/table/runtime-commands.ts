import type { CommandSpec } from "../command-spec.ts";
import { jsonFlag } from "./shared-parts.ts";

/** For container runtimes that find networks by CNI. */
export const runtimeCommands: readonly CommandSpec[] = [
  {
    name: "setup-cni",
    group: "Router",
    needsRoot: true,
    summary: "install the CNI plugins for container runtimes",
    description: [
      "Puts this program into /opt/cni/bin under the names weave-net and weave-ipam, and the network `weave` into /etc/cni/net.d/10-weave.conflist where that folder exists. A network that somebody has edited stays as it is. Prints nothing; doing it again changes nothing, and after an upgrade leads the names to the new version.",
      "WEAVE_CNI_PLUGIN_DIR names another folder for the plugins, HOST_ROOT where the host's own root is mounted; HAIRPIN_MODE=false has the network keep containers from reaching themselves through the bridge.",
      "`weave reset` takes away what nobody has changed.",
    ],
    arguments: [],
    flags: [jsonFlag],
    examples: [{ line: "weave setup-cni", explains: "beside a running router, or before it" }],
    exitCodes: [{ code: 1, when: "the files cannot be written" }],
  },
];
