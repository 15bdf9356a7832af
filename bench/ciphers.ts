import { aeadHeadSize } from "../lib/base/aead.ts";
import { portableSecretBox, type SecretBox, sealInPlace } from "../lib/base/secret-box.ts";
import { aeadsHere } from "../lib/host/aead.ts";
import { openSecretBox } from "../lib/host/secret-box.ts";
import { inTurn, median, shown } from "./measure.ts";

/**
 * Processor time that each cipher takes for one datagram of sleeve, by size and implementation.
 * Sealing and opening cost the same within the noise; sealing is shown.
 *
 *   bun run bench ciphers
 */
const sizes = [64, 1400, 8900];
const rounds = 5;
const datagrams = 50_000;
/** As many different places in memory, as in a batch of datagrams. */
const places = 64;
const stride = 9000 + aeadHeadSize;

type Seal = (at: number, length: number) => void;

const buffer = new Uint8Array(places * stride);
const key = new Uint8Array(32).fill(7);

function boxed(box: SecretBox): Seal {
  const nonce = new Uint8Array(24);
  const run = { buffer, at: 0, length: 0 };
  return (at, length) => {
    nonce[16]!++;
    run.at = at;
    run.length = length + 16;
    sealInPlace(box, run, nonce, key);
  };
}

const ciphers: readonly (readonly [string, Seal])[] = [
  ...[...aeadsHere()].map((aead) => {
    const used = aead.useKey(key);
    const seal: Seal = (at, length) => used.seal(buffer, at, length + aeadHeadSize);
    return [`aes-256-gcm/${aead.implementation}`, seal] as const;
  }),
  ...[openSecretBox(), portableSecretBox].map(
    (box) => [`secretbox/${box.implementation}`, boxed(box)] as const,
  ),
];

function busyMicroseconds(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

export async function benchCiphers(): Promise<void> {
  for (const size of sizes) {
    const candidates = ciphers.map(([name, seal]): [string, () => Promise<number>] => [
      name,
      async () => {
        const startMicroseconds = busyMicroseconds();
        for (let count = 0; count < datagrams; count++) seal((count % places) * stride, size);
        return ((busyMicroseconds() - startMicroseconds) * 1e3) / datagrams;
      },
    ]);
    console.log(`${size} octets`);
    const results = await inTurn(Object.fromEntries(candidates), rounds);
    for (const [name, nanoseconds] of Object.entries(results)) {
      const gigabits = (size * 8) / median(nanoseconds);
      console.log(
        `  ${name.padEnd(32)} ${shown(nanoseconds, 0)} ns, ${gigabits.toFixed(1)} Gbit/s`,
      );
    }
  }
}
