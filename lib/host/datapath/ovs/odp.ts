import { NETLINK_GENERIC, NetlinkSocket } from "../../../../ffi/libnl.ts";
import { isSystemError } from "../../../../ffi/system-error.ts";
import { assert, WeaveError } from "../../../base/errors.ts";
import { ethernetHeaderSize } from "../../../wire/ethernet.ts";
import { Netlink, type NetlinkPort } from "../../netlink/conversation.ts";
import { findFamily, type GenericFamily } from "../../netlink/generic.ts";
import { flags, type NetlinkMessage } from "../../netlink/message.ts";
import * as flowMessage from "./flow-message.ts";
import * as vportMessage from "./vport-message.ts";

const familyNames = ["ovs_datapath", "ovs_vport", "ovs_flow", "ovs_packet"] as const;
type FamilyName = (typeof familyNames)[number];

/**
 * Requests to the openvswitch module, one after the other, each waited for: the kernel carries a
 * request out while it takes it, so an answer is there at once, and what is refused is known to
 * whoever asked.
 */
export class Odp {
  readonly #netlink: Netlink;
  readonly #families: ReadonlyMap<FamilyName, GenericFamily>;

  /**
   * In the thread's network namespace.
   *
   * @throws WeaveError `OVS_MISSING` when the kernel has no such module; SystemError
   */
  constructor(socket: NetlinkPort = new NetlinkSocket(NETLINK_GENERIC)) {
    this.#netlink = new Netlink(socket);
    const families = new Map<FamilyName, GenericFamily>();
    for (const name of familyNames) {
      const family = findFamily(this.#netlink, name);
      if (family !== undefined) families.set(name, family);
    }
    this.#families = families;
    if (families.size === familyNames.length) return;
    this.close();
    throw new WeaveError("OVS_MISSING", "the kernel has no openvswitch module", {
      remedy: "load it with 'modprobe openvswitch', on a kernel that has it",
    });
  }

  /** The message type of misses. */
  get packetFamily(): number {
    return this.#family("ovs_packet");
  }

  /** Makes it, or takes the one of this name that there is. @throws SystemError */
  openDatapath(name: string): number {
    try {
      const body = vportMessage.createDatapath(name);
      const [made] = this.#ask("ovs_datapath", flags.echo, body, `datapath ${name}`);
      if (made !== undefined) return vportMessage.datapathOf(made.body);
    } catch (error) {
      if (!isSystemError(error, "EEXIST")) throw error;
    }
    const found = this.findDatapath(name);
    assert(found !== undefined, "a datapath that was made or is there can be found");
    return found;
  }

  /** @throws SystemError */
  findDatapath(name: string): number | undefined {
    const body = vportMessage.findDatapath(name);
    try {
      const [found] = this.#ask("ovs_datapath", 0, body, `datapath ${name}`);
      return found && vportMessage.datapathOf(found.body);
    } catch (error) {
      if (isSystemError(error, "ENODEV")) return undefined;
      throw error;
    }
  }

  /** With all its ports and flows. @throws SystemError */
  deleteDatapath(datapath: number): void {
    this.#ask("ovs_datapath", 0, vportMessage.deleteDatapath(datapath), `datapath ${datapath}`);
  }

  /** @throws SystemError */
  vports(datapath: number): vportMessage.Vport[] {
    const body = vportMessage.listVports(datapath);
    return this.#netlink
      .dump(this.#family("ovs_vport"), body, "ports of the datapath")
      .map((message) => vportMessage.decodeVport(message.body));
  }

  /** Makes a device a port; gives its number. @throws SystemError */
  addNetdev(datapath: number, name: string): number {
    return this.#addVport(vportMessage.addNetdev(datapath, name), name);
  }

  /** @throws SystemError `SYS_EADDRINUSE` for a UDP port that somebody else has */
  addVxlan(datapath: number, name: string, port: number): number {
    return this.#addVport(vportMessage.addVxlan(datapath, name, port), name);
  }

  #addVport(body: Uint8Array, name: string): number {
    const [made] = this.#ask("ovs_vport", flags.echo, body, `port ${name}`);
    assert(made !== undefined, "the kernel tells the number of a port that it made");
    return vportMessage.decodeVport(made.body).number;
  }

  /** False when there was none. @throws SystemError */
  deleteVport(datapath: number, number: number): boolean {
    const body = vportMessage.deleteVport(datapath, number);
    return this.#askUnlessGone("ovs_vport", body, `port ${number}`);
  }

  /** Whoever listens at this netlink port hears of the port's misses. @throws SystemError */
  setUpcallPort(datapath: number, number: number, netlinkPort: number): void {
    const body = vportMessage.setUpcallPort(datapath, number, netlinkPort);
    this.#ask("ovs_vport", 0, body, `port ${number}`);
  }

  /** @throws SystemError */
  flows(datapath: number): flowMessage.DumpedFlow[] {
    const body = flowMessage.listFlows(datapath);
    return this.#dumpFlows(body).map((message) => flowMessage.decodeFlow(message.body));
  }

  /** @throws SystemError */
  flowStats(datapath: number): flowMessage.FlowStats[] {
    const body = flowMessage.listFlows(datapath, { statsOnly: true });
    return this.#dumpFlows(body).map((message) => flowMessage.decodeFlowStats(message.body));
  }

  #dumpFlows(body: Uint8Array): NetlinkMessage[] {
    return this.#netlink.dump(this.#family("ovs_flow"), body, "flows");
  }

  /** @throws SystemError, e.g. `SYS_EEXIST` */
  createFlow(
    datapath: number,
    match: flowMessage.FlowMatch,
    actions: readonly flowMessage.FlowAction[],
    id: Uint8Array,
  ): void {
    const body = flowMessage.createFlow(datapath, match, actions, id);
    this.#ask("ovs_flow", flags.create | flags.exclusive, body, "a flow");
  }

  /** False when there was none. @throws SystemError */
  deleteFlow(datapath: number, id: Uint8Array): boolean {
    return this.#askUnlessGone("ovs_flow", flowMessage.deleteFlow(datapath, { id }), "a flow");
  }

  /** @throws SystemError */
  deleteAllFlows(datapath: number): void {
    this.#ask("ovs_flow", 0, flowMessage.deleteAllFlows(datapath), "all flows");
  }

  /** @throws SystemError */
  execute(datapath: number, frame: Uint8Array, actions: readonly flowMessage.FlowAction[]): void {
    const body = flowMessage.executeFrame(datapath, frame, actions);
    this.#ask("ovs_packet", 0, body, "a frame");
  }

  /** Whether the kernel can tell frames by their length. @throws SystemError */
  knowsLengths(datapath: number): boolean {
    try {
      const drop = { kind: "ifLonger", octets: 1, longer: [], otherwise: [] } as const;
      this.execute(datapath, new Uint8Array(ethernetHeaderSize), [drop]);
      return true;
    } catch (error) {
      if (isSystemError(error, "EINVAL")) return false;
      throw error;
    }
  }

  close(): void {
    this.#netlink.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #family(name: FamilyName): number {
    const family = this.#families.get(name);
    assert(family !== undefined, "all families were found at the start");
    return family.id;
  }

  #ask(family: FamilyName, extra: number, body: Uint8Array, about: string): NetlinkMessage[] {
    return this.#netlink.request(this.#family(family), extra, body, about);
  }

  #askUnlessGone(family: FamilyName, body: Uint8Array, about: string): boolean {
    try {
      this.#ask(family, 0, body, about);
      return true;
    } catch (error) {
      if (isSystemError(error, "ENOENT", "ENODEV")) return false;
      throw error;
    }
  }
}
