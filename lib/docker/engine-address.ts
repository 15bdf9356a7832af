import { WeaveError } from "../base/errors.ts";
import type { TlsFiles } from "../host/tls-files.ts";

/** Where an engine answers, and how. */
export type EngineAddress =
  | { readonly kind: "unix"; readonly path: string }
  | {
      readonly kind: "tcp";
      /** `host:port`, the host in brackets when it is an IPv6 address. */
      readonly authority: string;
      /** Missing: in clear. */
      readonly tls: TlsFiles | undefined;
    };

export const defaultEndpoint = "unix:///var/run/docker.sock";

const clearPort = 2375;
const tlsPort = 2376;

/**
 * What an endpoint stands for: `unix:///path`, `/path`, or `[tcp://]host[:port]`, with `http://` and
 * `https://` for the latter. Without host it is this one's, without port Docker's own.
 *
 * @param tls how to speak TLS; missing: in clear, or as anybody does for `https://`
 * @throws WeaveError `ENGINE_ENDPOINT`
 */
export function parseEngineAddress(endpoint: string, tls?: TlsFiles): EngineAddress {
  const unix = /^(?:unix:\/\/)?(\/.+)$/.exec(endpoint)?.[1];
  if (unix !== undefined) return { kind: "unix", path: unix };
  if (endpoint.startsWith("ssh://")) {
    throw refused(
      endpoint,
      "an engine over ssh is one of another host, whose containers are there",
      {
        remedy: "run weave on that host; its own engine is found without being named",
      },
    );
  }
  const match =
    /^(?:(tcp|http|https):\/\/)?(\[[0-9a-fA-F:.%]+\]|[^\s:/[\]?#@]*)(?::(\d{1,5}))?\/?$/.exec(
      endpoint,
    );
  const [, scheme, host = "", port] = match ?? [];
  const hasPlace = host !== "" || port !== undefined;
  // One word alone is a typing error rather than a host.
  const isPlain = scheme === undefined && port === undefined;
  if (match === null || !hasPlace || isPlain || Number(port) > 65535) throw refused(endpoint);
  const secured = scheme === "https" ? (tls ?? { verify: true }) : tls;
  return {
    kind: "tcp",
    authority: `${host || "127.0.0.1"}:${port ?? (secured === undefined ? clearPort : tlsPort)}`,
    tls: scheme === "http" ? undefined : secured,
  };
}

function refused(endpoint: string, why?: string, options?: { remedy: string }): WeaveError {
  return new WeaveError(
    "ENGINE_ENDPOINT",
    `cannot use "${endpoint}" as Docker endpoint${why === undefined ? "" : `: ${why}`}`,
    options ?? { remedy: "write unix:///path/of/docker.sock or tcp://host:port" },
  );
}
