import type { Endpoint } from "../../base/endpoint.ts";
import { WeaveError } from "../../base/errors.ts";
import { familyOf, type HostIp, tryParseHostIp } from "../../base/ip.ts";
import type { OverlayExtension } from "../../base/overlay.ts";
import type {
  EngineLink,
  EngineLinkEvents,
  EngineLinkParameters,
  OverlayEngine,
} from "../engine.ts";
import { unlimitedMtu } from "../path-mtu.ts";
import { generationMax } from "./epoch.ts";
import { type GenerationSecrets, generationSecrets, type LinkIdentity } from "./key-ratchet.ts";
import { controlTag } from "./link.ts";
import type { SleeveCommands, SleeveEvents, SleeveLinkParameters } from "./ports.ts";

/**
 * Sleeve as the control plane sees it: links are numbered, commands go to the {@link SleeveEngine}
 * and its events come back, both as plain data, so that the engine may live in another thread.
 *
 *   chooser ──▶ SleeveOverlay ──commands──▶ engine ──▶ sockets, bridge
 *                     ◀──────────events──────┘
 *
 * Between peers of our own kind that both have AES, links are sealed with AES-256-GCM under keys of
 * which this side knows the source and the engine what it needs now. An engine that is started anew
 * has forgotten which numbers it has used and which it has seen, so both ends go on to a generation
 * of keys that neither has had (docs/protocol.md):
 *
 *   our engine is new ──▶ generation + 1 ──control message 4: the generation──▶ the peer follows
 *
 * A peer follows upwards only. So no engine seals twice under one number, and none takes what an
 * earlier one may have taken.
 */
interface OpenLink {
  readonly events: EngineLinkEvents;
  /** What the secrets of all generations come from; missing when none are used. */
  readonly identity: LinkIdentity | undefined;
  generation: number;
  mtu: number;
}

/** What ciphers here, by implementation. */
export interface SleeveCiphers {
  readonly secretBox: string;
  /** Missing on a machine without AES. */
  readonly aead: string | undefined;
}

/** Both peers of a connection that has this extension seal with AES-256-GCM. */
export const aesExtension: OverlayExtension = "sleeve-aes-gcm";

/** Both peers of a connection that has this extension receive datagrams by IPv6 as well. */
export const ipv6Extension: OverlayExtension = "sleeve-ipv6";

export class SleeveOverlay implements OverlayEngine {
  readonly name = "sleeve";
  readonly #links = new Map<number, OpenLink>();
  readonly #commands: SleeveCommands;
  readonly #ciphers: SleeveCiphers;
  #lastLink: number;

