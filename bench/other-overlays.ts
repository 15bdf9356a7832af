import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Host, Lab } from "../test/hosts/lab.ts";
import { eventually, must } from "../test/hosts/shell.ts";
import { type Candidate, inside, type Pair } from "./overlay-pair.ts";

/**
 * Other overlays in user space, between the same two hosts on the same switch as sleeve, as Debian
 * packages them: `apt install nebula wireguard-go wireguard-tools`. They carry the hosts' own packets
 * and always encrypt. Their interfaces have the largest MTU that fits into 1500 with either.
 */
const innerMtu = "1420";

/** Those that are installed here; says what is missing for the others. */
export function otherOverlays(): Candidate[] {
  const found: Candidate[] = [];
  if (has("nebula", "nebula-cert")) found.push(nebula("aes"), nebula("chachapoly"));
  if (has("wireguard-go", "wg")) found.push(wireguardGo);
  return found;
}

function has(...programs: string[]): boolean {
  const missing = programs.filter((program) => Bun.which(program) === null);
  if (missing.length > 0) console.log(`without ${programs[0]}: no ${missing.join(", ")} here`);
  return missing.length === 0;
}

/** Two hosts with an interface each at 10.99.0.1 and .2, made by a process each. */
async function open(
  stack: AsyncDisposableStack,
  prefix: string,
  name: string,
  start: (host: Host, other: Host, folder: string) => Promise<number>,
): Promise<Pair> {
  const lab = stack.use(await Lab.onSwitch(prefix, 2));
  const [from, to] = lab.hosts as [Host, Host];
  const folder = join(lab.folder, "other");
  mkdirSync(folder, { recursive: true });
  const routers = [await start(from, to, folder), await start(to, from, folder)];
  const address = innerIp(to);
  await eventually(
    `a ping through ${name}`,
    () => from.exec(["ping", "-c", "1", "-W", "1", address]),
    ({ code }) => code === 0,
  );
  return { name, from, to, address, routers };
}

const innerIp = (host: Host): string => `10.99.0.${host.number}`;

/** A process of a host that ends with its namespace. */
function spawnOn(host: Host, command: readonly string[]): number {
  return Bun.spawn(inside(host, command), { stdout: "ignore", stderr: "ignore" }).pid;
}

/** Under AES-256-GCM, which is its default, or ChaCha20-Poly1305. */
function nebula(cipher: "aes" | "chachapoly"): Candidate {
  const name = `nebula, ${cipher === "aes" ? "AES-256-GCM" : "ChaCha20-Poly1305"}`;
  return {
    name,
    open: (stack, prefix) =>
      open(stack, prefix, name, async (host, other, folder) => {
        const at = (file: string): string => join(folder, file);
        if (host.number === 1) {
          const files = ["-out-crt", at("ca.crt"), "-out-key", at("ca.key")];
          await must(["nebula-cert", "ca", "-name", "benchmark", ...files]);
        }
        const me = `host${host.number}`;
        const [certificate, key] = [at(`${me}.crt`), at(`${me}.key`)];
        await must([
          ...["nebula-cert", "sign", "-name", me, "-ip", `${innerIp(host)}/24`],
          ...["-ca-crt", at("ca.crt"), "-ca-key", at("ca.key")],
          ...["-out-crt", certificate, "-out-key", key],
        ]);
        const any = [{ port: "any", proto: "any", host: "any" }];
        const config = {
          pki: { ca: at("ca.crt"), cert: certificate, key },
          static_host_map: { [innerIp(other)]: [`${other.ip}:4242`] },
          lighthouse: { am_lighthouse: false },
          listen: { host: "0.0.0.0", port: 4242 },
          cipher,
          tun: { dev: "nebula1", mtu: Number(innerMtu) },
          firewall: { outbound: any, inbound: any },
        };
        // JSON is YAML.
        writeFileSync(at(`${me}.yml`), JSON.stringify(config));
        return spawnOn(host, ["nebula", "-config", at(`${me}.yml`)]);
      }),
  };
}

const controlled = (prefix: string, number: number): string => `wg${prefix}${number}`;

function removeControlSockets(prefix: string): void {
  for (const number of [1, 2]) {
    rmSync(`/var/run/wireguard/${controlled(prefix, number)}.sock`, { force: true });
  }
}

/** Under ChaCha20-Poly1305; it has no other cipher. */
const wireguardGo: Candidate = {
  name: "wireguard-go, ChaCha20-Poly1305",
  open(stack, prefix) {
    stack.defer(() => removeControlSockets(prefix));
    const keys = new Map<Host, { file: string; public: string }>();
    const keyOf = async (host: Host, folder: string) => {
      const made = keys.get(host);
      if (made !== undefined) return made;
      const file = join(folder, `key${host.number}`);
      const secret = await must(["wg", "genkey"]);
      writeFileSync(file, secret, { mode: 0o600 });
      const key = { file, public: (await must(["wg", "pubkey"], { stdin: secret })).trim() };
      keys.set(host, key);
      return key;
    };
    return open(stack, prefix, this.name, async (host, other, folder) => {
      // Its control sockets lie in one folder under the names of the interfaces.
      const device = controlled(prefix, host.number);
      const pid = spawnOn(host, ["wireguard-go", "-f", device]);
      const set = ["private-key", (await keyOf(host, folder)).file, "listen-port", "51820"];
      const peer = ["peer", (await keyOf(other, folder)).public, "allowed-ips", "10.99.0.0/24"];
      await eventually(
        `control of ${device}`,
        () => host.exec(["wg", "set", device, ...set, ...peer, "endpoint", `${other.ip}:51820`]),
        ({ code }) => code === 0,
      );
      await host.address(device, `${innerIp(host)}/24`);
      await must(["ip", "-n", host.namespace, "link", "set", device, "mtu", innerMtu, "up"]);
      return pid;
    });
  },
};
