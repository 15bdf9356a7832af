import { errorText, WeaveError } from "../../base/errors.ts";
import { formatIpv4, tryParseIpv4 } from "../../base/ip.ts";
import type { OverlayExtension } from "../../base/overlay.ts";
import { formatPeerName, type PeerName } from "../../base/peer-name.ts";
import type { Random } from "../../base/random.ts";
import type { RoutesSnapshot } from "../../base/routes-snapshot.ts";
import type { World } from "../../base/world.ts";
import type { Mac } from "../../wire/ethernet.ts";
import type {
  EngineLink,
  EngineLinkEvents,
  EngineLinkParameters,
  OverlayEngine,
} from "../engine.ts";
import { EspSession, type KernelEsp } from "./esp-session.ts";
import { Forwarding } from "./forwarding.ts";
import { FastdpLink, fastdpTag } from "./link.ts";
import { Neighbours, type PlacedLink } from "./neighbours.ts";
import type { DatapathCounters, HeardHeartbeat, KernelDatapath } from "./ports.ts";
import { TrafficMeter } from "./traffic-meter.ts";

/**
 * The fast datapath as the control plane sees it: an overlay whose frames never leave the kernel.
 *
 *   chooser ──▶ FastdpOverlay ─┬─ FastdpLink     heartbeats and health of one connection
 *                              ├─ Neighbours     which of them the datapath knows
 *   mesh ── topology ────────▶ └─ Forwarding     tables ──▶ KernelDatapath
 */
export interface FastdpOverlayOptions {
  readonly world: Pick<World, "after" | "monotonicMs" | "log">;
  readonly local: PeerName;
  readonly datapath: KernelDatapath;
  /**
   * The topology by which frames go from now on, with what is kept of it for a while, for sleeve's
   * worker.
   */
  forwards(topology: RoutesSnapshot): void;
  /** Of our own TCP listener; the VXLAN port is the next one. */
  readonly controlPort: number;
  /** Finds out what the path to each neighbour carries, and uses no more of it (link-mtu.ts). */
  readonly discoversMtu?: boolean;
  /** Encrypts for peers whose frames are not to travel in clear; missing where nothing can. */
  readonly encryption?: { readonly kernel: KernelEsp; readonly random: Random };
}

/** Whoever knows a connection's uid can move its address, but not more often than this. */
const moveMinMs = 1_000;

/** Neighbours of our own kind hear each other every second, and say when they do not. */
export const heartbeatsExtension: OverlayExtension = "fastdp-heartbeats";
/** Its versions in which they also say, when they are asked, that they live, and show it at once. */
const saysLifeFrom = 2;
const showsLifeFrom = 3;

/** Neighbours of our own kind say what size of heartbeats gets through. */
export const mtuExtension: OverlayExtension = "fastdp-mtu";

/** What `status` and `report` show of the datapath. */
export interface FastdpStatus {
  readonly backend: string;
  readonly macs: readonly { readonly mac: Mac; readonly peer: PeerName; readonly ageMs: number }[];
  readonly counters: DatapathCounters;
}

export class FastdpOverlay implements OverlayEngine {
  readonly name = "fastdp";
  readonly #options: FastdpOverlayOptions;
  readonly #forwarding: Forwarding;
  readonly #neighbours: Neighbours;
  #residents: readonly Mac[] = [];
  #self: number | undefined;
  #failure: WeaveError | undefined;

