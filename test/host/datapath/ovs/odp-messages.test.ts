import { describe, expect, test } from "bun:test";
import { fromHex, toHex } from "../../../../lib/base/bytes.ts";
import { parseIpv4 } from "../../../../lib/base/ip.ts";
import * as flows from "../../../../lib/host/datapath/ovs/flow-message.ts";
import * as vports from "../../../../lib/host/datapath/ovs/vport-message.ts";
import { familyQuery } from "../../../../lib/host/netlink/generic.ts";
import { decodeMessages } from "../../../../lib/host/netlink/message.ts";
import { makeVni } from "../../../../lib/overlay/fastdp/vni.ts";
import recorded from "../../../vectors/fastdp/odp-messages.json";

const datapath = 7;
const [here, next, beyond] = ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map(parseIpv4) as [
  number,
  number,
  number,
];
const local = 1;
const vxlan = 2;
const macs = { source: 0xfe4100000001, destination: 0xfe4100000002 };
const vni = makeVni(0x0a1, 0xb02);
const any = { macs: undefined, vlanType: undefined, mark: undefined, tunnel: undefined };
const captured: flows.FlowMatch = { ...any, inPort: local, macs };
const received: flows.FlowMatch = {
  ...any,
  inPort: vxlan,
  macs,
  tunnel: { vni, source: next, destination: here },
};
const through = (destination: number): flows.FlowAction[] => [
  { kind: "tunnel", key: { vni, source: here, destination } },
  { kind: "output", port: vxlan },
];
const zeroMacs = { source: 0, destination: 0 };

/** Every recorded message, and what makes the same octets here. */
const sent: Record<string, () => Uint8Array> = {
  "resolve the generic netlink family ovs_datapath": () => familyQuery("ovs_datapath"),
  'create datapath "datapath"': () => vports.createDatapath("datapath"),
  "look up datapath by name": () => vports.findDatapath("datapath"),
  "delete datapath with ifindex 7": () => vports.deleteDatapath(datapath),
  "add netdev vport vethwe-datapath": () => vports.addNetdev(datapath, "vethwe-datapath"),
  "add vxlan vport vxlan-6784 (port attribute is host byte order)": () =>
    vports.addVxlan(datapath, "vxlan-6784", 6784),
  "dump vports": () => vports.listVports(datapath),
  "send misses of vport 2 to netlink port 0xabcd1234": () =>
    vports.setUpcallPort(datapath, vxlan, 0xabcd1234),
  "delete vport 2": () => vports.deleteVport(datapath, vxlan),
  "flow: local port 1, unicast MAC pair -> encapsulate to 10.0.0.2": () =>
    flows.createFlow(datapath, captured, through(next)),
  "flow: from tunnel, unicast MAC pair -> local port 1": () =>
    flows.createFlow(datapath, received, [{ kind: "output", port: local }]),
  "flow that would do the relay in the kernel (suggested, not sent by the original): same tunnel id to the next hop 10.0.0.3":
    () => flows.createFlow(datapath, received, through(beyond)),
  "flow: discard (empty action list)": () => flows.createFlow(datapath, captured, []),
  "delete a flow": () => flows.deleteFlow(datapath, captured),
  "dump flows": () => flows.listFlows(datapath),
  "execute: send a 24-octet heartbeat frame through the tunnel": () =>
    flows.executeFrame(datapath, new Uint8Array(24), through(next)),
};

/** What only others send; it must still be understood. */
const read: Record<string, object> = {
  "look up vport 2": { number: vxlan },
  "flow as the original installs it for a relayed frame: the Ethernet key is a default of all-zero addresses with an all-ones mask, so it never matches the relayed traffic":
    { match: { ...received, macs: zeroMacs }, actions: through(beyond) },
  "clear the counters of a flow": { match: captured, actions: through(next) },
};

describe("a message to the openvswitch module", () => {
  for (const { what, netlink_message } of recorded.messages) {
    const bytes = fromHex(netlink_message);
    const [message] = decodeMessages(bytes);
    const make = sent[what];
    test(`is what others send or read as they mean it: ${what}`, () => {
      if (make === undefined) {
        const decode = what.includes("vport") ? vports.decodeVport : flows.decodeFlow;
        expect(decode(message!.body)).toMatchObject(read[what]!);
        return;
      }
      // The padding of the last attribute may or may not be counted.
      const padded = Math.ceil(message!.body.length / 4) * 8;
      expect(toHex(make())).toBe(toHex(message!.body).padEnd(padded, "0"));
    });
  }
});

describe("a flow", () => {
  const mixed: flows.FlowMatch = { ...any, inPort: 3, mark: 0x0112_3456, vlanType: 0x8100 };

  test("is read back as it was made, with tag, mark and actions in their order", () => {
    const actions: flows.FlowAction[] = [
      { kind: "mark", mark: 0 },
      { kind: "output", port: 1 },
      ...through(beyond),
      {
        kind: "ifLonger",
        octets: 1364,
        longer: [
          { kind: "mark", mark: 0x0100_1002 },
          { kind: "output", port: 4 },
        ],
        otherwise: through(next),
      },
      { kind: "mark", mark: 0x0100_1002 },
      { kind: "output", port: 4 },
    ];
    const id = new Uint8Array(flows.flowIdBytes).fill(0x5a);
    const dumped = flows.decodeFlow(flows.createFlow(datapath, mixed, actions, id));
    expect(dumped).toEqual({
      id: "5a".repeat(16),
      packets: 0,
      bytes: 0,
      match: mixed,
      actions,
    });
  });

  test("for a relay matches by its tunnel key, whatever its addresses", () => {
    const relay = { ...received, macs: undefined };
    expect(flows.decodeFlow(flows.createFlow(datapath, relay, [])).match).toEqual(relay);
  });

  test("whose octets are cut short is refused, or read as far as it is clear", () => {
    const whole = flows.createFlow(datapath, received, through(beyond));
    for (let length = 0; length < whole.length; length++) {
      try {
        flows.decodeFlow(whole.subarray(0, length));
        flows.decodeMiss(whole.subarray(0, length));
        vports.decodeVport(whole.subarray(0, length));
      } catch (error) {
        expect(error).toHaveProperty("code", "NETLINK_FORMAT");
      }
    }
  });
});
