/** What removed nodes take of the router, which may run in another process. */
export interface RouterPort {
  /**
   * Takes over the ranges of a peer that will not come back, as `DELETE /peer/<name>`.
   *
   * @throws WeaveError `IPAM_PEER_ALIVE` while the peer is part of the network
   */
  reclaim(peerName: string): Promise<void>;
  /** Connects to these addresses, and with `replace` to no others, as `POST /connect`. */
  connect(addresses: readonly string[], options: { readonly replace: boolean }): Promise<void>;
}
