import { splitHostPort } from "../../base/endpoint.ts";
import { errorText, WeaveError } from "../../base/errors.ts";
import type { TlsSettings } from "../../host/tls-files.ts";
import type { EngineAddress } from "../engine-address.ts";
import type { ByteStream } from "./byte-stream.ts";
import { SocketStream } from "./socket-stream.ts";

/**
 * A connection to the engine, on which nothing was said yet.
 *
 * @param tls missing: in clear
 * @throws WeaveError `ENGINE_UNREACHABLE`
 */
export async function dialEngine(
  address: EngineAddress,
  tls: TlsSettings | undefined,
): Promise<ByteStream> {
  const { promise, resolve, reject } = Promise.withResolvers<ByteStream>();
  // A socket that cannot be made says so twice.
  promise.catch(() => {});
  const socket = SocketStream.handlers({
    isSecured: address.kind === "tcp" && tls !== undefined,
    opened: resolve,
    failed: reject,
  });
  const common = { allowHalfOpen: true, socket, data: { stream: undefined } };
  try {
    if (address.kind === "unix") await Bun.connect({ ...common, unix: address.path });
    else {
      const { host = "127.0.0.1", port = 2375 } = splitHostPort(address.authority) ?? {};
      await Bun.connect({ ...common, hostname: host, port, ...(tls && { tls }) });
    }
    return await promise;
  } catch (cause) {
    throw new WeaveError(
      "ENGINE_UNREACHABLE",
      `Could not connect to target: ${where(address)}: ${errorText(cause)}`,
      { cause },
    );
  }
}

function where(address: EngineAddress): string {
  return address.kind === "unix" ? address.path : address.authority;
}