  constructor(options: FastdpOverlayOptions) {
    const { world, local, datapath, forwards } = options;
    this.#options = options;
    this.#neighbours = new Neighbours({
      world,
      datapath,
      idOf: (peer) => this.#forwarding.idOf(peer),
      ownerOf: (shortId) => this.#forwarding.ownerOf(shortId),
      isLinked: (peer) => this.#forwarding.isLinked(peer),
      changed: () => this.#forwarding.carriersChanged(),
    });
    this.#forwarding = new Forwarding({
      world,
      local,
      datapath,
      identified: () => this.#neighbours.identify(),
      carriers: () => this.#neighbours.carriers(),
      forwards,
    });
    datapath.connect({
      heartbeat: (heard) => this.#heard(heard),
      failed: (error) => this.#failed(error),
    });
  }

  extensions(): ReadonlyMap<OverlayExtension, number> {
    return new Map([
      [heartbeatsExtension, showsLifeFrom],
      [mtuExtension, 1],
    ]);
  }

  /**
   * @throws WeaveError `FASTDP_ENCRYPTION` where frames are not to travel in clear,
   * `FASTDP_UNDERLAY` for a connection over anything but IPv4
   */
  prepare(parameters: EngineLinkParameters, events: EngineLinkEvents): EngineLink {
    if (this.#failure !== undefined) throw this.#failure;
    const { world, datapath, encryption } = this.#options;
    const encrypted = parameters.sessionKey !== undefined;
    const path = underlayOf(parameters);
    if (encrypted || path === undefined) this.#neighbours.endGrace(parameters.remote);
    if (path === undefined) throw otherUnderlay(parameters);
    if (encrypted && encryption === undefined) throw unencrypted();
    const { remote, outbound, remoteAddress, connectionUid, extensions } = parameters;
    const heartbeats = extensions.get(heartbeatsExtension) ?? 0;
    const link = new FastdpLink({
      world,
      connectionUid,
      events,
      encrypted,
      mtu: datapath.mtu,
      discoversMtu: this.#options.discoversMtu === true,
      ownKind: heartbeats > 0,
      saysLife: heartbeats >= saysLifeFrom,
      showsLife: heartbeats >= showsLifeFrom,
      answersMtu: extensions.has(mtuExtension),
      transmit: (frame) => {
        if (placed.shortId !== undefined) datapath.sendHeartbeat(placed.shortId, frame);
      },
      traffic: () =>
        placed.shortId === undefined ? undefined : datapath.traffic?.(placed.shortId),
      mtuChanged: () => {
        this.#neighbours.resize(placed);
        const { isFound, limit } = link.mtu;
        if (isFound && limit !== undefined) events.mtuFound(limit);
      },
    });
    const acceptingPort = outbound ? remoteAddress.port : this.#options.controlPort;
    const placed: PlacedLink = {
      remote,
      link,
      events,
      announcedId: announcedId(parameters.remoteFeatures),
      ...path,
      port: acceptingPort + 1,
      shortId: undefined,
      formerMtu: undefined,
      carries: false,
      endTrial: undefined,
      movedMs: Number.NEGATIVE_INFINITY,
      encrypted,
    };
    const session = this.#newSession(parameters, placed, events);
    const meter = new TrafficMeter((shortId) => datapath.carried?.(shortId));
    return {
      confirm: () => {
        this.#confirm(placed, session);
        meter.look(placed.shortId);
      },
      control: (tag, body) => {
        if (tag === fastdpTag.initialiseSa) session?.invited(body);
        else link.control(tag, body);
      },
      carry: (carries) => this.#neighbours.carry(placed, carries),
      stop: () => {
        link.stop();
        this.#neighbours.remove(placed);
        session?.stop();
      },
      attributes: () => ({ mtu: link.mtu.limit ?? datapath.mtu, ...(encrypted && { encrypted }) }),
      trouble: () => link.trouble,
      traffic: () => meter.look(placed.shortId),
      ...(datapath.countsEachFrame === true && { countsEachFrame: true }),
    };
  }

  #newSession(
    { local, remote, sessionKey }: EngineLinkParameters,
    placed: PlacedLink,
    events: EngineLinkEvents,
  ): EspSession | undefined {
    const { encryption } = this.#options;
    if (sessionKey === undefined || encryption === undefined) return undefined;
    const { localIp, remoteIp, port } = placed;
    return new EspSession({
      ...encryption,
      ...{ local, remote, sessionKey, path: { localIp, remoteIp, port } },
      invite: (body) => events.send(fastdpTag.initialiseSa, body),
      sealed: () => placed.link.confirm(),
      failed: (error) => events.failed(error),
    });
  }

  /** Heartbeats to an encrypted neighbour begin when its kernel can read them. */
  #confirm(placed: PlacedLink, session: EspSession | undefined): void {
    if (session?.start() === false) return;
    if (this.#neighbours.add(placed) && session === undefined) placed.link.confirm();
  }

  /** What carried its frames is gone. */
  withoutPeer(remote: PeerName): void {
    this.#neighbours.endGrace(remote);
  }

  setTopology(snapshot: RoutesSnapshot): void {
    const { local, datapath } = this.#options;
    this.#forwarding.setTopology(snapshot);
    const self = this.#forwarding.idOf(local);
    if (self === undefined || self === this.#self) return;
    this.#self = self;
    // Whatever they were filed under, it was another id.
    datapath.setResidents(this.#residents);
  }

  /** The MAC addresses of this host's containers. */
  setResidents(macs: readonly Mac[]): void {
    this.#residents = macs;
    this.#options.datapath.setResidents(macs);
  }

  get backend(): string {
    return this.#options.datapath.backend;
  }

  status(): FastdpStatus {
    const { datapath } = this.#options;
    const macs = datapath.macs().flatMap(({ mac, shortId, ageMs }) => {
      const peer = this.#forwarding.ownerOf(shortId);
      return peer === undefined ? [] : [{ mac, peer, ageMs }];
    });
    return { backend: this.backend, macs, counters: this.counters() };
  }

  counters(): DatapathCounters {
    return this.#options.datapath.counters();
  }

  /** Ends this process's part; the datapath goes on forwarding as it does now. */
  stop(): void {
    this.#forwarding.stop();
    this.#neighbours.stop();
    this.#options.datapath.close();
  }

  #heard(heard: HeardHeartbeat): void {
    const placed = this.#neighbours.at(heard.source);
    if (placed === undefined) return;
    const { remoteIp, port } = heard;
    const isMoved = placed.remoteIp !== remoteIp || placed.port !== port;
    // From anywhere else it came in clear: only between the two addresses it is encrypted.
    if (isMoved && placed.encrypted) return;
    if (!placed.link.heard(heard.frame, heard.length) || !isMoved) return;
    const { world } = this.#options;
    const nowMs = world.monotonicMs();
    if (nowMs - placed.movedMs < moveMinMs) return;
    placed.movedMs = nowMs;
    const from = `${formatIpv4(placed.remoteIp)}:${placed.port}`;
    const to = `${formatIpv4(remoteIp)}:${port}`;
    world.log.info(`fastdp: ${formatPeerName(placed.remote)} is heard at ${to}, no longer ${from}`);
    this.#neighbours.move(placed, remoteIp, port);
  }

  #failed(error: WeaveError): void {
    this.#failure = error;
    this.#options.world.log.error(`fastdp: the datapath failed: ${errorText(error)}`);
    for (const { link, events } of this.#neighbours.links()) {
      link.stop();
      events.failed(error);
    }
  }
}

