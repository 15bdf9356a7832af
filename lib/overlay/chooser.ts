import { cutText } from "../base/bytes.ts";
import { WeaveError } from "../base/errors.ts";
import type {
  Overlay,
  OverlayExtension,
  OverlayLink,
  OverlayLinkParameters,
} from "../base/overlay.ts";
import { formatPeerName } from "../base/peer-name.ts";
import type { Log } from "../base/world.ts";
import { ChosenLink, type FoundMtu, type OverlayChange } from "./chosen-link.ts";
import type { OverlayEngine } from "./engine.ts";
import { commonOverlays } from "./negotiation.ts";

/**
 * The overlay of a peer that has several engines: it announces them, finds what each neighbour has
 * too, and runs all common ones on every link.
 */
export interface OverlayChooserOptions {
  /** In order of preference; `fastdp` before `sleeve`, or indices disagree with other peers. */
  readonly engines: readonly OverlayEngine[];
  /** Better engines that this host cannot run, and why: name → sentence for the status. */
  readonly unavailable?: ReadonlyMap<string, string>;
  readonly log: Log;
  /** Called when frames to a neighbour take another way than at first. */
  changed?(change: OverlayChange): void;
  /** Called when it is known, or known anew, what packets to a neighbour may have. */
  mtuFound?(found: FoundMtu): void;
}

const overlaysFeature = "Overlays";

/** Of what a peer announces, so much is shown. */
const shownMaxLength = 100;

/** Peers too old to announce their overlays have this one. */
const compatibilityName = "sleeve";

export class OverlayChooser implements Overlay {
  readonly #engines: readonly OverlayEngine[];
  readonly #unavailable: ReadonlyMap<string, string>;
  readonly #log: Log;
  readonly #changed: (change: OverlayChange) => void;
  readonly #mtuFound: (found: FoundMtu) => void;

  constructor(options: OverlayChooserOptions) {
    const { engines, unavailable, log, changed = () => {}, mtuFound = () => {} } = options;
    this.#engines = engines;
    this.#unavailable = unavailable ?? new Map();
    this.#log = log;
    this.#changed = changed;
    this.#mtuFound = mtuFound;
  }

  features(): ReadonlyMap<string, string> {
    const features = new Map([[overlaysFeature, this.#names().join(" ")]]);
    for (const engine of this.#engines) {
      for (const [key, value] of engine.features?.() ?? []) features.set(key, value);
    }
    return features;
  }

  extensions(): ReadonlyMap<OverlayExtension, number> {
    return new Map(this.#engines.flatMap((engine) => [...(engine.extensions?.() ?? [])]));
  }

  #names(): string[] {
    return this.#engines.map((engine) => engine.name);
  }

  /**
   * Without the `Overlays` feature the peer is too old to tell overlays apart: sleeve, with its
   * control messages as bare protocol messages 1–3. Never send those to any other peer.
   */
  prepare(parameters: OverlayLinkParameters): OverlayLink {
    const announced = parameters.remoteFeatures.get(overlaysFeature);
    const names = announced === undefined ? [compatibilityName] : this.#common(announced);
    const engines = names.flatMap((name) => this.#engines.filter((engine) => engine.name === name));
    if (engines.length === 0) {
      throw new WeaveError("OVERLAY_NONE_COMMON", "no overlays in common with peer", {
        remedy: `this peer has "${this.#names().join(" ")}", ${formatPeerName(parameters.remote)} has "${cutText(announced ?? compatibilityName, shownMaxLength)}"`,
      });
    }
    for (const engine of this.#engines) {
      if (!engines.includes(engine)) engine.withoutPeer?.(parameters.remote);
    }
    const bare = announced === undefined;
    return new ChosenLink({
      // Bare control messages have room for those of the original only.
      parameters: bare ? { ...parameters, extensions: new Map() } : parameters,
      engines,
      bare,
      better: this.#missing(names),
      log: this.#log,
      changed: this.#changed,
      mtuFound: this.#mtuFound,
    });
  }

  #common(announced: string): string[] {
    return commonOverlays(this.#names(), announced);
  }

  /** Why each overlay outside the common ones is not used on a link, best first. */
  #missing(common: readonly string[]): string[] {
    const here = [...this.#unavailable].map(([name, why]) => `${name} cannot run here: ${why}`);
    const there = this.#names()
      .slice(0, this.#names().indexOf(common[0]!))
      .map((name) => `${name} is not offered by the peer`);
    return [...here, ...there];
  }
}
