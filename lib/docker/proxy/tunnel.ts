import type { ByteStream } from "./byte-stream.ts";

/**
 * Passes octets on in both directions until both have ended. The end of one is passed on as well
 * and leaves the other as it is, so that a program whose input has ended goes on with its output.
 */
export async function tunnel(client: ByteStream, engine: ByteStream): Promise<void> {
  await Promise.all([copyAll(client, engine), copyAll(engine, client)]);
}

/** Passes on all that comes, and then the end; or nothing more once nobody takes it. */
export async function copyAll(from: ByteStream, to: ByteStream): Promise<void> {
  for (let bytes = await from.read(); bytes !== undefined; bytes = await from.read()) {
    if (await to.write(bytes)) continue;
    // Who sends has to hear it; what it said before is lost on the way, as without a proxy.
    from.close();
    return;
  }
  to.end();
}
