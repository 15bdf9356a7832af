import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { knownSecrets } from "../../lib/daemon/incident/known-secrets.ts";
import { makeBundle } from "../../lib/incident/make-bundle.ts";
import { readBundle } from "../../lib/incident/read-bundle.ts";
import { scriptOf } from "../../lib/simulator/incident/script.ts";
import { exampleParts, one, three } from "./example.ts";

const pem = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\n-----END PRIVATE KEY-----";
const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJwbGFudGVkIn0.c2lnbmF0dXJlLXBsYW50ZWQ";

const options = {
  ...{ nickname: "ada", password: "wfvAwt7sj", peers: [] },
  proxy: { tls: { keyFile: "/etc/docker/key.pem" } },
  tracing: {
    headers: ["authorization=Bearer otlp-planted-1", "x-honeycomb-team=otlp-planted-2"],
  },
};
const environment = {
  ...{ PATH: "/usr/bin", HOME: "/root" },
  ...{ OTEL_EXPORTER_OTLP_HEADERS: "api-key=otlp-planted-3", REGISTRY_TOKEN: "registry-planted" },
};

/** Places in which a careless sentence, finding or event could quote a secret. */
const planted: readonly string[] = [
  "wrong password wfvAwt7sj from 192.168.7.9",
  "weave launch --password wfvAwt7sj --trusted-subnets 10.0.0.0/8",
  "weave launch --password='flag-planted' host2",
  "docker -H tcp://10.0.0.1:2376 --tlsverify --tlskey=/root/tls-planted.pem --tlscert /root/cert-planted.pem",
  `cannot read the key: ${pem}`,
  `the cluster refused ${jwt}`,
  "POST https://user:url-planted@collector.example/v1/traces: 401",
  "Authorization: Bearer bearer-planted",
  "http://127.0.0.1:6785/?token=query-planted&x=1",
  "sent authorization=Bearer otlp-planted-1",
  "collector wants x-honeycomb-team=otlp-planted-2 and api-key=otlp-planted-3",
  "container runs with DATABASE_URL=env-planted",
  "registry says registry-planted is expired",
  `session key ${"5e".repeat(32)}`,
  `weave launch --password "two planted words"`,
  "container runs with MOTTO='two planted words'",
];
const forbidden = [
  ...["wfvAwt7sj", "flag-planted", "tls-planted", "cert-planted", "MIIEvQIBADAN", "planted"],
  ...[jwt.slice(0, 30), "5e".repeat(10)],
];

const rules = { secrets: knownSecrets(options, environment), redact: [] };