function unencrypted(): WeaveError {
  return new WeaveError(
    "FASTDP_ENCRYPTION",
    "frames to this peer are encrypted, which the datapath of this host cannot do",
    { remedy: "sleeve carries them; trust the subnet of both peers to send them in clear" },
  );
}

/** The id by which the peer introduced itself; `undefined` when it has none. */
function announcedId(features: ReadonlyMap<string, string>): number | undefined {
  const text = features.get("ShortID");
  return text !== undefined && /^\d{1,4}$/.test(text) && Number(text) < 4096
    ? Number(text)
    : undefined;
}

/** The addresses between which tunnels would go; nothing where they are not of IPv4. */
function underlayOf({
  localAddress,
  remoteAddress,
}: EngineLinkParameters): Pick<PlacedLink, "localIp" | "remoteIp"> | undefined {
  const [localIp, remoteIp] = [tryParseIpv4(localAddress.host), tryParseIpv4(remoteAddress.host)];
  return localIp === undefined || remoteIp === undefined ? undefined : { localIp, remoteIp };
}

function otherUnderlay({ remoteAddress }: EngineLinkParameters): WeaveError {
  const sentence = `the datapath's tunnels need an IPv4 underlay, not ${remoteAddress.host}`;
  return new WeaveError("FASTDP_UNDERLAY", sentence, {
    remedy: "sleeve carries the frames; connect the peers by IPv4 addresses to have the datapath",
  });
}
