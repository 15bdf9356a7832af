import { concatBytes, fromHex } from "../../lib/base/bytes.ts";
import { WeaveError } from "../../lib/base/errors.ts";
import { parseIp } from "../../lib/base/ip.ts";
import { formatPeerName, type PeerName, parsePeerName } from "../../lib/base/peer-name.ts";
import { seededRandom } from "../../lib/base/random.ts";
import { portableSecretBox } from "../../lib/base/secret-box.ts";
import { silentLog, type World } from "../../lib/base/world.ts";
import { encodeFeatures } from "../../lib/mesh/features.ts";
import { frameMaxBytes, LengthFraming } from "../../lib/mesh/framing.ts";
import { surrogatesMax } from "../../lib/mesh/gossip-router.ts";
import { headerSize } from "../../lib/mesh/header.ts";
import { peersMax } from "../../lib/mesh/peers.ts";
import { decodeMessage, encodeMessage } from "../../lib/mesh/protocol-message.ts";
import { ReceiveBuffer } from "../../lib/mesh/receive-buffer.ts";
import { encodeTopology } from "../../lib/mesh/topology-codec.ts";
import type { Transport } from "../../lib/mesh/transport.ts";
import { OverlayChooser } from "../../lib/overlay/chooser.ts";
import { SleeveEngine } from "../../lib/overlay/sleeve/engine.ts";
import { SleeveOverlay } from "../../lib/overlay/sleeve/overlay.ts";
import type { SleevePorts } from "../../lib/overlay/sleeve/ports.ts";
import {
  type ControlPlane,
  type ControlPlaneOptions,
  makeControlPlane,
  type PlaneEvent,
} from "../../lib/peer/control-plane.ts";
import { MemoryStore } from "../ipam/memory-store.ts";
import { ScriptedStream } from "../mesh/scripted-stream.ts";
import { VirtualClock } from "../sim/virtual-clock.ts";
import { assertDeclared, hold } from "./target.ts";

/** The wall clock when the recorded names were made, and the name under which they came. */
const recordedAtMs = 1_700_000_000_000;
export const ownName = parsePeerName("01:00:00:00:00:01");
/** The neighbour that the test speaks for, and one that only listens. */
export const speaker = parsePeerName("02:00:00:00:00:02");
export const listener = parsePeerName("03:00:00:00:00:03");

/** Why a payload may be refused: its origin hears nothing of it, its link stays. */
const payloadRefusals = [
  "GOB_*",
  "PEER_NAME_RANGE",
  "CHANNEL_NAME",
  "TOPOLOGY_FORMAT",
  "TOPOLOGY_UNICAST",
  "RECORD_REFUSED",
  "IPAM_RANGE",
  "IPAM_COUNCIL",
  "IPAM_RING_*",
  "DNS_CLOCK_SKEW",
  "LINKS_IMPLAUSIBLE",
];
/** Why a link may end, the end of the test included. */
const linkFailures = [
  "MESSAGE_FORMAT",
  "FRAME_TOO_LARGE",
  "GOB_*",
  "DUPLICATE",
  "STREAM_ENDED",
  "REFUSED",
  "STOPPED",
  "OVERLAY_NONE_WORKING",
  "SLEEVE_HEARTBEAT_TIMEOUT",
  "SEND_DEADLINE",
  "RECEIVE_DEADLINE",
];

const openingAt = "w".charCodeAt(0);

export interface WholePeerOptions {
  /** Range of the allocator, and how its first ring comes about. */
  readonly range: string;
  readonly init: string;
  /** Silence after which others may take ranges; nobody's unless given. */
  readonly reclaimAfterMs?: number;
  /** Addresses to be in use from the beginning, where there is a ring. */
  readonly holders: number;
}

/** Frames of containers come from nowhere and go nowhere. */
const noPorts: SleevePorts = { send: () => "sent", flush() {}, inject() {} };

/** A network on which nobody answers. */
function deserted(clock: VirtualClock): Transport {
  return {
    dial: (_to, { failed }) =>
      clock.after(1, () => failed(new WeaveError("STREAM_FAILED", "connection refused"))),
    resolve: (_host, done) => clock.after(1, () => done(new WeaveError("HOST_UNKNOWN", "no host"))),
  };
}

function optionsOf({ range, init, reclaimAfterMs = 0 }: WholePeerOptions): ControlPlaneOptions {
  return {
    nickname: "host1",
    port: 6783,
    minProtocolVersion: 1,
    discovery: true,
    connectionLimit: 200,
    trustedSubnets: [],
    ipalloc: { range, defaultSubnet: range, init, reclaimAfterMs },
    dns: { domain: "weave.local." },
  };
}

/**
 * One peer as the daemon puts it together, mesh, allocator, names and sleeve, on a clock of its own
 * and without any socket. Two neighbours are connected to it: the one that the test speaks for, and
 * one that listens, so that there is somebody to pass things on to.
 */
export class WholePeer {
  readonly clock = new VirtualClock();
  readonly plane: ControlPlane;
  readonly #engine: SleeveEngine;
  readonly #framing = new LengthFraming(new ReceiveBuffer());
  #speaker: ScriptedStream | undefined;
  #listener: ScriptedStream | undefined;
  #connections = 0;
  #fault: unknown;
  /** Payloads refused and links ended since last asked. */
  #troubles = 0;

