import { type HostIp, type IpFamily, tryParseHostIp } from "../../../lib/base/ip.ts";
import { formatPeerName, type PeerName, parsePeerName } from "../../../lib/base/peer-name.ts";
import type { RoutesSnapshot } from "../../../lib/base/routes-snapshot.ts";
import { attachContainer } from "../../../lib/host/attach.ts";
import { capturedMtu, prepareBridge } from "../../../lib/host/bridge.ts";
import { DataPlane } from "../../../lib/host/dataplane/data-plane.ts";
import { defaultDeviceNames as names } from "../../../lib/host/device-names.ts";
import { openRoute } from "../../../lib/host/netlink/open.ts";
import type { NetworkNamespace } from "../../../lib/host/netns.ts";
import {
  type GenerationSecrets,
  generationSecrets,
} from "../../../lib/overlay/sleeve/key-ratchet.ts";
import type {
  SleeveCommands,
  SleeveEvents,
  SleeveLinkParameters,
} from "../../../lib/overlay/sleeve/ports.ts";
import { cidrs, type Laboratory, recordingLog } from "../laboratory.ts";

/** One host with a data plane, a bridge and a container on it. */
export interface TestHost {
  readonly name: PeerName;
  readonly namespace: NetworkNamespace;
  readonly container: NetworkNamespace;
  readonly plane: DataPlane;
  readonly commands: SleeveCommands;
  readonly log: ReturnType<typeof recordingLog>;
  /** Failures of links, as `<link> <code>`. */
  readonly failures: string[];
  mtu: number;
}

export type Seal = Uint8Array | { readonly sessionKey: Uint8Array };

/**
 * Two hosts on one cable, each with one container, and between them in place of the mesh a wire
 * that carries control messages:
 *
 *   10.32.0.1 ─[ a ]─ 192.168.5.1 ══ 192.168.5.2 ─[ b ]─ 10.32.0.2       or fd05::1 ══ fd05::2
 */
export class TwoHosts {
  readonly a: TestHost;
  readonly b: TestHost;
  /** Their addresses on the cable. */
  readonly ips: readonly [HostIp, HostIp];
  #established: [PromiseWithResolvers<void>, PromiseWithResolvers<void>];
  /** Of the link under AES-256-GCM, if there is one. */
  #sessionKey: Uint8Array | undefined;
  #generation = 0;

  constructor(laboratory: Laboratory, family: IpFamily = 4) {
    const [ha, hb] = [laboratory.namespace("ha"), laboratory.namespace("hb")];
    const network = family === 4 ? "192.168.5." : "fd05::";
    laboratory.cable(
      { in: ha, name: "eth0", address: `${network}1/${family === 4 ? 24 : 64}` },
      { in: hb, name: "eth0", address: `${network}2/${family === 4 ? 24 : 64}` },
    );
    this.ips = [tryParseHostIp(`${network}1`)!, tryParseHostIp(`${network}2`)!];
    this.#established = [Promise.withResolvers(), Promise.withResolvers()];
    this.a = this.#host(0, ha, laboratory.namespace("ca"), () => this.b);
    this.b = this.#host(1, hb, laboratory.namespace("cb"), () => this.a);
  }

  /**
   * Makes link number `link` at both ends and waits until both are established. With a key it is
   * under NaCl's secretbox, with a session key under AES-256-GCM.
   */
  async connect(link: number, seal?: Seal): Promise<void> {
    this.#established = [Promise.withResolvers(), Promise.withResolvers()];
    const [ipA, ipB] = this.ips;
    const common = { connectionUid: BigInt(link) };
    this.a.commands.prepare(link, {
      ...common,
      ...this.#sealOf(this.a, seal),
      remote: this.b.name,
      outbound: true,
      localIp: ipA,
      remoteIp: ipB,
      remotePort: 6783,
    });
    this.b.commands.prepare(link, {
      ...common,
      ...this.#sealOf(this.b, seal),
      remote: this.a.name,
      outbound: false,
      localIp: ipB,
      remoteIp: ipA,
      remotePort: 40_000,
    });
    for (const host of [this.a, this.b]) host.commands.confirm(link);
    await Promise.all(this.#established.map(({ promise }) => promise));
  }

  #sealOf(host: TestHost, seal: Seal | undefined): Pick<SleeveLinkParameters, "key" | "secrets"> {
    if (seal === undefined || seal instanceof Uint8Array) return { key: seal };
    this.#sessionKey = seal.sessionKey;
    this.#generation = 0;
    return { key: undefined, secrets: this.#secretsOf(host) };
  }

  #secretsOf({ name: local }: Pick<TestHost, "name">): GenerationSecrets {
    const remote = local === first ? second : first;
    return generationSecrets({ sessionKey: this.#sessionKey!, local, remote }, this.#generation);
  }

  async stop(): Promise<void> {
    await Promise.all([this.a.plane.stop(), this.b.plane.stop()]);
  }

  #host(
    index: 0 | 1,
    namespace: NetworkNamespace,
    container: NetworkNamespace,
    other: () => TestHost,
  ): TestHost {
    const name = parsePeerName(`::${index + 1}`);
    const log = recordingLog();
    using netlink = openRoute(namespace);
    const plane = namespace.run(() => {
      const { capture } = prepareBridge(netlink, { names, peer: name, mtu: capturedMtu });
      const target = {
        ident: formatPeerName(name),
        namespace: container,
        bridgeName: "weave",
        log,
      };
      const addresses = cidrs(`10.32.0.${index + 1}/12`);
      attachContainer(target, { addresses, multicastRoute: true });
      const captureInterface = capture.index;
      return new DataPlane({ local: name, captureInterface, host: 0, port: 6783, log });
    });
    const failures: string[] = [];
    const host: Omit<TestHost, "commands"> = {
      name,
      namespace,
      container,
      plane,
      log,
      failures,
      mtu: 0,
    };
    const events: SleeveEvents = {
      established: () => this.#established[index].resolve(),
      controlOut: (link, tag, body) => other().commands.control(link, tag, body),
      mtuChanged: (_link, mtu) => {
        host.mtu = mtu;
      },
      remoteMoved() {},
      failed: (link, code) => void failures.push(`${link} ${code}`),
      renewed: (link) => {
        if (this.#sessionKey === undefined) return undefined;
        this.#generation++;
        other().commands.renew(link, this.#secretsOf(other()));
        return this.#secretsOf(host);
      },
    };
    const commands = plane.connect(events);
    plane.setTopology(bothPeers);
    return Object.assign(host, { commands });
  }
}

const [first, second] = [parsePeerName("::1"), parsePeerName("::2")];
const bothPeers: RoutesSnapshot = {
  peers: [
    { name: first, nickname: "a", shortId: 1 },
    { name: second, nickname: "b", shortId: 2 },
  ],
  links: [[first, second]],
};
