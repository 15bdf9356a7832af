import { describe, expect, test } from "bun:test";
import { fromHex, toHex } from "../../../lib/base/bytes.ts";
import { parseIpv4 } from "../../../lib/base/ip.ts";
import * as xfrm from "../../../lib/host/ipsec/xfrm-message.ts";
import recorded from "../../vectors/fastdp/xfrm-messages.json";

const { parameters } = recorded;
const [here, there] = [parameters.local_ip, parameters.remote_ip].map(parseIpv4) as [
  number,
  number,
];
const inbound = { source: there, destination: here, spi: Number(parameters.inbound_spi) };
const outbound = { source: here, destination: there, spi: Number(parameters.outbound_spi) };
const key = fromHex(parameters.key36);
const mark = [0x20000, 0x20000] as const;
const selector = { source: here, destination: there, destinationPort: 0, mark };
const requestId = 0;
const template = { ...outbound, requestId };

/** Every recorded message, and what makes the same octets here. */
const made: Record<string, [type: number, body: Uint8Array]> = {
  XFRM_MSG_ALLOCSPI: [
    xfrm.XFRM.allocateSpi,
    xfrm.allocateSpi(inbound, requestId, [0x100, 0xffff_ffff]),
  ],
  XFRM_MSG_UPDSA: [
    xfrm.XFRM.updateAssociation,
    xfrm.describeAssociation({ ...inbound, requestId }, key),
  ],
  XFRM_MSG_NEWSA: [
    xfrm.XFRM.newAssociation,
    xfrm.describeAssociation({ ...outbound, requestId }, key),
  ],
  XFRM_MSG_UPDPOLICY: [
    xfrm.XFRM.updatePolicy,
    xfrm.describePolicy({ ...selector, direction: "out", action: "allow", template }),
  ],
  XFRM_MSG_GETPOLICY: [xfrm.XFRM.getPolicy, xfrm.namePolicy({ ...selector, direction: "out" })],
  XFRM_MSG_DELPOLICY: [xfrm.XFRM.deletePolicy, xfrm.namePolicy({ ...selector, direction: "out" })],
  XFRM_MSG_DELSA: [xfrm.XFRM.deleteAssociation, xfrm.deleteAssociation({ ...inbound, requestId })],
};

describe("a message to the kernel's IPsec", () => {
  for (const { message, nlmsg_type, payload, fixed_header } of recorded.messages) {
    test(`has the octets that others send: ${message}`, () => {
      const [type, body] = made[message]!;
      expect(type).toBe(nlmsg_type);
      // The source of an association to be deleted is of no use to the kernel.
      expect(toHex(body)).toBe(message === "XFRM_MSG_DELSA" ? fixed_header : payload);
    });
  }

  test("is read back as it was made", () => {
    const association = { ...inbound, requestId: 7 };
    expect(xfrm.decodeAssociation(xfrm.describeAssociation(association, key))).toEqual(association);
    const policy: xfrm.Policy = {
      ...{ source: there, destination: here, destinationPort: 6784, mark },
      ...{ direction: "in", action: "allow", template: association },
    };
    expect(xfrm.decodePolicy(xfrm.describePolicy(policy))).toEqual(policy);
    const { template: _, mark: __, ...bare } = policy;
    expect(xfrm.decodePolicy(xfrm.describePolicy({ ...bare, action: "block" }))).toEqual({
      ...bare,
      action: "block",
    });
  });

  test("whose octets are cut short is refused, or read as far as it is clear", () => {
    const policy = made.XFRM_MSG_UPDPOLICY![1];
    for (let length = 0; length < policy.length; length++) {
      try {
        xfrm.decodePolicy(policy.subarray(0, length));
        xfrm.decodeAssociation(policy.subarray(0, length));
      } catch (error) {
        expect(error).toHaveProperty("code", "NETLINK_FORMAT");
      }
    }
  });
});
