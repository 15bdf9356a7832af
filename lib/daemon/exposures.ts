import type { CidrsAnswer, ExposeAnswer, ExposeRequest } from "../api/router-control.ts";
import { parseAddressTokens } from "../base/address-token.ts";
import { errorText, WeaveError } from "../base/errors.ts";
import { type Cidr, cidrFromIpv4, formatCidr, parseCidr } from "../base/ip.ts";
import type { EventSink } from "../base/network-event.ts";
import type { Log } from "../base/world.ts";
import type { Exposure } from "../host/exposure.ts";
import type { AddressBook } from "./address-book.ts";
import { KeyedLock } from "./keyed-lock.ts";
import { exposeIdent, type NameService } from "./name-service.ts";
import type { SettingsStore } from "./settings-store.ts";

export interface ExposuresOptions {
  readonly exposure: Exposure;
  readonly book: AddressBook;
  readonly settings: SettingsStore;
  /** Missing when DNS is off. */
  readonly names: NameService | undefined;
  readonly log: Log;
  readonly emit: EventSink;
  /** Called after every change with all exposed addresses; who asked for it hears when it is done. */
  changed(cidrs: readonly Cidr[]): Promise<void>;
}

/** The host's own addresses on the overlay, remembered with their choice of masquerading. */
export class Exposures {
  readonly #options: ExposuresOptions;
  readonly #lock = new KeyedLock();
  /** Why the last attempt to put rules back failed: said once. */
  #trouble: string | undefined;

  constructor(options: ExposuresOptions) {
    this.#options = options;
  }

  /**
   * Puts back what was exposed at the last stop, and adopts what the bridge has besides.
   *
   * @returns whether it had anything: another router has exposed it, which has rules of its own
   */
  restore(): boolean {
    const { exposure, settings } = this.#options;
    const adopted = exposure.adopt(true).map(storable);
    for (const { cidr, masquerade } of adopted) settings.saveExposure({ cidr, masquerade });
    exposure.apply();
    void this.#changed();
    return adopted.length > 0;
  }

  /** Puts addresses back that the bridge has lost, and says which. @throws WeaveError `EXPOSE_FAILED` */
  mend(): string[] {
    const mended = this.#options.exposure.mendAddresses();
    if (mended.length > 0) void this.#changed();
    return mended;
  }

  expose(request: ExposeRequest, signal: AbortSignal): Promise<ExposeAnswer> {
    const tokens = parseAddressTokens(request.addresses);
    const { names, book } = this.#options;
    if (request.fqdn !== undefined && names === undefined) {
      throw new WeaveError("DNS_DISABLED", "names cannot be registered: weaveDNS is off", {
        remedy: "expose without -h, or launch without --no-dns",
      });
    }
    return this.#lock.run(exposeIdent, async () => {
      const acquired = await book.acquire(exposeIdent, tokens, { isContainer: false, signal });
      const cidrs = acquired.cidrs.map(cidrFromIpv4);
      const before = new Set(this.cidrs().map(formatCidr));
      try {
        for (const cidr of cidrs) await this.#put(cidr, request.masquerade);
        const named = this.#name(request.fqdn, cidrs);
        this.#told(cidrs, request.masquerade);
        return { cidrs: cidrs.map(formatCidr), ...named };
      } catch (error) {
        // The addresses will be others'.
        for (const cidr of this.cidrs()) if (!before.has(formatCidr(cidr))) this.#takeBack(cidr);
        acquired.undo();
        await this.#changed();
        throw error;
      }
    });
  }

  /** Registers a name for all addresses, and tells why not when it is none of the domain. */
  #name(fqdn: string | undefined, cidrs: readonly Cidr[]): Pick<ExposeAnswer, "ignored"> {
    const { names } = this.#options;
    if (fqdn === undefined || names === undefined) return {};
    const isKept = cidrs.every(({ address }) => names.add(fqdn, exposeIdent, address));
    return isKept ? {} : { ignored: [{ fqdn, reason: names.outsideReason(fqdn) }] };
  }

  /** One address that the caller holds already. */
  async exposeAddress(cidr: Cidr, options: { masquerade: boolean }): Promise<void> {
    await this.#lock.run(exposeIdent, async () => {
      await this.#put(cidr, options.masquerade);
      this.#told([cidr], options.masquerade);
    });
  }

  #told(cidrs: readonly Cidr[], masquerade: boolean): void {
    this.#options.emit("bridge.exposed", { addresses: cidrs.map(formatCidr), masquerade });
  }

  async hide(request: { addresses: readonly string[] }): Promise<CidrsAnswer> {
    const tokens = parseAddressTokens(request.addresses);
    const { book, emit } = this.#options;
    return this.#lock.run(exposeIdent, async () => {
      const found = book.find(exposeIdent, tokens);
      const hidden = found.map(cidrFromIpv4).filter((cidr) => this.#withdraw(cidr));
      book.release(
        exposeIdent,
        found.map(({ address }) => address),
      );
      await this.#changed();
      if (hidden.length > 0) emit("bridge.hidden", { addresses: hidden.map(formatCidr) });
      return { cidrs: found.map((each) => formatCidr(cidrFromIpv4(each))) };
    });
  }

  /** False when the bridge did not have it. */
  #withdraw(cidr: Cidr): boolean {
    const { exposure, settings, names } = this.#options;
    // What cannot be written down is not done: it would be back at the next start.
    settings.removeExposure(formatCidr(cidr));
    const wasThere = exposure.hide(cidr);
    names?.remove({ ident: exposeIdent, address: cidr.address });
    return wasThere;
  }

  /** After a failure, which may have been that nothing can be written down. */
  #takeBack(cidr: Cidr): void {
    const { exposure, log } = this.#options;
    try {
      this.#withdraw(cidr);
    } catch (error) {
      log.warn(`${formatCidr(cidr)} is not exposed after all: ${errorText(error)}`);
      exposure.hide(cidr);
    }
  }

  /** What is exposed now. */
  cidrs(): Cidr[] {
    return this.#options.exposure.list().map(({ cidr }) => cidr);
  }

  async #put(cidr: Cidr, masquerade: boolean): Promise<void> {
    const { exposure, settings } = this.#options;
    exposure.expose({ cidr, masquerade });
    settings.saveExposure(storable({ cidr, masquerade }));
    await this.#changed();
  }

  /** Lets containers with addresses of these networks, and no others, see who calls them. */
  unmask(networks: readonly Cidr[]): void {
    this.#withRules((exposure) => exposure.unmask(networks));
  }

  /** Another program may have put its rules before ours, or removed them. */
  keepRules(): void {
    this.#withRules((exposure) => exposure.mendRules());
  }

  #withRules(act: (exposure: Exposure) => void): void {
    const { exposure, log } = this.#options;
    try {
      act(exposure);
      this.#trouble = undefined;
    } catch (error) {
      const trouble = errorText(error);
      if (trouble !== this.#trouble) log.warn(trouble);
      this.#trouble = trouble;
    }
  }

  #changed(): Promise<void> {
    this.keepRules();
    return this.#options.changed(this.cidrs());
  }
}

function storable({ cidr, masquerade }: { cidr: Cidr; masquerade: boolean }) {
  return { cidr: formatCidr(cidr), masquerade };
}

/** What {@link SettingsStore.exposures} remembers, as {@link Exposure} takes it. */
export function rememberedExposures(
  settings: SettingsStore,
): { cidr: Cidr; masquerade: boolean }[] {
  return settings
    .exposures()
    .map(({ cidr, masquerade }) => ({ cidr: parseCidr(cidr), masquerade }));
}
