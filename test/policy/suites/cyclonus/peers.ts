import type { PeerJson, SelectorJson } from "../suite-case.ts";
import {
  type Actions,
  type AddressOf,
  all,
  directions,
  label,
  once,
  withPeers,
} from "./base-policy.ts";

const peerKinds: readonly [string, (addressOf: AddressOf) => PeerJson][] = [
  ...podPeers(),
  ["a block", (addressOf) => ({ ipBlock: { cidr: blockAround(addressOf("z/c"), 24) } })],
  [
    "a block with an exception",
    (addressOf) => {
      const address = addressOf("z/c");
      return { ipBlock: { cidr: blockAround(address, 24), except: [blockAround(address, 28)] } };
    },
  ],
];

/** All and some pods, of the own, all and some namespaces; neither selector is no peer. */
function podPeers(): [string, () => PeerJson][] {
  const pods: [string, SelectorJson | undefined][] = [
    ["pods", undefined],
    ["all pods", all],
    ["pods c", label("pod", "c")],
  ];
  const namespaces: [string, SelectorJson | undefined][] = [
    ["its namespace", undefined],
    ["all namespaces", all],
    ["namespace x", label("ns", "x")],
  ];
  return namespaces.flatMap(([ofNamespace, namespaceSelector]) =>
    pods
      .filter(([, podSelector]) => podSelector !== undefined || namespaceSelector !== undefined)
      .map(([which, podSelector]): [string, () => PeerJson] => {
        const peer = {
          ...(podSelector === undefined ? {} : { podSelector }),
          ...(namespaceSelector === undefined ? {} : { namespaceSelector }),
        };
        return [`${which} of ${ofNamespace}`, () => peer];
      }),
  );
}

function blockAround(address: string, prefix: 24 | 28): string {
  const octets = address.split(".").map(Number);
  octets[3] = prefix === 24 ? 0 : octets[3]! & 0xf0;
  return `${octets.join(".")}/${prefix}`;
}

/** An empty list, each kind of peer, and each two of them, in both directions. */
export const peers = directions.flatMap((direction): [string, Actions][] => [
  [`allows ${direction} of an empty list of peers`, once(withPeers(direction))],
  ...peerKinds.map(([name, peer]): [string, Actions] => [
    `allows ${direction} of ${name}`,
    (addressOf) => [[withPeers(direction, peer(addressOf))]],
  ]),
  ...pairsOf(peerKinds).map(([[name, peer], [otherName, other]]): [string, Actions] => [
    `allows ${direction} of ${name} and of ${otherName}`,
    (addressOf) => [[withPeers(direction, peer(addressOf), other(addressOf))]],
  ]),
]);

function pairsOf<Item>(items: readonly Item[]): [Item, Item][] {
  return items.flatMap((item, at) =>
    items.slice(at + 1).map((other): [Item, Item] => [item, other]),
  );
}
