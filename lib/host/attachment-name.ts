import { containerPortPrefixes } from "./device-names.ts";

/** Characters that make a host end's name its own; with the prefix the name has 15. */
const suffixLength = 7;
const triesMax = 16;

/**
 * A name for the host end of a container's interface: the same for the same container, and never
 * one that is in use. Seven characters of a hash suffice until `isTaken` says otherwise.
 */
export function hostInterfaceName(ident: string, isTaken: (name: string) => boolean): string {
  for (let attempt = 0; attempt < triesMax; attempt++) {
    const hash = new Bun.CryptoHasher("sha256").update(`${ident}\0${attempt}`).digest();
    const suffix = BigInt(`0x${hash.toHex()}`).toString(36).slice(-suffixLength);
    const name = `${containerPortPrefixes[0]}${suffix}`;
    if (!isTaken(name)) return name;
  }
  throw new RangeError(`no free interface name for ${ident} in ${triesMax} tries`);
}
