import { describe, expect, test } from "bun:test";
import {
  briefHeartbeatLength,
  fullHeartbeatLength,
  isFullHeartbeat,
  isHeartbeatOf,
  writeHeartbeat,
} from "../../../lib/overlay/fastdp/heartbeat.ts";
import vectors from "../../vectors/fastdp/heartbeat.json";
import { type VectorBytes, vectorBytes } from "../vectors.ts";

describe("a heartbeat", () => {
  for (const vector of vectors.cases) {
    const { conn_uid, datapath_mtu, frame, frame_len, outer_ip_packet_len } = vector;
    test(`of connection ${conn_uid} is as long as the longest frame at MTU ${datapath_mtu}`, () => {
      const length = fullHeartbeatLength(datapath_mtu);
      expect(length).toBe(frame_len);
      expect(length + 20 + 8 + 8).toBe(outer_ip_packet_len);
      const ours = writeHeartbeat(BigInt(conn_uid), length);
      expect(ours).toEqual(vectorBytes(frame as VectorBytes));
      expect(BigInt(`0x${vector.conn_uid_hex}`)).toBe(BigInt(conn_uid));
      expect(isHeartbeatOf(BigInt(conn_uid), ours, length)).toBe(true);
      expect(isFullHeartbeat(length)).toBe(true);
    });
  }

  for (const vector of vectors.acceptance) {
    test(`is ${vector.accepted ? "accepted" : "ignored"}: ${vector.description}`, () => {
      const uid = BigInt(`0x${vector.expected_conn_uid_hex}`);
      const frame = vectorBytes(vector.frame as VectorBytes);
      expect(frame.length).toBe(vector.len);
      expect(isHeartbeatOf(uid, frame, vector.len)).toBe(vector.accepted);
      // A datapath may hand over the beginning only.
      expect(isHeartbeatOf(uid, frame.subarray(0, 24), vector.len)).toBe(vector.accepted);
    });
  }

  test("with anything but zeros before its UID is none", () => {
    for (let at = 0; at < 14; at++) {
      const frame = writeHeartbeat(9n, 100);
      frame[at] = 1;
      expect(isHeartbeatOf(9n, frame, 100)).toBe(false);
    }
  });

  test("that is brief differs from a full one at any MTU in use", () => {
    expect(isFullHeartbeat(briefHeartbeatLength)).toBe(false);
    expect(isFullHeartbeat(fullHeartbeatLength(576))).toBe(true);
  });
});
