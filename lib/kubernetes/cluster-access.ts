import type { TlsSettings } from "../host/tls-files.ts";

/** Where an API server is, and how it is spoken to. */
export interface ClusterAccess {
  /** `https://10.96.0.1:443`, without path. */
  readonly server: string;
  /** What TLS takes now; missing in clear. Files are read again when they have changed. */
  readonly tls?: { current(): TlsSettings } | undefined;
  /** Missing: a client certificate says who we are, or nothing does. */
  readonly token?: TokenSource | undefined;
}

/** A bearer token, which is replaced while we run. */
export interface TokenSource {
  /** @throws WeaveError `K8S_CONFIG` when there has never been one */
  current(): string;
  /** The server did not take the last one: look again, however short ago that was. */
  refused(): void;
}
