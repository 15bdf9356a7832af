import { cidrsOverlap, formatCidr, formatIp } from "../../base/ip.ts";
import type { DeviceFact, Facts, RouteFact } from "../facts.ts";
import { type Finding, finding } from "../finding.ts";
import { shellLine } from "../shell-words.ts";

/** What a host has to be before a router runs on it, the packet filter aside. */
export function checkHost(facts: Facts): Finding[] {
  return [
    ...foreignDevices(facts),
    ...bridgeFindings(facts),
    ...ports(facts),
    ...routes(facts),
    ...datapaths(facts),
    ...machineId(facts),
    ...facts.host.unexamined.map(({ what, why }) =>
      finding("UNEXAMINED", what, `${what} could not be looked at: ${why}`),
    ),
  ];
}

/** Kinds of device that may have the name: the bridge of ours, and the original's two wirings. */
function foreignDevices({ setup, host }: Facts): Finding[] {
  const device = host.devices.find(({ name }) => name === setup.bridge);
  const datapath = host.devices.find(({ name }) => name === setup.datapath);
  const foreign = [
    ...(device !== undefined && device.kind !== "bridge" ? [device] : []),
    ...(datapath !== undefined && datapath.kind !== "openvswitch" ? [datapath] : []),
  ];
  return foreign.map((each) =>
    finding(
      "BRIDGE_FOREIGN",
      each.name,
      `the device ${each.name} is no device of the router's (${each.kind || "hardware"})`,
      { commands: [removal(each)] },
    ),
  );
}

/** The original's wiring without a bridge is a datapath, which the kernel deletes as such alone. */
function removal({ name, kind }: DeviceFact): string {
  return kind === "openvswitch"
    ? shellLine("ovs-dpctl", "del-dp", name)
    : shellLine("ip", "link", "delete", "dev", name);
}

/** The bridge, where it is switched off. */
export function bridgeFindings({ setup, host }: Facts): Finding[] {
  const device = host.devices.find(({ name }) => name === setup.bridge);
  if (device?.kind !== "bridge" || device.up) return [];
  return [
    finding("BRIDGE_DOWN", device.name, `the bridge ${device.name} is down`, {
      commands: [shellLine("ip", "link", "set", "dev", device.name, "up")],
    }),
  ];
}

/** The ports of the router itself, not those of its API, whose place is the operator's choice. */
function ports({ setup, host }: Facts): Finding[] {
  const wanted = [
    { protocol: "tcp", port: setup.port, what: "connections" },
    { protocol: "udp", port: setup.port, what: "sleeve" },
    { protocol: "udp", port: setup.port + 1, what: "the fast datapath" },
  ] as const;
  return wanted.flatMap(({ protocol, port, what }) => {
    const taken = host.sockets.find(
      (socket) => socket.protocol === protocol && socket.port === port,
    );
    if (taken === undefined) return [];
    const { owner } = taken;
    const who = owner === undefined ? "a device of the kernel" : `${owner.name} (pid ${owner.pid})`;
    const name = `${protocol.toUpperCase()} ${port}`;
    return [
      finding("PORT_TAKEN", name, `${name}, which ${what} needs, is used by ${who}`, {
        commands: owner === undefined ? [] : [shellLine("kill", owner.pid)],
      }),
    ];
  });
}

function routes({ setup, host }: Facts): Finding[] {
  const { range } = setup;
  if (range === undefined) return [];
  const bridgeIndex = host.devices.find(({ name }) => name === setup.bridge)?.index;
  return host.routes
    .filter(
      ({ destination, interfaceIndex }) =>
        destination !== undefined &&
        destination.prefix > 0 &&
        (interfaceIndex === undefined || interfaceIndex !== bridgeIndex) &&
        cidrsOverlap(destination, range),
    )
    .map((route) => {
      const shown = formatCidr(route.destination!);
      const where = nameOf(host.devices, route) ?? "no device";
      const sentence = `the route to ${shown} over ${where} takes addresses of ${formatCidr(range)} away from containers`;
      return finding("ROUTE_OVERLAP", shown, sentence, {
        commands: [deleteRoute(host.devices, route)],
      });
    });
}

function deleteRoute(devices: readonly DeviceFact[], route: RouteFact): string {
  const device = nameOf(devices, route);
  return shellLine(
    ...["ip", "route", "delete", formatCidr(route.destination!)],
    ...(route.gateway === undefined ? [] : ["via", formatIp(route.gateway)]),
    ...(device === undefined ? [] : ["dev", device]),
  );
}

function nameOf(devices: readonly DeviceFact[], route: RouteFact): string | undefined {
  return devices.find(({ index }) => index === route.interfaceIndex)?.name;
}

/** What the operator switched off is no fault of the host. */
function datapaths({ setup, host: { datapath } }: Facts): Finding[] {
  const { backend, refusals } = datapath;
  if (backend !== undefined || refusals.size === 0 || !setup.wantsFastdp) return [];
  const why = [...refusals].map(([name, reason]) => `${name}: ${reason}`).join("; ");
  return [finding("DATAPATH_NONE", "kernel", `no fast datapath can run here (${why})`)];
}

function machineId({ host }: Facts): Finding[] {
  if (host.hasMachineId) return [];
  return [
    finding("MACHINE_ID_MISSING", "/etc/machine-id", "this machine has no machine-id", {
      commands: ["systemd-machine-id-setup"],
    }),
  ];
}
