import type { PeerName } from "../../../lib/base/peer-name.ts";
import { encryptedHeadSize } from "../../../lib/overlay/sleeve/datagram.ts";
import { epochMaxMs } from "../../../lib/overlay/sleeve/rotating-seal.ts";
import { type FakeHost, FakeNet, frameOf } from "../../overlay/sleeve/fake-net.ts";
import { type FuzzTarget, fingerprint, hold } from "../target.ts";

/**
 * An established link under AES-256-GCM, to whose receiver a stranger sends what he has recorded and
 * changed. All of it is refused; in between, the peer's own frames arrive as always, while keys
 * change under way.
 */
const sessionKey = new Uint8Array(32).fill(0x77);
const [nameA, nameB] = [0xa1b2c3d4e5f6 as PeerName, 0x0badc0ffee00 as PeerName];
const [everybody, m1] = [0xffffffffffff, 0xfe4100000001];
const from = { ip: 0x0a090001, port: 6783 };
/** Where the head names the key. */
const [keyIdAt, keyIdEnd] = [6, 10];

function connected(): { net: FakeNet; a: FakeHost; b: FakeHost } {
  const net = new FakeNet();
  const [a, b] = [net.host(nameA), net.host(nameB)];
  net.connect(a, b, { sessionKey });
  net.announce();
  net.run(300);
  for (const length of [60, 200, 1000]) a.capture(frameOf(everybody, m1, { length }));
  net.run(10);
  return { net, a, b };
}

/** Datagrams that `host` refused, for whatever reason. */
function refusals(host: FakeHost): number {
  const { engine, total } = host.engine.counters();
  const { datagramFaults, decryptFailures, unknownEpochs, replays } = total;
  const refused = datagramFaults + decryptFailures + unknownEpochs + replays;
  return refused + engine.datagramsFromStrangers;
}

/** What the stranger makes of a mutant: most name our peer, and a key that is in use. */
function disguised(mutant: Uint8Array, real: Uint8Array, choice: number): Uint8Array {
  if ((choice & 0x30) === 0 || mutant.length < encryptedHeadSize) return mutant;
  const datagram = mutant.slice();
  datagram.set(real.subarray(0, keyIdEnd));
  // Half of them are the last real datagram but for a few octets of the mutant.
  if ((choice & 0x40) === 0) return datagram;
  const spoilt = real.slice();
  const at = keyIdAt + ((choice >>> 8) % (spoilt.length - keyIdAt));
  spoilt.set(mutant.subarray(0, Math.min(8, spoilt.length - at)), at);
  return spoilt;
}

export const rotatingSleeveTarget: FuzzTarget = {
  name: "sleeve-rotating",
  lifeInputs: 20_000,
  corpus: () =>
    connected()
      .a.sent.map(({ bytes }) => bytes)
      .filter(({ length }) => length < 2000),
  begin() {
    const { net, a, b } = connected();
    let real = a.sent.at(-1)!.bytes;
    let count = 0;
    const speak = (): void => {
      const length = 60 + (count % 1000);
      const before = b.injected.length;
      a.capture(frameOf(everybody, m1, { length }));
      // Four epochs go by while a life lasts.
      net.run(epochMaxMs / 300);
      real = a.sent.findLast(
        ({ bytes }) => bytes.length === length + encryptedHeadSize + 14,
      )!.bytes;
      hold(b.injected.length === before + 1, "a frame of the peer did not arrive");
      a.sent.length = 0;
      b.injected.length = 0;
    };
    return {
      consume(bytes) {
        if (count++ % 16 === 0) speak();
        const choice = fingerprint(bytes);
        if ((choice & 15) === 0) {
          speak();
          return true;
        }
        const datagram = disguised(bytes, real, choice);
        const before = refusals(b);
        b.engine.received(datagram, 0, datagram.length, from.ip, from.port);
        b.engine.flush();
        hold(refusals(b) === before + 1, "a datagram was taken that the peer had not sealed");
        hold(b.injected.length === 0, "a frame came from a stranger");
        return false;
      },
      end() {
        net.run(epochMaxMs);
        speak();
        hold(b.engine.links()[0]?.state === "established", "the link is not established any more");
        hold(b.log.length <= 500, "a log line for every input");
      },
    };
  },
};
