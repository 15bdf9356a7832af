import { formatIpv4, type Ipv4 } from "../../lib/base/ip.ts";

/** A service of one pod as a node's proxy has it: whoever asks for it comes from somewhere else. */
export function serviceRules(service: Ipv4, pod: Ipv4): string {
  const [from, to] = [formatIpv4(service), formatIpv4(pod)];
  return `
    table ip service {
      chain before {
        type nat hook prerouting priority -100
        ip daddr ${from} dnat to ${to}
      }
      chain after {
        type nat hook postrouting priority 100
        ct original ip daddr ${from} masquerade
      }
    }`;
}
