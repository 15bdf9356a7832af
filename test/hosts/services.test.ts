import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { documentedSteps } from "./documented-steps.ts";
import { Container, type Host, Lab } from "./lab.ts";
import { eventually, must } from "./shell.ts";
import { hear, WebServer, webServerAt } from "./traffic.ts";
import { weaveOnPath } from "./weave-on-path.ts";

/** As Docker does it; bridged packets are concerned where br_netfilter is loaded. */
const masqueradeAsDocker = `nft add table ip docker
nft add chain ip docker postrouting '{ type nat hook postrouting priority srcnat; }'
nft add rule ip docker postrouting ip saddr 172.18.0.0/16 oifname != docker0 masquerade
if test -e /proc/sys/net/bridge; then sysctl -q -w net.bridge.bridge-nf-call-iptables=1; fi`;

const steps = documentedSteps("services.md");

/** As a reader of docs/services.md would: its commands, typed on the hosts that it names. */
describe("services, as documented", () => {
  const stack = new AsyncDisposableStack();
  let lab: Lab;
  let outside: Container;
  const containers = new Map<string, Container>();
  const variables: Record<string, string> = {};

  beforeAll(async () => {
    lab = stack.use(await Lab.onSwitch("sv", 3));
    const [one, two, third] = lab.hosts as [Host, Host, Host];
    const subnets = ["--ipalloc-range", "10.32.0.0/12", "--ipalloc-default-subnet", "10.32.0.0/16"];
    await one.launch([...subnets, "--ipalloc-init", `seed=${one.peerName}`]);
    await two.launch([...subnets, one.ip]);
    await two.reaches(1);
    outside = new Container(third.namespace);
    stack.use(await WebServer.start(outside, 5432, "store"));
    for (const [name, host] of [
      ["web", one],
      ["client", two],
      ["moved", two],
    ] as const) {
      const container = await host.container(name);
      containers.set(name, container);
      variables[name] = container.reference;
    }
    for (const name of ["web", "moved"])
      stack.use(await WebServer.start(container(name), 80, name));
    Object.assign(variables, weaveOnPath(lab.folder));
    await follow("Services");
    variables.web_ip = await one.mustWeave(["dns-lookup", "web"]);
  });

  afterAll(() => stack.disposeAsync());

  const container = (name: string): Container => containers.get(name)!;

  /** Types the commands of a section. */
  async function follow(title: string): Promise<void> {
    const found = steps.filter(({ section }) => section.replace(/^# /, "").startsWith(title));
    if (found.length === 0) throw new Error(`docs/services.md has no section "${title}"`);
    for (const { hosts, script } of found) {
      for (const name of hosts) {
        const host = lab.hosts[Number(name.slice("host".length)) - 1]!;
        const here = script.replaceAll(/192\.168\.48\.1(\d)/g, "192.168.77.$1");
        const env = { ...host.env, ...variables };
        const { code, stdout, stderr } = await host.exec(["sh", "-eu", "-c", here], { env });
        if (code !== 0) throw new Error(`${title}, on ${name}: exit ${code}\n${stdout}${stderr}`);
      }
    }
  }

  async function finds(from: Container, address: string, name: string): Promise<void> {
    await eventually(
      `${name} at ${address} from ${from.namespace}`,
      () => webServerAt(from, address),
      (found) => found === name,
    );
  }

  test("a container is exported by its host and by another", async () => {
    await follow("Export");
    await finds(outside, `${lab.hosts[0]!.ip}:8080`, "web");
    await finds(outside, `${lab.hosts[1]!.ip}:8080`, "web");
  });

  test("a service outside is imported under a name", async () => {
    await follow("Import");
    const store = await lab.hosts[0]!.mustWeave(["dns-lookup", "store"]);
    await finds(container("web"), `${store}:5432`, "store");
    await finds(container("client"), `${store}:5432`, "store");
  });

  test("a service outside is routed through the network", async () => {
    await follow("Route");
    await finds(outside, `${lab.hosts[0]!.ip}:9000`, "store");
  });

  test("a port is bound anew, and another hidden", async () => {
    await follow("Bind anew");
    await finds(outside, `${lab.hosts[0]!.ip}:8080`, "store");
    expect(await webServerAt(outside, `${lab.hosts[0]!.ip}:9000`)).toBeUndefined();
  });

  test("an application in a subnet of its own reaches that alone", async () => {
    await follow("Keep applications apart");
    const listed = await lab.hosts[0]!.mustWeave(["ps", container("web").reference]);
    const second = /(10\.33\.1\.\d+)\/24/.exec(listed)![1]!;
    await finds(container("client"), second, "web");
    expect(await webServerAt(container("client"), variables.web_ip!)).toBeUndefined();
  });

  test("another bridge of a host is joined, and its containers keep their addresses", async () => {
    const [one, two] = lab.hosts as [Host, Host];
    const ip = (where: string, ...words: string[]) => must(["ip", "-n", where, ...words]);
    await ip(one.namespace, "link", "add", "docker0", "type", "bridge");
    await ip(one.namespace, "addr", "add", "172.18.0.1/16", "dev", "docker0");
    const boxed = await one.container("boxed");
    const peer = ["peer", "name", "eth0", "netns", boxed.namespace];
    await ip(one.namespace, "link", "add", "veth1", "master", "docker0", "type", "veth", ...peer);
    for (const device of ["veth1", "docker0"]) await ip(one.namespace, "link", "set", device, "up");
    await ip(boxed.namespace, "addr", "add", "172.18.0.2/16", "dev", "eth0");
    await ip(boxed.namespace, "link", "set", "eth0", "up");
    await must(new Container(one.namespace).command(["sh", "-c", masqueradeAsDocker]));
    await follow("Join another bridge");
    const other = await two.container("other");
    await two.mustWeave(["attach", "172.18.0.3/16", other.reference]);
    expect((await hear(boxed, other, "172.18.0.3")).split(" from ")[1]).toBe("172.18.0.2");
    await follow("Join another bridge");
  });

  test("a container moves to another host with its address", async () => {
    const third = await lab.hosts[0]!.container("third");
    await lab.hosts[0]!.mustWeave(["attach", third.reference]);
    await finds(third, variables.web_ip!, "web");
    await follow("Move a container");
    await finds(third, variables.web_ip!, "moved");
  });
});
