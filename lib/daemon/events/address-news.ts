import { formatIpv4Cidr, type Ipv4Cidr } from "../../base/ip.ts";
import type { EventSink } from "../../base/network-event.ts";
import type { AddressNews } from "../../ipam/address-news.ts";

/** Tells who holds which addresses of this host. */
export function addressNews(emit: EventSink): AddressNews {
  const tell =
    (kind: "address.allocated" | "address.claimed" | "address.released") =>
    (ident: string, cidr: Ipv4Cidr): void =>
      emit(kind, { container: ident, address: formatIpv4Cidr(cidr) });
  return {
    allocated: tell("address.allocated"),
    claimed: tell("address.claimed"),
    released: tell("address.released"),
  };
}
