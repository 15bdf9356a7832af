import { describe, expect, test } from "bun:test";
import type { DnsReport } from "../../lib/api/dns-report.ts";
import type { DockerReport } from "../../lib/api/docker-report.ts";
import { goJson } from "../../lib/api/go-json.ts";
import type { IpamReport } from "../../lib/api/ipam-report.ts";
import type { RouterReport } from "../../lib/api/router-report.ts";
import {
  connectionsText,
  dnsText,
  ipamText,
  peersText,
  targetsText,
} from "../../lib/api/status-tables.ts";
import { statusText } from "../../lib/api/status-text.ts";
import dnsStatus from "../vectors/dns/status.json";
import ipamStatus from "../vectors/ipam/status.json";
import statusTexts from "../vectors/ipam/status_text.json";
import meshStatus from "../vectors/mesh/status.json";
import { emptyReport } from "./empty-report.ts";

const self = "01:00:00:00:00:01";

const base = emptyReport(self);
const { Router: router } = base;

describe("the text of status", () => {
  for (const { command, name, text, ...services } of statusTexts.cases) {
    const ipam = (services as { ipam?: IpamReport }).ipam;
    const dns = (services as { dns?: DnsReport }).dns;
    test(`'weave ${command}' of ${name} is the original's`, () => {
      const report = {
        ...base,
        ...(ipam === undefined ? {} : { IPAM: ipam }),
        ...(dns === undefined ? {} : { DNS: dns }),
      };
      if (command === "status ipam") expect(ipamText(ipam!, self)).toBe(text);
      else if (command === "status dns") expect(dnsText(dns!)).toBe(text);
      else expect(statusText(report)).toBe(text);
    });
  }

  for (const { name, json, text } of meshStatus.cases) {
    test(`'weave status connections' of a connection ${name}`, () => {
      const Connections = json as unknown[] as RouterReport["Connections"];
      expect(connectionsText({ ...router, Connections })).toBe(text);
    });
  }

  test("the summary counts connections by state and peers by link", () => {
    const connection = (State: string) => ({
      Address: "10.0.0.2:6783",
      Outbound: true,
      State,
      Info: "",
      Attrs: null,
    });
    const link = { Name: "::2", NickName: "n2", Address: "10.0.0.2:6783", Outbound: true };
    const text = statusText({
      ...base,
      Router: {
        ...router,
        Encryption: true,
        Targets: ["a", "b"],
        TrustedSubnets: ["10.0.0.0/8", "1.2.3.4/30"],
        Connections: ["waiting", "retrying", "established", "established"].map(connection),
        Peers: [
          {
            Name: self,
            NickName: "host1",
            UID: 1n,
            ShortID: 1,
            Version: 1,
            Connections: [
              { ...link, Established: true },
              { ...link, Established: false },
            ],
          },
        ],
      },
    });
    expect(text).toContain("    Connections: 4 (2 established, 1 retrying)\n");
    expect(text).toContain("          Peers: 1 (with 1 established, 1 pending connections)\n");
    expect(text).toContain(" TrustedSubnets: 10.0.0.0/8, 1.2.3.4/30\n");
    expect(text).toContain("     Encryption: enabled\n");
  });

  test("peers and targets are listed as the original lists them", () => {
    const Connections = [
      {
        Name: "02:00:00:00:00:02",
        NickName: "host2",
        Address: "10.0.0.2:6783",
        Outbound: false,
        Established: true,
      },
    ];
    const peer = { Name: self, NickName: "host1", UID: 1n, ShortID: 1, Version: 1, Connections };
    expect(peersText({ ...router, Peers: [peer] })).toBe(
      "01:00:00:00:00:01(host1)\n" +
        "   <- 10.0.0.2:6783         02:00:00:00:00:02(host2)              established\n",
    );
    expect(targetsText({ ...router, Targets: ["host2", "10.0.0.3:6783"] })).toBe(
      "host2\n10.0.0.3:6783\n",
    );
  });
});

describe("the part of 'weave status' for a Docker engine", () => {
  const docker: DockerReport = {
    ...{ Endpoint: "unix:///d.sock", TLS: false, APIVersion: "1.51", Attached: 2 },
    ...{ Since: "2026-01-02T00:00:00.000Z", LastError: "", LastErrorAt: "" },
  };
  const shown = (changes: Partial<DockerReport>) =>
    statusText({ ...base, Docker: { ...docker, ...changes } }).split("Service: docker\n")[1];

  test("says since when its events are followed", () => {
    expect(shown({})).toBe(
      "       Endpoint: unix:///d.sock\n" +
        "     APIVersion: 1.51\n" +
        "         Status: connected since 2026-01-02T00:00:00.000Z\n" +
        "       Attached: 2\n",
    );
  });

  test("says why they are not, and what to do when that is a trouble", () => {
    const LastError = "no Docker engine answers";
    const lost = { Since: "", LastError, Trouble: { Code: "X", Message: LastError, Remedy: "y" } };
    expect(shown({ ...lost, Attached: 0 })).toBe(
      "       Endpoint: unix:///d.sock\n" +
        "         Status: not connected: no Docker engine answers\n" +
        "         Remedy: y\n" +
        "       Attached: 0\n",
    );
    expect(shown({ Since: "" })).toContain("Status: not connected: asking\n");
  });
});

describe("report JSON", () => {
  test("members keep their order and spelling", () => {
    for (const { json_text } of [...ipamStatus.cases, ...dnsStatus.cases]) {
      expect(goJson(JSON.parse(json_text))).toBe(json_text);
    }
  });

  test("64-bit numbers are exact and Go's escapes are kept", () => {
    expect(goJson({ UID: 18446744073709551615n, a: "<&>\u2028\b", b: undefined })).toBe(
      '{"UID":18446744073709551615,"a":"\\u003c\\u0026\\u003e\\u2028\\u0008"}',
    );
  });

  test("indentation is Go's, also for empty lists", () => {
    expect(goJson({ a: [], b: {}, c: [1, { d: null }] }, "    ")).toBe(
      '{\n    "a": [],\n    "b": {},\n    "c": [\n        1,\n        {\n            "d": null\n        }\n    ]\n}',
    );
  });
});
