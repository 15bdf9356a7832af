import { join } from "node:path";
import { Container, type Host } from "./lab.ts";
import { must } from "./shell.ts";

/** Asks the plugin of a host's router as Docker does, and puts its endpoints into namespaces. */
export class PretendedDocker {
  readonly socket: string;
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
    this.socket = join(host.lab.folder, `plugins${host.number}/weavemesh.sock`);
  }

  /** What a router is told to be asked here. */
  get flags(): string[] {
    return ["--plugin", "--plugin-socket=", `--plugin-mesh-socket=${this.socket}`];
  }

  async ask(method: string, request: object): Promise<Record<string, unknown>> {
    const response = await fetch(`http://docker/${method}`, {
      unix: this.socket,
      method: "POST",
      body: JSON.stringify(request),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method}: ${text}`);
    return JSON.parse(text) as Record<string, unknown>;
  }

  /** A container in a network of its own that has this subnet. */
  async container(digit: string, subnet: string): Promise<{ container: Container; ip: string }> {
    const [NetworkID, EndpointID] = idsOf(digit);
    const IPv4Data = [{ AddressSpace: "weavelocal", Pool: subnet }];
    const pool = await this.ask("IpamDriver.RequestPool", { Pool: subnet, SubPool: "", V6: false });
    await this.ask("NetworkDriver.CreateNetwork", { NetworkID, Options: {}, IPv4Data });
    const { PoolID } = pool;
    const { Address } = await this.ask("IpamDriver.RequestAddress", { PoolID, Address: "" });
    const Interface = { Address, AddressIPv6: "", MacAddress: "" };
    await this.ask("NetworkDriver.CreateEndpoint", { NetworkID, EndpointID, Interface });
    await this.ask("NetworkDriver.Join", { NetworkID, EndpointID });
    const namespace = await this.#host.lab.namespace(`p${this.#host.number}${digit}`);
    const far = `vethwg${EndpointID.slice(0, 9)}`;
    const into = ["link", "set", far, "netns", namespace, "name", "ethwe0"];
    await must(["ip", "-n", this.#host.namespace, ...into]);
    await must(["ip", "-n", namespace, "link", "set", "ethwe0", "up"]);
    await must(["ip", "-n", namespace, "addr", "add", String(Address), "dev", "ethwe0"]);
    return { container: new Container(namespace), ip: String(Address).split("/")[0]! };
  }

  /** Ends its container, as a restarted engine would do with one that it finds dead. */
  async end(digit: string, subnet: string, ip: string): Promise<void> {
    const [NetworkID, EndpointID] = idsOf(digit);
    await this.ask("NetworkDriver.Leave", { NetworkID, EndpointID });
    await this.ask("NetworkDriver.DeleteEndpoint", { NetworkID, EndpointID });
    const PoolID = `weave-${subnet}-${subnet}`;
    await this.ask("IpamDriver.ReleaseAddress", { PoolID, Address: ip });
    await this.ask("NetworkDriver.DeleteNetwork", { NetworkID });
  }
}

function idsOf(digit: string): [network: string, endpoint: string] {
  return [`${digit}a`.repeat(32), `${digit}e`.repeat(32)];
}
