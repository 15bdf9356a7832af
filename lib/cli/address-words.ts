import { isAddressToken } from "../base/address-token.ts";
import { tryParseIp } from "../base/ip.ts";
import { UsageError } from "./usage-error.ts";

/**
 * The words of attach and detach, told apart: addresses, and the container's name.
 *
 * @throws UsageError unless there is exactly one container
 */
export function splitContainer(
  command: string,
  words: readonly string[],
): { addresses: string[]; container: string } {
  const addresses = words.filter(isAddressToken);
  const [container, ...more] = words.filter((word) => !isAddressToken(word));
  if (container === undefined) {
    throw new UsageError(`'weave ${command}' needs a container`, {
      remedy: "name it netns:<name>, pid:<n>, or by its Docker name or id",
    });
  }
  refuseBareIp([container, ...more]);
  if (more.length > 0) {
    throw new UsageError(
      `'weave ${command}' takes one container, not ${[container, ...more].join(" and ")}`,
    );
  }
  return { addresses, container };
}

/** @throws UsageError for a word that is no address */
export function onlyAddresses(command: string, words: readonly string[]): readonly string[] {
  const other = words.filter((word) => !isAddressToken(word));
  refuseBareIp(other);
  if (other.length > 0) {
    throw new UsageError(`'weave ${command}' does not take '${other.join(" ")}'`, {
      remedy: "write addresses as a.b.c.d/n, ip:a.b.c.d/n, net:a.b.c.d/n or net:default",
    });
  }
  return words;
}

function refuseBareIp(words: readonly string[]): void {
  const bare = words.find((word) => tryParseIp(word) !== undefined);
  if (bare === undefined) return;
  throw new UsageError(`${bare} lacks the length of its network prefix`, {
    remedy: `write it like ${bare}/24`,
  });
}
