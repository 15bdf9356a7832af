import { describe, expect, test } from "bun:test";
import { mergeTls, tlsOfArguments, tlsOfConfig } from "../../../lib/docker/proxy/detect-tls.ts";
import { proxyTls } from "../../../lib/docker/proxy/proxy-tls.ts";

const words = (text: string) => tlsOfArguments({ words: text.split(" "), folder: "/srv" });

describe("how the engine serves TLS", () => {
  test.each([
    ["dockerd -H fd://", {}],
    ["dockerd --tls", { enabled: true }],
    ["dockerd --tls=false --tlsverify=1", { enabled: false, verify: true }],
    ["dockerd --tlsverify --tlscert=/c.pem", { verify: true, cert: "/c.pem" }],
    ["dockerd --tlscacert ca.pem --tlskey k.pem", { ca: "/srv/ca.pem", key: "/srv/k.pem" }],
  ])("is read from %p", (text, options) => {
    expect(words(text)).toEqual(options);
  });

  test("is read from its configuration, where the arguments do not say it", () => {
    const file = tlsOfConfig('{"tlsverify":true,"tlscacert":"/ca.pem","hosts":[],"tlskey":7}');
    expect(file).toEqual({ verify: true, ca: "/ca.pem" });
    expect(mergeTls(words("dockerd --tlscacert=/other.pem"), file)).toEqual({
      ...{ enabled: true, verify: true, ca: "/other.pem" },
    });
    expect(mergeTls({}, {})).toEqual({ enabled: false, verify: false });
    for (const text of ["", "{", "null", "[]"]) expect(tlsOfConfig(text)).toEqual({});
  });

  test("is taken over unless something was said", () => {
    const detect = () => ({ enabled: true, verify: false });
    const off = { enabled: false, verify: false, ca: "", cert: "", key: "" };
    expect(proxyTls(undefined, detect)).toBeDefined();
    expect(proxyTls(undefined, () => undefined)).toBeUndefined();
    expect(proxyTls(off, detect)).toBeUndefined();
  });
});
