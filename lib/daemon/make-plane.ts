import type { PeerName } from "../base/peer-name.ts";
import type { World } from "../base/world.ts";
import { openAead } from "../host/aead.ts";
import type { HostDatapath } from "../host/datapath/backend.ts";
import type { DataPlane } from "../host/dataplane/data-plane.ts";
import { ipsecRefusal, KernelIpsec, removeIpsecLeftovers } from "../host/ipsec/kernel-ipsec.ts";
import { openSecretBox } from "../host/secret-box.ts";
import { TcpTransport } from "../host/tcp.ts";
import { OverlayChooser } from "../overlay/chooser.ts";
import { FastdpOverlay, type FastdpOverlayOptions } from "../overlay/fastdp/overlay.ts";
import { SleeveOverlay } from "../overlay/sleeve/overlay.ts";
import { type ControlPlane, makeControlPlane } from "../peer/control-plane.ts";
import { SqliteAllocatorStore } from "./allocator-store.ts";
import type { openDatabase } from "./database.ts";
import { addressNews } from "./events/address-news.ts";
import type { EventJournal } from "./events/event-journal.ts";
import type { LinkNews } from "./events/link-news.ts";
import { tellMeshEvent } from "./events/mesh-news.ts";
import type { LaunchOptions } from "./launch-options.ts";
import { SqliteRecordStore } from "./policy/record-store.ts";
import type { SettingsStore } from "./settings-store.ts";

/** The protocols of a router, on the sockets, datapath and disk of its host. */

/** The overlay of a host with a datapath, which outlives it and goes on forwarding. */
export function startFastdp(
  world: World,
  options: LaunchOptions,
  parts: {
    readonly name: PeerName;
    readonly dataPlane: DataPlane;
    readonly datapath: HostDatapath;
  },
): FastdpOverlay {
  const { name: local, dataPlane, datapath } = parts;
  // By a process that did not stop in order. Nothing goes out by what it sealed any more.
  removeIpsecLeftovers();
  const overlay = new FastdpOverlay({
    ...{ world, local, datapath, controlPort: options.port },
    discoversMtu: options.mtu === "auto",
    forwards: (topology) => dataPlane.setTopology(topology),
    ...encryptionOf(world, options),
  });
  if (datapath.descriptor !== undefined) {
    dataPlane.watch(datapath.descriptor, () => datapath.serve?.());
  }
  return overlay;
}

/** What encrypts frames on their way between kernels; nothing where none are to be, or none can. */
function encryptionOf(
  { random }: World,
  { password }: LaunchOptions,
): Pick<FastdpOverlayOptions, "encryption"> {
  if (password === undefined || ipsecRefusal() !== undefined) return {};
  return { encryption: { kernel: new KernelIpsec(), random } };
}

export function makePlane(
  world: World,
  options: LaunchOptions,
  parts: {
    readonly name: PeerName;
    readonly settings: SettingsStore;
    readonly dataPlane: DataPlane;
    readonly database: ReturnType<typeof openDatabase>;
    readonly events: EventJournal;
    readonly news: LinkNews;
    readonly fastdp: FastdpOverlay | undefined;
    readonly refusals: ReadonlyMap<string, string>;
    readonly formerShortId: number | undefined;
  },
): ControlPlane {
  const { name, settings, dataPlane, fastdp, events, news, refusals } = parts;
  const ciphers = {
    // Without the remark where the library was found.
    secretBox: dataPlane.secretBox.split(" ")[0]!,
    aead: openAead()?.implementation,
  };
  const connect = dataPlane.connect.bind(dataPlane);
  const sleeve = new SleeveOverlay(connect, ciphers, dataPlane.lastLink);
  const overlay = new OverlayChooser({
    engines: [...(fastdp === undefined ? [] : [fastdp]), sleeve],
    unavailable: fastdp === undefined ? new Map([["fastdp", whyNoFastdp(refusals)]]) : new Map(),
    log: world.log,
    changed: (change) => news.overlayChanged(change),
    mtuFound: (found) => news.mtuFound(found),
  });
  return makeControlPlane(world, options, {
    name,
    transport: new TcpTransport(options.host),
    overlay,
    secretBox: openSecretBox(),
    allocatorStore: new SqliteAllocatorStore(parts.database),
    policyStore: new SqliteRecordStore(parts.database),
    formerShortId: parts.formerShortId,
    saveTargets: (targets) => settings.saveTargets(targets),
    onRoutes(snapshot) {
      if (fastdp === undefined) dataPlane.setTopology(snapshot);
      else fastdp.setTopology(snapshot);
    },
    onEvent(event) {
      tellMeshEvent(events.emit, event);
      if (event.kind === "disconnected") news.linkLost(event.peer);
    },
    addressNews: addressNews(events.emit),
  });
}

/** `switched off …`, or `ebpf: …, ovs: …`. */
function whyNoFastdp(refusals: ReadonlyMap<string, string>): string {
  return [...refusals]
    .map(([name, reason]) => (name === "fastdp" ? reason : `${name}: ${reason}`))
    .join(", ");
}