describe("a bundle", () => {
  test("can be read again, and tells what it told before", () => {
    const parts = exampleParts();
    const { removed, ...rest } = readBundle(JSON.stringify(makeBundle(parts, rules)));
    expect(rest).toEqual(parts);
    expect(removed).toEqual({ secrets: [], redacted: [], leftOut: [] });
  });

  test("has none of the secrets that were planted everywhere, and says how many were taken out", () => {
    const details = {
      ...{
        reason: planted.join("\n"),
        password: "member-planted",
        labels: { app: "label-planted" },
      },
      env: ["A=member-planted"],
      nested: [
        { sessionKey: "member-planted", Token: "10.32.0.0", annotations: ["label-planted"] },
      ],
    };
    const parts = exampleParts({
      events: [{ id: 1, at: "2026-01-02T15:00:00Z", kind: "link.lost", details }],
      findings: planted.map((sentence) => ({ sentence, commands: [sentence] })),
      metrics: planted.join("\n"),
      unexamined: planted.map((why) => ({ what: "doctor", why })),
      policies: planted.map((name) => ({ kind: "NetworkPolicy", namespace: name, name })),
    });
    const document = makeBundle(
      { ...parts, report: { ...parts.report, Version: planted.join(" ") } },
      rules,
    );
    const text = JSON.stringify(document);
    for (const secret of forbidden) expect(text).not.toContain(secret);
    const { removed } = readBundle(text);
    expect(removed.secrets.map(({ what }) => what).sort()).toEqual([
      ...["TLS arguments", "environment values", "keys and certificates", "labels"],
      ...["passwords", "tokens"],
    ]);
    // What is none stays.
    expect(text).toContain('"Token":"10.32.0.0"');
    expect(text).toContain("--trusted-subnets 10.0.0.0/8");
  });

  test("is made soon of texts that are long, whatever is said in them again and again", () => {
    const words = [
      "--secret",
      "token",
      "-tls",
      "eyJaaaaaaaaa-",
      "a.",
      "x://",
      "A_",
      "pass'word=\"",
    ];
    const findings = words.map((word) => ({ sentence: word.repeat(200_000 / word.length) }));
    const bundle = readBundle(JSON.stringify(makeBundle(exampleParts({ findings }), rules)));
    expect(bundle.findings).toHaveLength(words.length);
  });

  test("is whole, also where variables switch something secret on", () => {
    const parts = exampleParts();
    const secrets = knownSecrets({}, { NO_AUTH: "10", TOKENS_ENABLED: "true", GIT_AUTHOR: "ada" });
    const bundle = readBundle(JSON.stringify(makeBundle(parts, { secrets, redact: [] })));
    expect(bundle.report).toEqual(parts.report);
  });

  test("has nothing of a password, whatever that is and wherever it stands", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 6, maxLength: 20 }).filter((text) => text.trim().length >= 6),
        fc.string(),
        fc.string(),
        (password, before, after) => {
          const sentence = `${before}${password}${after}`;
          const parts = exampleParts({ findings: [{ sentence }] });
          const secrets = [{ what: "passwords", value: password }];
          const document = makeBundle(parts, { secrets, redact: [] });
          const [finding] = readBundle(JSON.stringify(document)).findings;
          if ("[passwords removed]".includes(password)) return;
          expect(String(finding?.sentence).split("[passwords removed]").join("\n")).not.toContain(
            password,
          );
        },
      ),
      { seed: 1, numRuns: 300 },
    );
  });

  test("with pseudonyms names nobody, and everybody by one pseudonym", () => {
    const sentence = `eve at 192.168.7.3 is ${three}(eve), web.weave.local is 10.32.85.86, eve's db-7`;
    const parts = exampleParts({
      findings: [
        { kind: "eve", sentence, also: "fe80::1234:5678 02:ab:cd:00:11:22 ::1 127.0.0.1" },
      ],
    });
    const redact = ["addresses", "names"] as const;
    const bundle = readBundle(
      JSON.stringify(makeBundle(parts, { ...rules, redact, names: ["db-7"] })),
    );
    const text = JSON.stringify(bundle);
    for (const real of ["ada", "bob", "192.168.", "8a:00", "web", "10.32.", "shop", "db-7", "c2"]) {
      expect(text).not.toContain(real);
    }
    const [finding] = bundle.findings;
    // Words of ours are no names, whoever is called so.
    expect(finding?.kind).toBe("eve");
    expect(finding?.sentence).toMatch(
      /^host-3 at (198\.18\.\d+\.\d+) is 00:00:00:00:00:03\(host-3\), name-1\.weave\.local is 10\.0\.85\.86, host-3's label-\d$/,
    );
    expect(finding?.also).toMatch(/^fe80::\w+ 02:00:5e:\S+ ::1 127\.0\.0\.1$/);
    const [first, , last] = bundle.report.Router.Peers ?? [];
    expect(first).toMatchObject({ Name: "00:00:00:00:00:01", NickName: "host-1" });
    const address = /198\.18\.\d+\.\d+/.exec(String(finding?.sentence))?.[0];
    expect(first?.Connections?.[1]?.Address).toBe(`${address}:6783`);
    expect(last?.NickName).toBe("host-3");
    expect(bundle.report.IPAM?.Entries?.[1]?.Token).toBe("10.0.85.85");
    expect(bundle.history.topology[0]?.peers).toEqual(["00:00:00:00:00:01", "00:00:00:00:00:03"]);
    expect(bundle.events[1]?.details.reason).toContain(`->${address}:6783`);
  });

  test("with pseudonyms is whole, whatever hosts are called", () => {
    for (const NickName of ["10", "32", "8a", "10.", ".", "-", " ", "2026-", "fe80"]) {
      const { report, ...parts } = exampleParts({
        findings: [{ sentence: `fe80::8a:1 and 10.32.0.1:6783 of host (${NickName})` }],
      });
      const Router = { ...report.Router, NickName };
      const redact = ["names"] as const;
      const document = makeBundle(
        { ...parts, report: { ...report, Router } },
        { ...rules, redact },
      );
      const bundle = readBundle(JSON.stringify(document));
      const tokens = report.IPAM?.Entries?.map(({ Token }) => Token);
      expect(bundle.report.IPAM?.Entries?.map(({ Token }) => Token)).toEqual(tokens);
      expect(bundle.history.since).toBe(parts.history.since);
      expect(bundle.findings[0]?.sentence).toStartWith("fe80::8a:1 and 10.32.0.1:6783 of host (");
      expect(() => scriptOf(bundle)).not.toThrow();
      if (/\w/.test(NickName)) expect(bundle.report.Router.NickName).toBe("host-1");
    }
  });

  test("with pseudonyms names nobody whose connections were ended", () => {
    const flows = ["TCP vault/teller to 10.32.0.9:5432", "ICMP 10.32.0.9 to vault/ledger-0"];
    const event = { id: 9, at: "2026-01-02T15:00:00Z", kind: "policy.cut" };
    const parts = exampleParts({ events: [{ ...event, details: { count: 2, flows } }] });
    const text = JSON.stringify(makeBundle(parts, { ...rules, redact: ["names"] }));
    for (const name of ["vault", "teller", "ledger-0"]) expect(text).not.toContain(name);
    expect(text).toMatch(/TCP label-\d\/label-\d to 10\.32\.0\.9:5432/);
  });

  test("with pseudonyms names nobody who has spoken, also of peers that are gone", () => {
    const origin = "8a:00:00:00:00:07";
    const { history } = exampleParts();
    const gossip = history.gossip.map((each) => ({ ...each, origin }));
    const parts = exampleParts({ history: { ...history, gossip } });
    const text = JSON.stringify(makeBundle(parts, { ...rules, redact: ["names"] }));
    expect(text).not.toContain(origin);
  });

  test("may keep names where only addresses are to go", () => {
    const redact = ["addresses"] as const;
    const text = JSON.stringify(makeBundle(exampleParts(), { ...rules, redact }));
    expect(text).toContain(one);
    expect(text).not.toContain("192.168.");
  });

  test("that would be too long loses the oldest of its longest lists, and says so", () => {
    const gossip = Array.from({ length: 5000 }, (_, sequence) => ({
      ...exampleParts().history.gossip[0]!,
      ...{ sequence, channel: "网络" },
    }));
    const parts = exampleParts({ history: { ...exampleParts().history, gossip } });
    const lengthMax = 50_000;
    const text = JSON.stringify(makeBundle(parts, { ...rules, lengthMax }));
    expect(Buffer.byteLength(text)).toBeLessThan(lengthMax + 500);
    const { history, removed } = readBundle(text);
    expect(history.gossip.at(-1)?.sequence).toBe(4999);
    expect(removed.leftOut).toEqual([
      { what: "history.gossip", count: 5000 - history.gossip.length },
    ]);
  });
});
