import type {
  CniAddRequest,
  CniCheckRequest,
  CniCollectRequest,
  CniInterface,
  CniRemoveRequest,
} from "../api/router-control.ts";

/** What the plugins ask of this host's router. Every call fails with a {@link CniError}. */
export interface CniRouter {
  add(request: CniAddRequest): Promise<CniInterface>;
  /** @throws RouterAway when no router answers */
  remove(request: CniRemoveRequest): Promise<void>;
  /** A sentence for each thing that is not as it was made. */
  check(request: CniCheckRequest): Promise<readonly string[]>;
  collect(request: CniCollectRequest): Promise<void>;
  /** Resolves when it runs with its bridge. */
  ready(): Promise<void>;
  /** Addresses of the bridge, with the lengths of their prefixes. */
  bridgeAddresses(): Promise<readonly string[]>;
  /** Gives the bridge an address that the caller has. */
  expose(cidr: string): Promise<void>;
  /** The same address again for a container that has one. */
  allocate(container: string, subnet: string | undefined): Promise<string>;
  /** What is free already is no error. @throws RouterAway when no router answers */
  free(container: string): Promise<void>;
  /** All that a container holds, without the lengths of prefixes. */
  held(container: string): Promise<readonly string[]>;
}
