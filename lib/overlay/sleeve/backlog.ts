/**
 * Datagrams of one link that the socket had no room for, oldest first. Bounded in octets, and full
 * means drop the newest: capture is never held up, and one slow peer costs the others nothing.
 */
export const backlogMaxOctets = 256 * 1024;

export interface WaitingDatagram {
  readonly df: boolean;
  readonly bytes: Uint8Array;
}

export class Backlog {
  readonly #waiting: WaitingDatagram[] = [];
  #octets = 0;

  get empty(): boolean {
    return this.#waiting.length === 0;
  }

  get octets(): number {
    return this.#octets;
  }

  /** Keeps a copy of the first `length` octets; false when there is no room. */
  push(df: boolean, datagram: Uint8Array, length: number): boolean {
    if (this.#octets + length > backlogMaxOctets) return false;
    this.#waiting.push({ df, bytes: datagram.slice(0, length) });
    this.#octets += length;
    return true;
  }

  /** Hands datagrams to `send` in order, until it declines one. */
  drain(send: (datagram: WaitingDatagram) => boolean): void {
    let sent = 0;
    for (const datagram of this.#waiting) {
      if (!send(datagram)) break;
      this.#octets -= datagram.bytes.length;
      sent++;
    }
    this.#waiting.splice(0, sent);
  }
}
