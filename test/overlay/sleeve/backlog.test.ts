import { expect, test } from "bun:test";
import { Backlog, backlogMaxOctets } from "../../../lib/overlay/sleeve/backlog.ts";

const datagram = (first: number): Uint8Array => new Uint8Array(1000).fill(first);

test("datagrams leave in the order they came, until the socket is full again", () => {
  const backlog = new Backlog();
  for (const first of [1, 2, 3]) backlog.push(first === 2, datagram(first), 1000);
  const sent: [number, boolean][] = [];
  let room = 2;
  backlog.drain(({ df, bytes }) => {
    if (room-- === 0) return false;
    sent.push([bytes[0]!, df]);
    return true;
  });
  expect(sent).toEqual([
    [1, false],
    [2, true],
  ]);
  expect(backlog.octets).toBe(1000);
  backlog.drain(() => true);
  expect(backlog.empty).toBe(true);
  expect(backlog.octets).toBe(0);
});

test("a datagram is kept as it was, whatever becomes of its buffer", () => {
  const backlog = new Backlog();
  const buffer = datagram(7);
  backlog.push(true, buffer, 10);
  buffer.fill(0);
  backlog.drain(({ bytes }) => {
    expect(bytes).toEqual(new Uint8Array(10).fill(7));
    return true;
  });
});

test("a full backlog drops the newest and holds its bound", () => {
  const backlog = new Backlog();
  let kept = 0;
  for (let i = 0; i < 2000; i++) if (backlog.push(true, datagram(i), 1000)) kept++;
  expect(kept).toBe(Math.floor(backlogMaxOctets / 1000));
  expect(backlog.octets).toBeLessThanOrEqual(backlogMaxOctets);
});
