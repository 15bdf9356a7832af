import { concatBytes } from "../base/bytes.ts";
import { errorText, WeaveError } from "../base/errors.ts";
import {
  addTraffic,
  type FrameCounts,
  type OverlayLink,
  type OverlayLinkParameters,
  type OverlayLinkStatus,
  type OverlayTraffic,
} from "../base/overlay.ts";
import { formatPeerName, type PeerName } from "../base/peer-name.ts";
import type { Log } from "../base/world.ts";
import type { EngineLink, OverlayEngine } from "./engine.ts";
import { type CandidateState, chooseBest } from "./negotiation.ts";

/**
 * The overlays of one connection. Each common engine has a candidate here, all of them run, and
 * the best one carries the frames; the choice is made anew whenever one of them changes.
 *
 *   index 0   fastdp   alive, established, on hold ─┐
 *   index 1   sleeve   alive, established ──────────┴─▶ sleeve carries
 *
 * Control messages of a candidate travel as protocol message 7:
 *
 *   0       1       2
 *   +-------+-------+--------···       in compatibility mode there is one candidate, and its tag
 *   | index |  tag  |  body            is the tag of the protocol message itself
 *   +-------+-------+--------···
 */
export interface ChosenLinkOptions {
  readonly parameters: OverlayLinkParameters;
  /** Not empty, in index order. */
  readonly engines: readonly OverlayEngine[];
  /** Compatibility mode. */
  readonly bare: boolean;
  /** Why overlays better than these are not among them. */
  readonly better: readonly string[];
  readonly log: Log;
  /** Called when frames of an established link take another way. */
  changed(change: OverlayChange): void;
  /** Called when it is known, or known anew, how large packets may be on the way that frames take. */
  mtuFound(found: FoundMtu): void;
}

/** What packets to a neighbour may have by the overlay that carries them. */
export interface FoundMtu {
  readonly remote: PeerName;
  readonly overlay: string;
  /** Octets. */
  readonly mtu: number;
}

/** Another overlay carries the frames of a link from now on. */
export interface OverlayChange {
  readonly remote: PeerName;
  readonly overlay: string;
  readonly before: string;
  /** As in {@link OverlayLinkStatus}. */
  readonly degraded: boolean;
  readonly reason: string;
}

const overlayTag = 7;
const bareTagMax = 3;

interface Candidate extends CandidateState {
  readonly name: string;
  /** `undefined` for an engine that could not serve this connection: it keeps its index. */
  link: EngineLink | undefined;
  alive: boolean;
  onHold: boolean;
  established: boolean;
  failure: WeaveError | undefined;
  /** Of packets, in octets; `undefined` before it is found out. */
  mtu: number | undefined;
}

export class ChosenLink implements OverlayLink {
  readonly #options: ChosenLinkOptions;
  readonly #candidates: readonly Candidate[];
  #best: Candidate | undefined = undefined;
  #sinceMs: number;
  #established = false;
  #ended = false;
  /** How often heartbeats of an overlay stayed away. */
  #losses = 0;

