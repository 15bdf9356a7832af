import { describe, expect, test } from "bun:test";
import { fromHex, toHex } from "../../../lib/base/bytes.ts";
import { Netlink } from "../../../lib/host/netlink/conversation.ts";
import { changeLink } from "../../../lib/host/netlink/link.ts";
import {
  attributesBehind,
  decodeMessages,
  encodeMessage,
  messageType,
  type NetlinkMessage,
} from "../../../lib/host/netlink/message.ts";
import { prepareEdges, putProgramFilter } from "../../../lib/host/netlink/traffic-control.ts";
import { createVxlan } from "../../../lib/host/netlink/vxlan.ts";
import recorded from "../../vectors/fastdp/ebpf-loading.json";

/** Notes what is asked, and agrees. */
function noting(): { netlink: Netlink; asked: NetlinkMessage[] } {
  const asked: NetlinkMessage[] = [];
  const waiting: Uint8Array[] = [];
  const netlink = new Netlink({
    send(datagram) {
      const request = decodeMessages(datagram)[0]!;
      asked.push(request);
      const done = new Uint8Array(20);
      waiting.push(encodeMessage(messageType.error, 0, request.sequence, done));
    },
    receive: () => waiting.shift(),
    close() {},
  });
  return { netlink, asked };
}

function message(what: string): NetlinkMessage {
  const { netlink_message } = recorded.messages.find((each) => each.what.includes(what))!;
  return decodeMessages(fromHex(netlink_message))[0]!;
}

/** Attributes in any order, those inside others too, as text. */
function shown(fixedBytes: number, body: Uint8Array, nests: readonly number[]): unknown {
  const attributes = attributesBehind(fixedBytes, body);
  return Array.from({ length: 32 }, (_, type) => {
    const octets = attributes.bytes(type);
    if (octets === undefined) return undefined;
    const inside = nests.includes(type) ? shown(0, octets, [2]) : toHex(octets);
    return [type, inside];
  }).filter((each) => each !== undefined);
}

const { ifindex: index, program_fd: descriptor } = recorded;

describe("what the kernel was seen to accept", () => {
  test("makes a VXLAN device that takes any VNI", () => {
    const { netlink, asked } = noting();
    createVxlan(netlink, { name: "vxlan-6784", mtu: 1376 }, { kind: "external", port: 6784 });
    const wanted = message("collect-metadata");
    expect(asked[0]!.type).toBe(wanted.type);
    expect(asked[0]!.flags).toBe(wanted.flags);
    const info = 18;
    expect(shown(16, asked[0]!.body, [info])).toEqual(shown(16, wanted.body, [info]));
  });

  test("switches it on", () => {
    const { netlink, asked } = noting();
    changeLink(netlink, index, { up: true });
    expect(toHex(asked[0]!.body)).toBe(toHex(message("set it up").body));
  });

  test("opens its edges", () => {
    const { netlink, asked } = noting();
    prepareEdges(netlink, index);
    const wanted = message("clsact");
    expect(asked[0]!.type).toBe(wanted.type);
    expect(shown(20, asked[0]!.body, [])).toEqual(shown(20, wanted.body, []));
    expect(toHex(asked[0]!.body.subarray(0, 20))).toBe(toHex(wanted.body.subarray(0, 20)));
  });

  for (const edge of ["ingress", "egress"] as const) {
    test(`puts a program at its ${edge}, or replaces it`, () => {
      const { netlink, asked } = noting();
      const filter = { index, edge, preference: 1 };
      putProgramFilter(netlink, filter, { descriptor, name: "wv" });
      const wanted = message(`replace it atomically (${edge})`);
      expect(asked[0]).toMatchObject({ type: wanted.type, flags: wanted.flags });
      expect(toHex(asked[0]!.body)).toBe(toHex(wanted.body));
    });
  }
});
