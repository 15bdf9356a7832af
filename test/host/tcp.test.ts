import { describe, expect, test } from "bun:test";
import type { WeaveError } from "../../lib/base/errors.ts";
import { listenTcp, TcpTransport } from "../../lib/host/tcp.ts";
import type { ByteStream } from "../../lib/mesh/transport.ts";

const transport = new TcpTransport("127.0.0.9");

function dial(port: number): Promise<ByteStream> {
  return new Promise((opened, failed) => {
    transport.dial({ host: "127.0.0.1", port }, { opened, failed });
  });
}

/** Collects a stream until it closes. */
function collect(stream: ByteStream): Promise<{ bytes: number; error: WeaveError | undefined }> {
  return new Promise((resolve) => {
    let bytes = 0;
    stream.listen({
      data: (chunk) => {
        bytes += chunk.length;
      },
      closed: (error) => resolve({ bytes, error }),
    });
  });
}

describe("TCP", () => {
  test("carries everything written before the end, from the chosen source address", async () => {
    const accepted = Promise.withResolvers<ByteStream>();
    const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, accepted.resolve);
    const stream = await dial(listener.endpoint.port);
    stream.listen({ data() {}, closed() {} });
    const server = await accepted.promise;
    const received = collect(server);
    stream.write(new Uint8Array(5_000_000));
    expect(stream.backlogBytes).toBeGreaterThan(0);
    stream.end();
    expect(await received).toEqual({ bytes: 5_000_000, error: undefined });
    expect(server.remote).toEqual({ host: "127.0.0.9", port: stream.local.port });
    expect(server.local).toEqual(stream.remote);
    await listener.close();
  });

  test("has the kernel watch over both ends, and knows how long the way is", async () => {
    const accepted = Promise.withResolvers<ByteStream>();
    const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, accepted.resolve);
    const stream = await dial(listener.endpoint.port);
    const server = await accepted.promise;
    const ends = [collect(stream), collect(server)];
    for (const end of [stream, server]) {
      const ss = Bun.spawnSync(["ss", "-tnoiH", `sport = :${end.local.port}`]).stdout.toString();
      expect(ss).toMatch(/timer:\(keepalive,[\d.]+m?s\w*,0\)/);
      expect(String(end.roundTripMs)).toBe(/ rtt:([\d.]+)\//.exec(ss)![1]!);
    }
    stream.end();
    await Promise.all(ends);
    expect(stream.roundTripMs).toBeUndefined();
    await listener.close();
  });

  test("sends nothing larger than what every path carries, in both directions", async () => {
    const accepted = Promise.withResolvers<ByteStream>();
    const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, accepted.resolve);
    const { port } = listener.endpoint;
    const stream = await dial(port);
    const ends = [stream, await accepted.promise].map(collect);
    const seen = Bun.spawnSync(["ss", "-tinH", `( sport = :${port} or dport = :${port} )`]);
    const sizes = [...seen.stdout.toString().matchAll(/\bmss:(\d+)/g)].map(([, size]) =>
      Number(size),
    );
    expect(sizes).toHaveLength(2);
    for (const size of sizes) expect(size + 40 + 20).toBeLessThanOrEqual(1280);
    stream.end();
    await Promise.all(ends);
    await listener.close();
  });

  test("tells a reset from an orderly end", async () => {
    const accepted = Promise.withResolvers<ByteStream>();
    const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, accepted.resolve);
    const stream = await dial(listener.endpoint.port);
    const end = collect(stream);
    const server = await accepted.promise;
    const serverEnd = collect(server);
    server.reset();
    expect((await end).error?.code).toBe("TCP_ECONNRESET");
    expect((await serverEnd).error).toBeUndefined();
    await listener.close();
  });

  test("says why a dial failed", async () => {
    const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, () => {});
    const { port } = listener.endpoint;
    await listener.close();
    const failure = await dial(port).catch((error: WeaveError) => error);
    expect(failure).toHaveProperty("code", "TCP_ECONNREFUSED");
    expect(failure).toHaveProperty(
      "message",
      `dial tcp 127.0.0.1:${port}: connect: connection refused`,
    );
  });

  test("says so when this host has no address from which to dial", async () => {
    const to = { host: "::1", port: 9 };
    const failure = await new Promise((opened, failed) => {
      transport.dial(to, { opened, failed });
    }).catch((error: WeaveError) => error);
    expect(failure).toMatchObject({
      code: "TCP_EAFNOSUPPORT",
      message: "dial tcp [::1]:9: connect: this host has no address of that family",
    });
  });

  test("refuses a port in use with the remedy", async () => {
    const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, () => {});
    await expect(listenTcp(listener.endpoint, () => {})).rejects.toMatchObject({
      ...{ code: "TCP_LISTEN", remedy: expect.stringContaining("stop what uses the port") },
    });
    await listener.close();
  });

  test("refuses an address of another host, and blames no port for it", async () => {
    await expect(listenTcp({ host: "192.0.2.1", port: 6783 }, () => {})).rejects.toMatchObject({
      code: "TCP_LISTEN",
      message: "cannot listen on TCP 192.0.2.1:6783: this host has no such address",
      remedy: expect.stringContaining("--host"),
    });
  });

  test("reports a name that does not exist", async () => {
    const answer = await new Promise((done) => {
      transport.resolve("no-such-host.invalid", done);
    });
    expect(answer).toHaveProperty("code", "RESOLVE_FAILED");
  });
});
