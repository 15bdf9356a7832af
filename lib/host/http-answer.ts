/** What the runtime has less to say about than its code tells. */
const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such socket",
  EACCES: "its socket may not be used",
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "the connection was closed",
  EPIPE: "the connection was closed",
  ENOTFOUND: "there is no such host",
  EPROTO: "no TLS could be agreed on",
};

/** Why a server was not reached, or did not go on, in the words of people. */
export function fetchFailure(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if (cause.name === "TimeoutError" || cause.name === "AbortError") return "it takes too long";
  const code = "code" in cause ? String(cause.code) : "";
  return reasons[code] ?? cause.message;
}

/**
 * Octets of an answer as they come; leaving the loop over them ends the request.
 *
 * @param reached does what it is given, and says in its own words that it failed
 */
export async function* answerChunks(
  { body }: Response,
  reached: <T>(act: () => Promise<T>) => Promise<T>,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (body === null) return;
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reached(() => reader.read());
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** All of an answer. @param tooLong what is thrown for more octets than that */
export async function boundedText(
  chunks: AsyncIterable<Uint8Array>,
  bytesMax: number,
  tooLong: () => Error,
): Promise<string> {
  const kept: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw tooLong();
    kept.push(chunk);
  }
  return Buffer.concat(kept).toString();
}
