import type { PeerName } from "../lib/base/peer-name.ts";
import { silentLog } from "../lib/base/world.ts";
import { openAead } from "../lib/host/aead.ts";
import { openSecretBox } from "../lib/host/secret-box.ts";
import { SleeveEngine } from "../lib/overlay/sleeve/engine.ts";
import { generationSecrets } from "../lib/overlay/sleeve/key-ratchet.ts";
import type { SleevePorts } from "../lib/overlay/sleeve/ports.ts";

/**
 * How many frames per second two sleeve engines pass from one bridge to the other, in one thread
 * and in memory: routing, packing, sealing, opening and unpacking, without any system call.
 *
 *   bun bench/sleeve-core.ts
 */
const burstFrames = 32;
const seconds = 2;
const addresses = [0x0a090001, 0x0a090002] as const;
const port = 6783;
const link = 1;

interface Pair {
  /** Passes one burst of frames from the first engine's bridge to the second's. */
  burst(frame: Uint8Array): void;
  injected(): number;
}

/** How the datagrams of a link are sealed, if at all. */
type Cipher = "clear" | "secretbox" | "aes-256-gcm";

const sessionKey = new Uint8Array(32).fill(5);

function connectedPair(cipher: Cipher): Pair {
  const names = [0x7a9febb60c6e as PeerName, 0xde3a11004201 as PeerName] as const;
  const engines: SleeveEngine[] = [];
  const queue: { to: number; bytes: Uint8Array; length: number }[] = [];
  const spare: Uint8Array[] = [];
  const controls: (() => void)[] = [];
  let injected = 0;

  const deliver = (): void => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { to, bytes, length } = next;
      engines[to]!.received(bytes, 0, length, addresses[1 - to]!, port);
      spare.push(bytes);
    }
    for (const engine of engines) engine.flush();
  };
  const settle = (): void => {
    while (queue.length > 0 || controls.length > 0) {
      deliver();
      controls.shift()?.();
    }
  };
  for (const [self, local] of names.entries()) {
    const ports: SleevePorts = {
      send(_link, _to, df, datagram, length) {
        if (df && length > 1472) return { pathMtu: 1500 };
        const bytes = spare.pop() ?? new Uint8Array(65_536);
        bytes.set(datagram.subarray(0, length));
        queue.push({ to: 1 - self, bytes, length });
        return "sent";
      },
      flush() {},
      inject: () => void injected++,
    };
    engines.push(
      new SleeveEngine({
        world: { monotonicMs: () => performance.now(), log: silentLog },
        local,
        ports,
        secretBox: openSecretBox(),
        aead: openAead(),
        events: {
          established() {},
          mtuChanged() {},
          remoteMoved() {},
          failed() {},
          controlOut: (_link, tag, body) =>
            void controls.push(() => engines[1 - self]!.control(link, tag, body)),
        },
      }),
    );
  }
  for (const [self, engine] of engines.entries()) {
    engine.setTopology({
      peers: names.map((name) => ({ name, nickname: "", shortId: undefined })),
      links: [names],
    });
    engine.prepare(link, {
      remote: names[1 - self]!,
      connectionUid: 7n,
      outbound: self === 0,
      localIp: addresses[self]!,
      remoteIp: addresses[1 - self]!,
      remotePort: port,
      ...sealOf(cipher, names[self]!, names[1 - self]!),
    });
  }
  for (const engine of engines) engine.confirm(link);
  settle();
  // The receiver's container has spoken, so frames for it are unicast.
  const hello = new Uint8Array(60).fill(0xff, 0, 6);
  hello.set([0xfe, 0x41, 0, 0, 0, 2], 6);
  engines[1]!.captured(hello, 0, hello.length);
  engines[1]!.flush();
  settle();
  return {
    burst(frame) {
      for (let i = 0; i < burstFrames; i++) engines[0]!.captured(frame, 0, frame.length);
      engines[0]!.flush();
      deliver();
    },
    injected: () => injected,
  };
}

function sealOf(cipher: Cipher, local: PeerName, remote: PeerName) {
  if (cipher === "clear") return { key: undefined };
  if (cipher === "secretbox") return { key: sessionKey };
  return { key: undefined, secrets: generationSecrets({ sessionKey, local, remote }, 0) };
}

function ipv4Frame(length: number): Uint8Array {
  const frame = new Uint8Array(length).fill(7);
  frame.set([0xfe, 0x41, 0, 0, 0, 2, 0xfe, 0x41, 0, 0, 0, 1, 8, 0, 0x45, 0]);
  frame.set([(length - 14) >> 8, (length - 14) & 255, 0, 1, 0x40, 0, 64, 17, 0, 0], 16);
  frame.set([10, 2, 1, 4, 10, 2, 1, 7], 26);
  return frame;
}

for (const how of ["clear", "secretbox", "aes-256-gcm"] as const) {
  for (const length of [64, 1400]) {
    const pair = connectedPair(how);
    const frame = ipv4Frame(length);
    for (let i = 0; i < 200; i++) pair.burst(frame);
    const before = pair.injected();
    const startMs = performance.now();
    while (performance.now() - startMs < seconds * 1000) pair.burst(frame);
    const elapsed = (performance.now() - startMs) / 1000;
    const frames = (pair.injected() - before) / elapsed;
    const gigabits = (frames * length * 8) / 1e9;
    console.log(
      `${how.padEnd(11)} ${String(length).padStart(5)} octets: ${Math.round(frames / 1000)} k frames/s, ${gigabits.toFixed(2)} Gbit/s`,
    );
  }
}
