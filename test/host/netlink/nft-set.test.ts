import { describe, expect, test } from "bun:test";
import { concatBytes, toHex } from "../../../lib/base/bytes.ts";
import { Netlink } from "../../../lib/host/netlink/conversation.ts";
import { decodeMessages, encodeMessage, messageType } from "../../../lib/host/netlink/message.ts";
import { transact } from "../../../lib/host/netlink/nft-message.ts";
import {
  addElements,
  declareSet,
  goToData,
  jumpData,
  keyFields,
  markData,
  type NftElement,
  removeElements,
} from "../../../lib/host/netlink/nft-set.ts";

const table = { family: "inet", name: "t" } as const;
const element: NftElement = { key: Uint8Array.of(10, 32, 0, 1) };
/** Family inet, version, resource; then the attribute of the table: `t`. */
const head = "010000000600010074000000";
/** The attribute of the set: `s`. */
const set = "0600020073000000";

function bodyOf(requests: readonly { readonly body: Uint8Array }[]): string {
  expect(requests).toHaveLength(1);
  return toHex(requests[0]!.body);
}

describe("sets of nf_tables", () => {
  test("are declared with the types of their keys, so that programs can show them", () => {
    const key = [keyFields.ipv4, keyFields.protocol, keyFields.port];
    const { type, body } = declareSet(table, { name: "s", key, elements: [], comment: "é" }, 7);
    expect(type).toBe(0x0a09);
    const types = (7 << 12) | (12 << 6) | 13;
    expect(toHex(body)).toBe(
      [
        ...[head, set, "0800030000000000"],
        `08000400${types.toString(16).padStart(8, "0")}`,
        "080005000000000c",
        "08000a0000000007",
        ...["09000d00", "0703", "c3a900", "000000"],
      ].join(""),
    );
  });

  test("say how many elements they may have", () => {
    const declared = { name: "s", key: [keyFields.ipv4], elements: [], room: 300 };
    const room = "0c00098008000100" + "0000012c";
    expect(toHex(declareSet(table, declared, 1).body)).toEndWith(`${room}08000a0000000001`);
  });

  test("have elements one behind the other", () => {
    const both = [element, { key: Uint8Array.of(10, 32, 0, 2) }];
    expect(bodyOf(addElements(table, "s", both))).toBe(
      [
        ...[head, set, "24000380"],
        ...["10000180", "0c000180", "08000100", "0a200001"],
        ...["10000180", "0c000180", "08000100", "0a200002"],
      ].join(""),
    );
    expect(removeElements(table, "s", both)[0]).toMatchObject({ type: 0x0a0e, flags: 0 });
  });

  test("have with each element of a map what is found by it", () => {
    const mark = { ...element, data: markData(5) };
    expect(bodyOf(addElements(table, "s", [mark]))).toEndWith("0c000280" + "0800010005000000");
    const jump = { ...element, data: jumpData("c") };
    const verdict = ["18000280", "14000280", "08000100fffffffd", "0600020063000000"];
    expect(bodyOf(addElements(table, "s", [jump]))).toEndWith(verdict.join(""));
    const onwards = { ...element, data: goToData("c") };
    verdict[2] = "08000100fffffffc";
    expect(bodyOf(addElements(table, "s", [onwards]))).toEndWith(verdict.join(""));
  });

  test("may have more elements than an attribute can be long, and none at all", () => {
    const many = Array.from({ length: 10_000 }, () => element);
    const requests = addElements(table, "s", many);
    expect(requests.length).toBeGreaterThan(1);
    const octets = requests.reduce((sum, { body }) => sum + body.length - 24, 0);
    expect(octets).toBe(many.length * 16);
    for (const { body } of requests) expect(body.length).toBeLessThan(1 << 16);
    expect(addElements(table, "s", [])).toEqual([]);
  });
});

describe("a transaction", () => {
  const requests = [declareSet(table, { name: "s", key: [keyFields.ipv4], elements: [] }, 1)];
  const many = Array.from({ length: 1000 }, () => requests[0]!);

  /** What a kernel is sent that answers with these errors, by the place of a request. */
  function exchanged(errors: ReadonlyMap<number, number>) {
    const waiting: Uint8Array[] = [];
    const asked: number[] = [];
    const netlink = new Netlink({
      send(datagram) {
        const messages = decodeMessages(datagram);
        asked.push(
          ...messages.filter(({ flags }) => (flags & 4) !== 0).map((each) => each.sequence),
        );
        const answers = [...errors].map(([place, errno]) => {
          const body = concatBytes(
            new Uint8Array(Int32Array.of(-errno).buffer),
            new Uint8Array(16),
          );
          return encodeMessage(messageType.error, 0, messages[place]!.sequence, body);
        });
        waiting.push(...answers);
      },
      receive: () => waiting.shift(),
      close() {},
    });
    return { run: () => transact(netlink, many), asked };
  }

  test("asks for an answer to its last request alone", () => {
    const { run, asked } = exchanged(new Map([[1000, 0]]));
    run();
    expect(asked).toEqual([1001]);
  });

  test("fails with the first that was refused, whatever is said of others", () => {
    const { run } = exchanged(
      new Map([
        [3, 17],
        [5, 2],
        [1000, 0],
      ]),
    );
    expect(run).toThrow("EEXIST");
  });

  test("fails when the kernel refuses all of it", () => {
    const { run } = exchanged(new Map([[0, 1]]));
    expect(run).toThrow("EPERM");
  });
});
