import type { Picture } from "../../api/picture-models.ts";
import { containerKey, nameKey, titleOfPeer, withoutDot } from "./things.ts";

/** One name in DNS and one thing that has it. */
export interface ListedName {
  /** Without final dot. */
  readonly name: string;
  /** Key of the thing. */
  readonly key: string;
  /** Of the thing, without prefix lengths. */
  readonly addresses: readonly string[];
  /** On which it is, as people call it. */
  readonly host: string;
}

/** All names whose text, addresses or hosts have all words of `query`, in alphabetical order. */
export function listNames(picture: Picture, query: string): ListedName[] {
  const ofContainers = picture.containers.flatMap((container): ListedName[] =>
    container.names.map((name) => ({
      ...{ name: withoutDot(name), key: containerKey(container) },
      addresses: container.addresses.map((each) => each.split("/")[0]!),
      host: titleOfPeer(picture, container.peer),
    })),
  );
  const ofOthers = picture.names.map((each) => ({
    ...{ name: withoutDot(each.name), key: nameKey(each), addresses: [each.address] },
    host: titleOfPeer(picture, each.peer),
  }));
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return [...ofContainers, ...ofOthers]
    .filter(({ name, addresses, host }) => {
      const text = `${name} ${addresses.join(" ")} ${host}`.toLowerCase();
      return words.every((word) => text.includes(word));
    })
    .sort((a, b) => (a.name === b.name ? (a.key < b.key ? -1 : 1) : a.name < b.name ? -1 : 1));
}