  constructor(options: ChosenLinkOptions) {
    this.#options = options;
    this.#sinceMs = options.parameters.now();
    this.#candidates = options.engines.map((engine) => ({
      name: engine.name,
      link: undefined,
      alive: true,
      onHold: false,
      established: false,
      failure: undefined,
      mtu: undefined,
    }));
    for (const [index, engine] of options.engines.entries()) this.#prepare(index, engine);
    if (!this.#candidates.some((candidate) => candidate.alive)) throw this.#nobodyWorks();
    this.#choose();
  }

  #prepare(index: number, engine: OverlayEngine): void {
    const candidate = this.#candidates[index]!;
    try {
      candidate.link = engine.prepare(this.#options.parameters, {
        send: (tag, body) => this.#send(index, tag, body),
        established: () => this.#update(candidate, { established: true }),
        health: (healthy) => {
          if (!healthy) this.#losses++;
          this.#update(candidate, { onHold: !healthy });
        },
        peerTakes: (mtu) => this.#tellOthers(candidate, (link) => link.limit?.(mtu)),
        pathCarries: (mtu) => this.#tellOthers(candidate, (link) => link.narrow?.(mtu)),
        mtuFound: (mtu) => {
          candidate.mtu = mtu;
          if (candidate === this.#best) this.#tellMtu(candidate);
        },
        failed: (error) => this.#update(candidate, { alive: false, failure: error }),
      });
    } catch (thrown) {
      candidate.alive = false;
      candidate.failure =
        thrown instanceof WeaveError
          ? thrown
          : new WeaveError("OVERLAY_PREPARE", errorText(thrown), { cause: thrown });
    }
  }

  /** What one engine finds out about peer and path holds for the others as well. */
  #tellOthers(source: Candidate, tell: (link: EngineLink) => void): void {
    for (const other of this.#candidates) {
      if (other !== source && other.alive && other.link !== undefined) tell(other.link);
    }
  }

  #send(index: number, tag: number, body: Uint8Array): void {
    if (this.#ended) return;
    const { parameters, bare } = this.#options;
    if (bare) parameters.send(tag, body);
    else parameters.send(overlayTag, concatBytes(Uint8Array.of(index, tag), body));
  }

  #update(candidate: Candidate, change: Partial<Candidate>): void {
    if (this.#ended || !candidate.alive) return;
    Object.assign(candidate, change);
    if (candidate.failure !== undefined) {
      const peer = formatPeerName(this.#options.parameters.remote);
      this.#options.log.info(
        `overlay ${candidate.name} to ${peer} failed: ${candidate.failure.message}`,
      );
      candidate.link?.stop();
    }
    this.#choose();
  }

  #choose(): void {
    const best = this.#candidates[chooseBest(this.#candidates)];
    if (best !== this.#best) {
      const before = this.#best;
      before?.link?.carry?.(false);
      this.#best = best;
      this.#sinceMs = this.#options.parameters.now();
      best?.link?.carry?.(true);
      if (this.#established && best !== undefined) this.#noteChange(best, before);
      if (best !== undefined) this.#tellMtu(best);
    }
    if (best === undefined) {
      this.stop();
      this.#options.parameters.failed(this.#nobodyWorks());
    } else if (best.established && !this.#established) {
      this.#established = true;
      this.#options.parameters.established();
    }
  }

  #noteChange(best: Candidate, before: Candidate | undefined): void {
    const { parameters, log, changed } = this.#options;
    const { remote } = parameters;
    const reason = this.#reason(best);
    log.info(`frames to ${formatPeerName(remote)} take ${best.name} now (${reason})`);
    const degraded = best !== this.#candidates[0];
    changed({ remote, overlay: best.name, before: before?.name ?? "none", degraded, reason });
  }

  #tellMtu({ name: overlay, mtu }: Candidate): void {
    if (this.#ended || mtu === undefined) return;
    this.#options.mtuFound({ remote: this.#options.parameters.remote, overlay, mtu });
  }

  #nobodyWorks(): WeaveError {
    const peer = formatPeerName(this.#options.parameters.remote);
    const cause = this.#candidates.findLast(
      (candidate) => candidate.failure !== undefined,
    )?.failure;
    const reason = cause === undefined ? "" : `: ${cause.message}`;
    return new WeaveError("OVERLAY_NONE_WORKING", `no working forwarders to ${peer}${reason}`, {
      ...(cause?.remedy === undefined ? {} : { remedy: cause.remedy }),
      cause,
    });
  }

  confirm(): void {
    for (const candidate of this.#candidates) if (candidate.alive) candidate.link?.confirm();
  }

  /**
   * What a peer sends here can be anything. Short messages, unknown indices and tags of the other
   * mode are noted and ignored.
   */
  control(tag: number, body: Uint8Array): void {
    if (this.#ended) return;
    const { bare } = this.#options;
    if (bare && tag >= 1 && tag <= bareTagMax) {
      this.#pass(this.#candidates[0], tag, body);
    } else if (!bare && tag === overlayTag && body.length >= 2) {
      this.#pass(this.#candidates[body[0]!], body[1]!, body.subarray(2));
    } else {
      this.#ignore(`protocol message ${tag} of ${body.length} octets`);
    }
  }

  #pass(candidate: Candidate | undefined, tag: number, body: Uint8Array): void {
    if (candidate === undefined) this.#ignore("message for an overlay that is not in common");
    else if (candidate.alive) candidate.link?.control(tag, body);
  }

  #ignore(what: string): void {
    const peer = formatPeerName(this.#options.parameters.remote);
    this.#options.log.debug(`overlay: ignored a ${what} from ${peer}`);
  }

  stop(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const { link } of this.#candidates) link?.stop();
  }

  describe(): OverlayLinkStatus {
    const best = this.#best;
    const carried = this.#carried();
    return {
      name: best?.name ?? "none",
      attributes: best?.link?.attributes() ?? {},
      reason: this.#reason(best),
      degraded: best !== this.#candidates[0],
      sinceMs: this.#sinceMs,
      ...(this.#losses > 0 && { losses: this.#losses }),
      ...(carried.length > 0 && {
        traffic: carried.map(({ traffic }) => traffic).reduce(addTraffic),
        carried,
      }),
    };
  }

  frameCounts(): FrameCounts[] {
    return this.#candidates.flatMap(({ name: overlay, link }) => {
      const traffic = link?.countsEachFrame === true ? link.traffic?.() : undefined;
      if (traffic === undefined) return [];
      return [{ overlay, sent: traffic.sentPackets, received: traffic.receivedPackets }];
    });
  }

  /** Frames take one overlay after the other, and heartbeats are nobody's frames. */
  #carried(): OverlayTraffic[] {
    return this.#candidates.flatMap((candidate) => {
      const traffic = candidate.link?.traffic?.();
      if (traffic === undefined) return [];
      const hasCarried = traffic.sentPackets > 0 || traffic.receivedPackets > 0;
      return hasCarried || candidate === this.#best ? [{ overlay: candidate.name, traffic }] : [];
    });
  }

  #reason(best: Candidate | undefined): string {
    const better = best === undefined ? this.#candidates : this.#before(best);
    const reasons = [...this.#options.better, ...better.map(whyNot)];
    if (best === undefined) return reasons.join("; ");
    const trouble = best.established ? best.link?.trouble?.() : "waiting for the peer";
    const state = trouble ?? "the peer acknowledges it";
    return [`${best.name}: ${state}`, ...reasons].join("; ");
  }

  #before(best: Candidate): readonly Candidate[] {
    return this.#candidates.slice(0, this.#candidates.indexOf(best));
  }
}

function whyNot(candidate: Candidate): string {
  if (candidate.failure !== undefined)
    return `${candidate.name} failed: ${candidate.failure.message}`;
  const trouble = candidate.link?.trouble?.();
  if (trouble !== undefined) return `${candidate.name}: ${trouble}`;
  if (candidate.onHold) return `${candidate.name} misses the peer's heartbeats`;
  return `${candidate.name} is not acknowledged by the peer`;
}
