/**
 * A connection as the proxy uses it: octets in two directions, of which either may end before the
 * other. Pulling is what makes room: a side that is not read from is not taken more from than a
 * bounded queue holds, and its sender has to wait.
 *
 *   read ◀── unread ◀── queue ◀── the other side          write ──▶ the other side
 *                                  ends: `ended`          end     ──▶ it reads the end
 */
export interface ByteStream {
  /** The next octets; `undefined` after the last. One call at a time. */
  read(): Promise<Uint8Array | undefined>;
  /** Puts octets back, to be read next. */
  unread(bytes: Uint8Array): void;
  /** Whether {@link read} would give octets at once. */
  readonly hasUnread: boolean;
  /**
   * Resolves when there is room for more; with false when the other side takes none any more. One
   * call at a time.
   */
  write(bytes: Uint8Array): Promise<boolean>;
  /** No more will be written; what comes can still be read. */
  end(): void;
  /** Both directions, at once. */
  close(): void;
  /** Resolves when the other side has sent all it will, whether that was read or not. */
  readonly ended: Promise<void>;
}
