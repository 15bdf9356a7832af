import { expect, test } from "bun:test";
import { exportTraceRequest, type SpanRecord } from "../../lib/wire/otlp-trace.ts";

const span: SpanRecord = {
  traceId: "5b8efff798038103d269b633813fc60c",
  spanId: "eee19b7ec3c1b174",
  parentSpanId: "eee19b7ec3c1b173",
  name: "make interface",
  kind: "server",
  startNs: 1_544_712_660_000_000_001n,
  endNs: 1_544_712_661_000_000_000n,
  attributes: {
    "container.id": "c1",
    count: 3,
    ratio: 0.5,
    large: 2 ** 60,
    new: true,
    list: ["a"],
  },
  events: [{ atNs: 1_544_712_660_300_000_000n, name: "waiting", attributes: {} }],
  failure: "no room",
};

test("spans are what a collector reads of OTLP in JSON, letter for letter", () => {
  const { parentSpanId: _, failure: __, ...first } = span;
  const root: SpanRecord = { ...first, kind: "internal", attributes: {}, events: [] };
  const scope = { name: "weave", version: "3.0.0" };
  expect(JSON.stringify(exportTraceRequest([span, root], { "service.name": "weave" }, scope))).toBe(
    '{"resourceSpans":[{' +
      '"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"weave"}}]},' +
      '"scopeSpans":[{"scope":{"name":"weave","version":"3.0.0"},"spans":[' +
      '{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174",' +
      '"parentSpanId":"eee19b7ec3c1b173","name":"make interface","kind":2,' +
      '"startTimeUnixNano":"1544712660000000001","endTimeUnixNano":"1544712661000000000",' +
      '"attributes":[{"key":"container.id","value":{"stringValue":"c1"}},' +
      '{"key":"count","value":{"intValue":"3"}},{"key":"ratio","value":{"doubleValue":0.5}},' +
      '{"key":"large","value":{"doubleValue":1152921504606847000}},' +
      '{"key":"new","value":{"boolValue":true}},' +
      '{"key":"list","value":{"arrayValue":{"values":[{"stringValue":"a"}]}}}],' +
      '"events":[{"timeUnixNano":"1544712660300000000","name":"waiting","attributes":[]}],' +
      '"status":{"code":2,"message":"no room"}},' +
      '{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174",' +
      '"name":"make interface","kind":1,' +
      '"startTimeUnixNano":"1544712660000000001","endTimeUnixNano":"1544712661000000000",' +
      '"attributes":[],"events":[],"status":{}}]}]}]}',
  );
});