  /**
   * `connect` gives the engine the events to call, and returns how to command it. Links are numbered
   * from `lastLink` on, up to which an earlier control plane has numbered them.
   */
  constructor(
    connect: (events: SleeveEvents) => SleeveCommands,
    ciphers: SleeveCiphers,
    lastLink = 0,
  ) {
    this.#ciphers = ciphers;
    this.#lastLink = lastLink;
    this.#commands = connect({
      established: (link) => this.#links.get(link)?.events.established(),
      controlOut: (link, tag, body) => this.#links.get(link)?.events.send(tag, body),
      mtuChanged: (link, mtu) => {
        const open = this.#links.get(link);
        if (open === undefined) return;
        open.mtu = mtu;
        if (mtu < unlimitedMtu) open.events.mtuFound(mtu);
      },
      remoteMoved() {},
      failed: (link, code, text) => {
        const open = this.#links.get(link);
        this.#links.delete(link);
        open?.events.failed(new WeaveError(code, text));
      },
      renewed: (link) => this.#renewed(link),
    });
  }

  extensions(): ReadonlyMap<OverlayExtension, number> {
    const extensions = this.#ciphers.aead === undefined ? [] : [aesExtension];
    return new Map([...extensions, ipv6Extension].map((name) => [name, 1]));
  }

  /**
   * @throws WeaveError `SLEEVE_UNDERLAY` for a connection over IPv6 to a peer whose sleeve has IPv4
   * alone, or between addresses that mean one link only
   */
  prepare(parameters: EngineLinkParameters, events: EngineLinkEvents): EngineLink {
    const { local, remote, sessionKey, extensions } = parameters;
    const path = underlayOf(parameters);
    const link = ++this.#lastLink;
    const identity =
      sessionKey !== undefined && extensions.has(aesExtension)
        ? { sessionKey, local, remote }
        : undefined;
    this.#commands.prepare(link, {
      remote,
      connectionUid: parameters.connectionUid,
      outbound: parameters.outbound,
      ...path,
      remotePort: parameters.remoteAddress.port,
      ...(identity === undefined
        ? { key: sessionKey }
        : { key: undefined, secrets: generationSecrets(identity, 0) }),
    });
    const open: OpenLink = { events, identity, generation: 0, mtu: unlimitedMtu };
    this.#links.set(link, open);
    return {
      confirm: () => this.#commands.confirm(link),
      control: (tag, body) => {
        if (tag === controlTag.renewed && identity !== undefined) this.#follow(link, open, body);
        else this.#commands.control(link, tag, body);
      },
      limit: (mtu) => {
        if (this.#links.has(link)) this.#commands.limit(link, mtu);
      },
      narrow: (pathMtu) => {
        if (this.#links.has(link)) this.#commands.narrow(link, pathMtu);
      },
      stop: () => {
        if (this.#links.delete(link)) this.#commands.stop(link);
      },
      attributes: () => ({
        ...(sessionKey !== undefined && { encrypted: true, seal: this.#sealName(identity) }),
        mtu: open.mtu,
      }),
      traffic: () => this.#commands.traffic(link),
      countsEachFrame: true,
    };
  }

  /** Cipher and implementation, e.g. `aes-256-gcm/libcrypto`. */
  #sealName(identity: LinkIdentity | undefined): string {
    const { aead, secretBox } = this.#ciphers;
    return identity === undefined ? `secretbox/${secretBox}` : `aes-256-gcm/${aead}`;
  }

  /** Our engine was started anew. */
  #renewed(link: number): GenerationSecrets | undefined {
    const open = this.#links.get(link);
    if (open?.identity === undefined || open.generation === generationMax) return undefined;
    open.generation++;
    open.events.send(controlTag.renewed, Uint8Array.of(open.generation));
    return generationSecrets(open.identity, open.generation);
  }

  /** The peer's engine was started anew, unless this is late or nonsense. */
  #follow(link: number, open: OpenLink, body: Uint8Array): void {
    const generation = body[0];
    if (open.identity === undefined || generation === undefined) return;
    if (!this.#links.has(link) || generation <= open.generation) return;
    open.generation = generation;
    this.#commands.renew(link, generationSecrets(open.identity, generation));
  }
}

/** Between which addresses datagrams go. @throws WeaveError `SLEEVE_UNDERLAY` */
function underlayOf({
  localAddress,
  remoteAddress,
  extensions,
}: EngineLinkParameters): Pick<SleeveLinkParameters, "localIp" | "remoteIp"> {
  const [localIp, remoteIp] = [hostIp(localAddress), hostIp(remoteAddress)];
  if (familyOf(remoteIp) === 6 && !extensions.has(ipv6Extension)) {
    throw unusable(`sleeve of this peer needs an IPv4 underlay, not ${remoteAddress.host}`);
  }
  return { localIp, remoteIp };
}

function hostIp({ host }: Endpoint): HostIp {
  const ip = tryParseHostIp(host);
  // fe80::/10
  if (ip === undefined || (typeof ip === "string" && /^fe[89ab].:/.test(ip))) {
    throw unusable(`sleeve cannot send to ${host}, which is of one link`);
  }
  return ip;
}

function unusable(sentence: string): WeaveError {
  return new WeaveError("SLEEVE_UNDERLAY", sentence, {
    remedy:
      "connect the peers by IPv4 addresses, or where both are of this kind by IPv6 ones that are " +
      "not link-local; containers' IPv6 frames cross either",
  });
}
