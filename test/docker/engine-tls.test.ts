import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EngineClient } from "../../lib/docker/engine-client.ts";
import { engineTlsError } from "../../lib/docker/engine-tls.ts";
import { TlsFileReader, type TlsFiles } from "../../lib/host/tls-files.ts";
import { certificate } from "./certificates.ts";

const trusted: TlsFiles = {
  caFile: certificate("authority"),
  certFile: certificate("client"),
  keyFile: certificate("client-key"),
  verify: true,
};

describe("an engine that asks for certificates", () => {
  let server: Bun.Server<undefined>;
  const text = (name: Parameters<typeof certificate>[0]) => readFileSync(certificate(name), "utf8");

  beforeAll(() => {
    server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      tls: {
        cert: text("engine"),
        key: text("engine-key"),
        ca: text("authority"),
        requestCert: true,
        rejectUnauthorized: true,
      },
      fetch: ({ url }) =>
        url.endsWith("/_ping")
          ? new Response("OK", { headers: { "Api-Version": "1.41" } })
          : Response.json({ ServerVersion: "1" }),
    });
  });
  afterAll(() => server.stop(true));

  const ask = (tls: TlsFiles) =>
    new EngineClient(`tcp://127.0.0.1:${server.port}`, { tls }).request({ path: "/info" });

  test("answers whom its authority has signed for", async () => {
    expect(await ask(trusted)).toEqual({ ServerVersion: "1" });
  });

  test("does not answer others", async () => {
    const stranger = {
      certFile: certificate("stranger-client"),
      keyFile: certificate("stranger-client-key"),
    };
    for (const tls of [
      { ...trusted, ...stranger },
      { caFile: trusted.caFile, verify: true },
    ]) {
      await expect(ask(tls)).rejects.toHaveProperty("code", "ENGINE_UNREACHABLE");
    }
  });

  test("is not spoken to when another authority has signed it, unless nobody looks", async () => {
    const wrong = { ...trusted, caFile: certificate("stranger") };
    await expect(ask(wrong)).rejects.toHaveProperty("code", "ENGINE_UNREACHABLE");
    expect(await ask({ ...wrong, verify: false })).toEqual({ ServerVersion: "1" });
  });
});

describe("files of certificates", () => {
  const folder = mkdtempSync(join(tmpdir(), "weave-tls-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string) => join(folder, name);
  const files = { certFile: file("cert.pem"), keyFile: file("key.pem"), verify: true };

  test("are read again when they have changed, and stay as they were while they are not whole", () => {
    copyFileSync(certificate("client"), files.certFile);
    copyFileSync(certificate("client-key"), files.keyFile);
    const reader = new TlsFileReader(files, engineTlsError);
    const before = reader.current();
    expect(reader.current()).toBe(before);
    writeFileSync(files.certFile, "-----BEGIN CERTIFICATE-----\nhalf");
    expect(reader.current()).toBe(before);
    copyFileSync(certificate("stranger-client"), files.certFile);
    copyFileSync(certificate("stranger-client-key"), files.keyFile);
    expect(reader.current()).toEqual({
      cert: readFileSync(certificate("stranger-client"), "utf8"),
      key: readFileSync(certificate("stranger-client-key"), "utf8"),
      rejectUnauthorized: true,
    });
  });

  test("that are missing, no PEM or without their key are an error that names them", () => {
    writeFileSync(file("junk.pem"), "junk");
    const examples: readonly [TlsFiles, string][] = [
      [{ caFile: file("none.pem"), verify: true }, "none.pem cannot be read"],
      [{ caFile: file("junk.pem"), verify: true }, "junk.pem is no PEM file"],
      [{ certFile: files.certFile, verify: true }, "cert.pem without its key"],
      [{ keyFile: files.keyFile, verify: true }, "key.pem without its certificate"],
    ];
    for (const [given, message] of examples) {
      expect(() => new TlsFileReader(given, engineTlsError).current()).toThrow(message);
    }
  });
});
