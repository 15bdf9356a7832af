import type { FindingCode } from "../../lib/diagnosis/finding-kinds.ts";
import { overFor } from "../hosts/fastdp-lab.ts";
import { type Container, type Host, Lab } from "../hosts/lab.ts";
import { must } from "../hosts/shell.ts";

/** Two hosts in order, what is done to them, and how each that looks has to name it. */
export interface Incident {
  readonly name: string;
  /** A finding of `weave doctor` on the first host, and words of its sentence. */
  readonly doctor: { readonly code: FindingCode; readonly words: string };
  /** What `weave why` is asked there, and one of its findings. */
  readonly why: { readonly about: readonly string[]; readonly code: FindingCode };
  /** The alert that names it, and those that fire beside it. */
  readonly alerts: readonly [Alert, ...Alert[]];
  /** An alert that may fire as well; no other does. */
  readonly mayFire?: string;
  begin(prefix: string): Promise<Planted>;
}

export interface Alert {
  readonly alertname: string;
  /** Of an alert that has it. */
  readonly code?: FindingCode;
}

export interface Planted extends AsyncDisposable {
  readonly lab: Lab;
  /** Makes it go wrong. */
  plant(): Promise<void>;
  /** What containers go on doing meanwhile. */
  use?(): Promise<unknown>;
}

function doctorFound(code: FindingCode): Alert {
  return { alertname: "WeaveDoctorFound", code };
}

/** Addresses of the container of each host. */
const address = { one: "10.32.1.1", two: "10.32.1.2" };

interface Pair {
  readonly lab: Lab;
  readonly one: Host;
  readonly two: Host;
  readonly c1: Container;
  readonly c2: Container;
}

/** Two linked hosts with a container each, which reach each other. */
async function pair(prefix: string, options: { readonly fastdp: boolean }): Promise<Pair> {
  const lab = await Lab.onSwitch(prefix, 2);
  const [one, two] = lab.hosts as [Host, Host];
  for (const host of lab.hosts) host.fastdp = options.fastdp;
  await one.launch([two.ip]);
  await two.launch([one.ip]);
  const c1 = await one.container("c1");
  const c2 = await two.container("c2");
  await one.mustWeave(["attach", `${address.one}/24`, c1.reference]);
  await two.mustWeave(["attach", `${address.two}/24`, c2.reference]);
  await c1.pings(address.two);
  for (const host of lab.hosts) await overFor(host, options.fastdp ? "fastdp" : "sleeve", 1);
  return { lab, one, two, c1, c2 };
}

function planted(lab: Lab, plant: () => Promise<unknown>, use?: () => Promise<unknown>): Planted {
  return {
    lab,
    plant: async () => void (await plant()),
    ...(use !== undefined && { use }),
    [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
  };
}

/** What the network between the hosts drops from now on. */
async function dropOnSwitch({ prefix }: Lab, match: string): Promise<void> {
  const nft = (line: string) => must(["nsenter", `--net=/run/netns/${prefix}-sw`, "nft", line]);
  await nft("add table bridge fault");
  await nft("add chain bridge fault passing { type filter hook forward priority 0; }");
  await nft(`add rule bridge fault passing ${match} drop`);
}

const denyAll = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: deny-all, namespace: default }
spec: { podSelector: {}, policyTypes: [Ingress] }
`;

export const incidents: readonly Incident[] = [
  {
    name: "two clusters that met, with a ring each",
    doctor: { code: "RING_CONFLICT", words: "disagrees about addresses" },
    why: { about: ["host2"], code: "RING_CONFLICT" },
    alerts: [{ alertname: "WeaveRingSplit" }, doctorFound("RING_CONFLICT")],
    mayFire: "WeaveGossipRefused",
    begin: async (prefix) => {
      const lab = await Lab.onSwitch(prefix, 2);
      const [one, two] = lab.hosts as [Host, Host];
      for (const host of lab.hosts) {
        await host.launch();
        const container = await host.container(`c${host.number}`);
        await host.mustWeave(["attach", container.reference]);
      }
      return planted(lab, () => two.mustWeave(["connect", one.ip]));
    },
  },
  {
    name: "large packets that vanish on the way",
    doctor: {
      code: "PATH_MTU_SMALL",
      words: "packets shrink: containers' of 1238 octets pass whole",
    },
    why: { about: [address.one, address.two], code: "PATH_MTU_SMALL" },
    alerts: [
      { alertname: "WeavePathMtuShrunk" },
      { alertname: "WeavePathMtuSmall" },
      { alertname: "WeaveSleeveInsteadOfFastdp" },
    ],
    begin: async (prefix) => {
      const { lab, c1 } = await pair(prefix, { fastdp: true });
      // What the kernel leaves to a device to cut is larger than what is ever on a wire.
      for (const { namespace } of lab.hosts) {
        await must(["ip", "-n", namespace, "link", "set", "eth0", "gso_max_segs", "1"]);
      }
      const large = ["ping", "-c", "3", "-i", "0.3", "-W", "1", "-s", "1340", address.two];
      return planted(
        lab,
        () => dropOnSwitch(lab, "meta length > 1300"),
        () => c1.exec(large),
      );
    },
  },
  {
    name: "a partition in one direction",
    doctor: { code: "LINK_ONE_WAY", words: "arrive here, but none of this host's arrive there" },
    why: { about: ["192.168.77.2"], code: "LINK_ONE_WAY" },
    alerts: [
      doctorFound("LINK_ONE_WAY"),

      { alertname: "WeaveTargetUnreachable" },
      { alertname: "WeaveRangeUnreachable" },
    ],
    begin: async (prefix) => {
      const { lab, two } = await pair(prefix, { fastdp: false });
      return planted(lab, () => dropOnSwitch(lab, `iifname h1 ip daddr ${two.ip}`));
    },
  },
  {
    name: "a connection that a policy blocks",
    doctor: { code: "POLICY_BLOCKS", words: "blocked by policy default/deny-all" },
    why: { about: [address.two, address.one], code: "POLICY_DENIES" },
    alerts: [{ alertname: "WeavePolicyBlocksSurge" }],
    begin: async (prefix) => {
      const { lab, one, c2 } = await pair(prefix, { fastdp: true });
      return planted(
        lab,
        () => one.mustWeave(["policy", "apply", "-f", "-"], { stdin: denyAll }),
        () => c2.exec(["ping", "-c", "200", "-i", "0.01", "-W", "1", address.one]),
      );
    },
  },
];
