import { afterAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dialEngine } from "../../../lib/docker/proxy/dial-engine.ts";
import type { TlsSettings } from "../../../lib/host/tls-files.ts";
import { certificate } from "../certificates.ts";

const text = (name: Parameters<typeof certificate>[0]) => readFileSync(certificate(name), "utf8");

const engine = Bun.listen({
  ...{ hostname: "127.0.0.1", port: 0 },
  tls: { cert: text("engine"), key: text("engine-key") },
  socket: {
    data(socket, bytes) {
      socket.end(`heard ${bytes}`);
    },
  },
});
afterAll(() => engine.stop(true));

function dial(tls: TlsSettings | undefined, port = engine.port) {
  return dialEngine({ kind: "tcp", authority: `127.0.0.1:${port}`, tls: undefined }, tls);
}

describe("a connection to the engine by TLS", () => {
  test("carries octets once the engine has shown that it is the one", async () => {
    const stream = await dial({ ca: text("authority"), rejectUnauthorized: true });
    await stream.write(Buffer.from("this"));
    expect(String(await stream.read())).toBe("heard this");
    expect(await stream.read()).toBeUndefined();
    stream.close();
  });

  test("is not made with one that another authority has signed, unless nobody looks", async () => {
    for (const settings of [{ ca: text("stranger") }, {}]) {
      expect(dial({ ...settings, rejectUnauthorized: true })).rejects.toMatchObject({
        ...{ code: "ENGINE_UNREACHABLE", message: expect.stringContaining("certificate") },
      });
    }
    const stream = await dial({ rejectUnauthorized: false });
    stream.close();
  });

  test("is refused with a sentence where nobody listens", () => {
    expect(dial(undefined, 1)).rejects.toThrow("Could not connect to target: 127.0.0.1:1");
  });
});
