import type { Endpoint } from "../../base/endpoint.ts";
import { WeaveError } from "../../base/errors.ts";
import { tryParseIpv4 } from "../../base/ip.ts";
import type {
  EngineLink,
  EngineLinkEvents,
  EngineLinkParameters,
  OverlayEngine,
} from "../engine.ts";
import { unlimitedMtu } from "./path-mtu.ts";
import type { SleeveCommands, SleeveEvents } from "./ports.ts";

/**
 * Sleeve as the control plane sees it: links are numbered, commands go to the {@link SleeveEngine}
 * and its events come back, both as plain data, so that the engine may live in another thread.
 *
 *   chooser ──▶ SleeveOverlay ──commands──▶ engine ──▶ sockets, bridge
 *                     ◀──────────events──────┘
 */
interface OpenLink {
  readonly events: EngineLinkEvents;
  mtu: number;
}

export class SleeveOverlay implements OverlayEngine {
  readonly name = "sleeve";
  readonly #links = new Map<number, OpenLink>();
  readonly #commands: SleeveCommands;
  #lastLink = 0;

  /** `connect` gives the engine the events to call, and returns how to command it. */
  constructor(connect: (events: SleeveEvents) => SleeveCommands) {
    this.#commands = connect({
      established: (link) => this.#links.get(link)?.events.established(),
      controlOut: (link, tag, body) => this.#links.get(link)?.events.send(tag, body),
      mtuChanged: (link, mtu) => {
        const open = this.#links.get(link);
        if (open !== undefined) open.mtu = mtu;
      },
      remoteMoved() {},
      failed: (link, code, text) => {
        const open = this.#links.get(link);
        this.#links.delete(link);
        open?.events.failed(new WeaveError(code, text));
      },
    });
  }

  /** @throws WeaveError `SLEEVE_UNDERLAY` for a connection over anything but IPv4 */
  prepare(parameters: EngineLinkParameters, events: EngineLinkEvents): EngineLink {
    const { remote, connectionUid, outbound, localAddress, remoteAddress, sessionKey } = parameters;
    const link = ++this.#lastLink;
    this.#commands.prepare(link, {
      remote,
      connectionUid,
      outbound,
      localIp: underlayIp(localAddress),
      remoteIp: underlayIp(remoteAddress),
      remotePort: remoteAddress.port,
      key: sessionKey,
    });
    const open: OpenLink = { events, mtu: unlimitedMtu };
    this.#links.set(link, open);
    return {
      confirm: () => this.#commands.confirm(link),
      control: (tag, body) => this.#commands.control(link, tag, body),
      stop: () => {
        if (this.#links.delete(link)) this.#commands.stop(link);
      },
      attributes: () =>
        sessionKey === undefined ? { mtu: open.mtu } : { encrypted: true, mtu: open.mtu },
    };
  }
}

function underlayIp({ host }: Endpoint): number {
  const ip = tryParseIpv4(host);
  if (ip === undefined) {
    throw new WeaveError("SLEEVE_UNDERLAY", `sleeve needs an IPv4 underlay, not ${host}`, {
      remedy: "connect the peers by IPv4 addresses; containers' IPv6 frames cross it all the same",
    });
  }
  return ip;
}
