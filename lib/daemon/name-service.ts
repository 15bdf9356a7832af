import type { NameRegistry } from "../api/router-control.ts";
import { formatIp, formatIpv4, type IpAddress, parseIp } from "../base/ip.ts";
import { type EventSink, noEvents } from "../base/network-event.ts";
import type { NameTable } from "../dns/name-table.ts";
import type { SettingsStore } from "./settings-store.ts";

/** Owner of names that were given to an address without a container (dns §8). */
export const externIdent = "weave:extern";
/** Owner of the bridge's addresses and their names. */
export const exposeIdent = "weave:expose";

/**
 * Names that this router registers: in the table that all peers share, and on disk, so that they
 * are there again after a restart.
 */
export class NameService implements NameRegistry {
  readonly #table: NameTable;
  readonly #settings: SettingsStore;
  readonly #emit: EventSink;

  constructor(table: NameTable, settings: SettingsStore, emit: EventSink = noEvents) {
    this.#table = table;
    this.#settings = settings;
    this.#emit = emit;
  }

  get domain(): string {
    return this.#table.domain.name;
  }

  entries() {
    return this.#table.entries();
  }

  /** Returns false for a name that is not in the local domain; nothing is kept of it then. */
  add(fqdn: string, ident: string, address: IpAddress): boolean {
    const result = this.#table.add(fqdn, ident, address);
    if (result === "outside-domain") return false;
    const name = { fqdn: qualified(fqdn), ident, address: formatIp(address) };
    try {
      this.#settings.saveName(name);
    } catch (error) {
      if (result === "added") this.#table.remove({ name: fqdn, ident, address });
      throw error;
    }
    if (result === "added") {
      this.#emit("name.added", { name: name.fqdn, container: ident, address: name.address });
    }
    return true;
  }

  /** Why {@link add} kept nothing. A name without a dot was probably meant to be in the domain. */
  outsideReason(fqdn: string): string {
    const meant = fqdn.includes(".") ? "" : `; write ${fqdn}.${this.domain.replace(/\.$/, "")}`;
    return `the name is not in the domain ${this.domain}${meant}`;
  }

  /** A part that is missing matches any. */
  remove(filter: { fqdn?: string; ident?: string; address?: IpAddress }): void {
    const removed = this.#table.remove({
      ...(filter.fqdn !== undefined && { name: filter.fqdn }),
      ...(filter.ident !== undefined && { ident: filter.ident }),
      ...(filter.address !== undefined && { address: filter.address }),
    });
    if (removed > 0) {
      this.#emit("name.removed", {
        ...(filter.fqdn !== undefined && { name: qualified(filter.fqdn) }),
        ...(filter.ident !== undefined && { container: filter.ident }),
        ...(filter.address !== undefined && { address: formatIp(filter.address) }),
      });
    }
    this.#settings.removeNames({
      ...(filter.fqdn !== undefined && { fqdn: qualified(filter.fqdn) }),
      ...(filter.ident !== undefined && { ident: filter.ident }),
      ...(filter.address !== undefined && { address: formatIp(filter.address) }),
    });
  }

  /** Registers again what was known at the last stop; names of containers that went are forgotten. */
  restore(isAlive: (ident: string) => boolean): void {
    for (const { fqdn, ident, address } of this.#settings.names()) {
      if (isAlive(ident)) this.#table.add(fqdn, ident, parseIp(address));
      else this.#settings.removeNames({ fqdn, ident, address });
    }
  }

  /** Addresses of a name, short or full, as the local server would answer. */
  lookup(name: string): string[] {
    const isShort = !name.replace(/\.$/, "").includes(".");
    const full = isShort ? `${name.replace(/\.$/, "")}.${this.domain}` : name;
    const found = this.#table.lookup(full).map(({ address }) => formatIpv4(address));
    return [...new Set(found)];
  }
}

function qualified(fqdn: string): string {
  return fqdn.endsWith(".") ? fqdn : `${fqdn}.`;
}