  constructor(options: WholePeerOptions) {
    const { clock } = this;
    const world: World = {
      now: () => recordedAtMs + clock.nowMs,
      monotonicMs: () => clock.nowMs,
      after: (delayMs, action) => clock.after(delayMs, action),
      random: seededRandom(5),
      log: silentLog,
    };
    let connected: SleeveEngine | undefined;
    const sleeve = new SleeveOverlay(
      (events) => {
        connected = new SleeveEngine({
          world,
          local: ownName,
          ports: noPorts,
          events,
          secretBox: portableSecretBox,
        });
        return connected;
      },
      { secretBox: portableSecretBox.implementation, aead: undefined },
    );
    this.#engine = connected!;
    this.plane = makeControlPlane(world, optionsOf(options), {
      name: ownName,
      transport: deserted(clock),
      overlay: new OverlayChooser({ engines: [sleeve], log: silentLog }),
      secretBox: portableSecretBox,
      allocatorStore: new MemoryStore(),
      saveTargets() {},
      onRoutes: (snapshot) => this.#engine.setTopology(snapshot),
      onEvent: (event) => this.#heed(event),
    });
    this.plane.mesh.start([]);
    this.plane.links?.look();
    this.plane.names?.add("own.weave.local", "own", parseIp("10.0.0.250"));
    for (let holder = 0; holder < options.holders; holder++) this.#hold(holder);
    this.meet();
  }

  /** The message arrives from the speaker, whole, and time passes; whether all was well with it. */
  hear(message: Uint8Array, afterMs: number): boolean {
    const before = this.#troubles;
    this.meet();
    this.#speaker!.arrive(this.#framing.wrap(message));
    this.pass(afterMs);
    if (this.#fault !== undefined) throw this.#fault;
    return this.#troubles === before;
  }

  pass(durationMs: number): void {
    this.clock.run(durationMs);
    this.#engine.tick(this.clock.nowMs);
    this.#drain(this.#speaker);
    this.#drain(this.#listener);
  }

  /** Sees that both neighbours are connected, and known to be by the topology. */
  meet(): void {
    this.#speaker = this.#connected(this.#speaker, speaker, "10.9.0.2");
    this.#listener = this.#connected(this.#listener, listener, "10.9.0.3");
  }

  /** Nobody is connected any more: what came of them must go, and what is ours must stay. */
  settle(): void {
    const { mesh, ipam, names } = this.plane;
    this.#checkBounds();
    for (const stream of [this.#speaker, this.#listener]) stream?.closed();
    this.#speaker = undefined;
    this.#listener = undefined;
    this.clock.run(10 * 60_000);
    hold(mesh.knownPeers().length === 1, "peers stay that nothing leads to");
    ipam?.allocator.status();
    hold(names === undefined || names.lookup("own.weave.local").length > 0, "our own name is gone");
    this.meet();
    this.pass(100);
    hold(mesh.isKnown(speaker) && mesh.canReach(speaker), "a neighbour is not taken in any more");
    this.plane.stop();
    this.clock.run(60_000);
    if (this.#fault !== undefined) throw this.#fault;
    hold(this.clock.pending === 0, `${this.clock.pending} timers run on after the end`);
  }

  #checkBounds(): void {
    const { mesh } = this.plane;
    const status = mesh.status();
    hold(status.peers.length <= peersMax, "more peers than there may be");
    hold(status.channels.length <= surrogatesMax + 4, "more channels than there may be");
    hold(status.connections.length <= 1000, "more connections than there may be");
  }

  #hold(holder: number): void {
    const { ipam, names } = this.plane;
    const options = { isContainer: true };
    ipam?.allocator.allocate(`c${holder}`, ipam.defaultSubnet, options).catch(() => {});
    names?.add("own.weave.local", `c${holder}`, parseIp(`10.0.0.${holder + 1}`));
  }

  #connected(stream: ScriptedStream | undefined, name: PeerName, ip: string): ScriptedStream {
    if (stream?.fate === "open") return stream;
    stream?.closed();
    const fresh = new ScriptedStream(ip);
    const uid = String(++this.#connections);
    this.plane.mesh.accepted(fresh);
    fresh.arrive(this.#opening(name, uid));
    fresh.arrive(this.#framing.wrap(this.#claim(name, uid)));
    return fresh;
  }

  #opening(name: PeerName, uid: string): Uint8Array {
    const features = new Map([
      ["PeerNameFlavour", "mac"],
      ["Name", formatPeerName(name)],
      ["NickName", "neighbour"],
      ["UID", uid],
      ["ConnID", uid],
      ["Overlays", "sleeve"],
    ]);
    return concatBytes(fromHex("7765617665010200"), this.#framing.wrap(encodeFeatures(features)));
  }

  /** A record in which the neighbour says that it is connected to us. */
  #claim(name: PeerName, uid: string): Uint8Array {
    const version = BigInt(this.#connections);
    const link = { address: "10.0.0.1:6783", outbound: true, established: true };
    const links = new Map([[ownName, link]]);
    const record = { name, nickname: "neighbour", uid: BigInt(uid), version, shortId: 2, links };
    return encodeMessage({
      kind: "gossip",
      channel: "topology",
      sender: name,
      payload: encodeTopology([record]),
    });
  }

  /** What we say must be what a peer understands, and none of it may be larger than it takes. */
  #drain(stream: ScriptedStream | undefined): void {
    if (stream === undefined) return;
    const said = new ReceiveBuffer();
    said.push(stream.take());
    // Header and flag stand before the first frame of a connection.
    if (said.peek(1)[0] === openingAt) said.take(headerSize + 1);
    const frames = new LengthFraming(said);
    for (let frame = frames.next(frameMaxBytes); frame !== undefined; frame = frames.next()) {
      if (frame.length > 0) decodeMessage(frame);
    }
    hold(said.length === 0, "half a frame was sent");
  }

  #heed(event: PlaneEvent): void {
    const codes = event.kind === "refused" ? payloadRefusals : linkFailures;
    if (event.kind !== "refused" && event.kind !== "disconnected") return;
    this.#troubles++;
    try {
      assertDeclared(codes, event.error);
    } catch (fault) {
      this.#fault ??= fault;
    }
  }
}
