import { chmodSync, chownSync, lstatSync, mkdirSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { SocketListener } from "bun";
import { splitHostPort } from "../../base/endpoint.ts";
import { errorText, WeaveError } from "../../base/errors.ts";
import type { TlsSettings } from "../../host/tls-files.ts";
import type { ByteStream } from "./byte-stream.ts";
import { type SocketState, SocketStream } from "./socket-stream.ts";

/** Where clients connect. Who has connected stays when a listener is closed. */
export interface ProxyListener {
  /** `unix:///path` or `tcp://ip:port`. */
  readonly address: string;
  /** What a client must agree to from now on; nothing for a unix socket. */
  renew(tls: TlsSettings | undefined): void;
  close(): void;
}

/** Who may use a socket file. */
export interface SocketOwner {
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export type Accept = (client: ByteStream) => void;

/** Those of the engine's own socket; `undefined` where it has none. */
export function ownerOf(socketPath: string | undefined): SocketOwner | undefined {
  const found = socketPath && statSync(socketPath, { throwIfNoEntry: false });
  if (!found) return undefined;
  return { mode: found.mode & 0o7777, uid: found.uid, gid: found.gid };
}

/**
 * On a unix socket, whose file may be used by the same users and groups as the engine's own. A file
 * that nobody serves any more is replaced.
 *
 * @param owner missing: root alone
 * @throws WeaveError `PROXY_LISTEN`
 */
export async function listenUnix(
  path: string,
  owner: SocketOwner | undefined,
  accept: Accept,
): Promise<ProxyListener> {
  const address = `unix://${path}`;
  await removeStale(path);
  return orListenError(address, () => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    // It must not be open to others for even a moment.
    const umask = process.umask(0o177);
    let server: { stop(): void };
    try {
      server = Bun.listen<SocketState>({
        ...listening(false, accept),
        unix: path,
      });
    } finally {
      process.umask(umask);
    }
    const own = lstatSync(path);
    if (owner !== undefined) {
      chownSync(path, owner.uid, owner.gid);
      chmodSync(path, owner.mode);
    }
    return {
      address,
      renew() {},
      close() {
        server.stop();
        // Another router may have its own there by now.
        if (lstatSync(path, { throwIfNoEntry: false })?.ino === own.ino) rmSync(path);
      },
    };
  });
}

/** @param tls missing: in clear @throws WeaveError `PROXY_LISTEN` */
export function listenTcp(
  address: string,
  tls: TlsSettings | undefined,
  accept: Accept,
): ProxyListener {
  const { host = "0.0.0.0", port = 0 } = splitHostPort(address.replace(/^tcp:\/\//, "")) ?? {};
  const open = (settings: TlsSettings | undefined): SocketListener<SocketState> =>
    Bun.listen<SocketState>({
      ...listening(settings !== undefined, accept),
      hostname: host,
      port,
      ...(settings && { tls: { ...settings, requestCert: settings.rejectUnauthorized } }),
    });
  let server = orListenError(address, () => open(tls));
  return {
    address,
    renew(settings) {
      server.stop();
      server = orListenError(address, () => open(settings));
    },
    close: () => server.stop(),
  };
}

function listening(isSecured: boolean, accept: Accept) {
  return {
    allowHalfOpen: true,
    data: { stream: undefined },
    socket: SocketStream.handlers({ isSecured, opened: accept }),
  };
}

/** Whoever answers there must not lose its socket: a path may be the engine's, by mistake. */
async function removeStale(path: string): Promise<void> {
  const address = `unix://${path}`;
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  // The original made links to its one socket.
  if (!found.isSocket() && !found.isSymbolicLink()) {
    throw listenError(address, "a file is there that is no socket");
  }
  if (found.isSocket() && (await isServed(path))) {
    throw listenError(address, "another program listens there");
  }
  rmSync(path);
}

async function isServed(path: string): Promise<boolean> {
  try {
    const socket = await Bun.connect({ unix: path, socket: { data() {} } });
    socket.end();
    return true;
  } catch {
    return false;
  }
}

function orListenError<T>(address: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw listenError(address, errorText(cause), cause);
  }
}

function listenError(address: string, why: string, cause?: unknown): WeaveError {
  return new WeaveError("PROXY_LISTEN", `the proxy cannot listen on ${address}: ${why}`, {
    remedy: "choose another address with -H, or switch the proxy off with --proxy=false",
    cause,
  });
}
