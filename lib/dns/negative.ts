import { concatBytes, writeUint32 } from "../base/bytes.ts";
import { encodeName } from "../wire/dns-name.ts";
import type { Domain } from "./domain.ts";

/**
 * Data of the SOA record by which resolvers know how long to remember that a name does not exist
 * (RFC 2308 §3, RFC 1035 §3.3.13):
 *
 *   mname │ rname │ serial (4) │ refresh (4) │ retry (4) │ expire (4) │ minimum (4)
 *
 * All peers are equal servers of the zone, so it names the zone itself as primary. Names appear
 * within a second of their container, hence the short minimum.
 */
export class StartOfAuthority {
  readonly data: Uint8Array;
  readonly #serialAt: number;

  constructor(domain: Domain, minimumS: number) {
    const mailbox = encodeName(
      domain.folded === "." ? "hostmaster." : `hostmaster.${domain.folded}`,
    );
    const numbers = new Uint8Array(20);
    for (const [index, value] of [0, refreshS, retryS, expireS, minimumS].entries()) {
      writeUint32(numbers, 4 * index, value);
    }
    // A zone with the longest possible name has no room for a mailbox below it.
    this.data = concatBytes(domain.octets, mailbox ?? domain.octets, numbers);
    this.#serialAt = this.data.length - numbers.length;
  }

  /** Nobody transfers the zone; a serial that grows shows people that it lives. */
  setSerial(serial: number): void {
    writeUint32(this.data, this.#serialAt, serial >>> 0);
  }
}

/** Of interest to secondary servers, which the zone has none of: customary values. */
const refreshS = 3600;
const retryS = 600;
const expireS = 86_400;
