import type { CniInterface } from "../../lib/api/router-control.ts";
import type { CniRouter } from "../../lib/cni/cni-router.ts";
import type { PluginSurroundings } from "../../lib/cni/run-plugin.ts";

export const madeInterface: CniInterface = {
  bridge: { name: "weave", mac: "8a:3e:3e:3e:3e:01" },
  port: { name: "vethweplabcdef1", mac: "8a:3e:3e:3e:3e:02" },
  guest: { name: "eth0", mac: "8a:3e:3e:3e:3e:03" },
  mtu: 1376,
  cidr: "10.32.0.2/12",
  gateway: "10.32.0.1",
  routes: [{ dst: "0.0.0.0/0", gw: "10.32.0.1" }],
};

/** A router that writes down what it is asked for and gives what it is told to. */
export class FakeRouter implements CniRouter {
  readonly asked: unknown[][] = [];
  /** What every call fails with, if anything. */
  failure: Error | undefined;
  wrong: readonly string[] = [];

  #note<T>(answer: T, ...call: unknown[]): Promise<T> {
    this.asked.push(call);
    return this.failure === undefined ? Promise.resolve(answer) : Promise.reject(this.failure);
  }

  add: CniRouter["add"] = (request) => this.#note(madeInterface, "add", request);
  remove: CniRouter["remove"] = (request) => this.#note(undefined, "remove", request);
  check: CniRouter["check"] = (request) => this.#note(this.wrong, "check", request);
  collect: CniRouter["collect"] = (request) => this.#note(undefined, "collect", request);
  ready: CniRouter["ready"] = () => this.#note(undefined, "ready");
  bridgeAddresses: CniRouter["bridgeAddresses"] = () => this.#note([], "bridgeAddresses");
  expose: CniRouter["expose"] = (cidr) => this.#note(undefined, "expose", cidr);
  allocate: CniRouter["allocate"] = (container, subnet) =>
    this.#note("10.32.0.7/12", "allocate", container, subnet);
  free: CniRouter["free"] = (container) => this.#note(undefined, "free", container);
  held: CniRouter["held"] = (container) => this.#note(["10.32.0.7"], "held", container);
}

/** A call as a runtime makes it, with what was said and noted besides. */
export class FakeCall {
  readonly router = new FakeRouter();
  readonly warnings: string[] = [];
  /** What was removed without a router: interface, namespace, whether addresses are to be freed. */
  readonly alone: (readonly [string, string, boolean])[] = [];

  surroundings(
    command: string,
    config: unknown,
    environment: Record<string, string> = {},
  ): PluginSurroundings {
    return {
      stdin: typeof config === "string" ? config : JSON.stringify(config),
      environment: {
        CNI_COMMAND: command,
        CNI_CONTAINERID: "abcdef123456",
        CNI_NETNS: "/run/netns/c1",
        CNI_IFNAME: "eth0",
        CNI_PATH: "/nowhere",
        ...environment,
      },
      router: this.router,
      removeAlone: (target, { frees }) => {
        this.alone.push([target.interface, target.namespace, frees]);
      },
      warn: (sentence) => this.warnings.push(sentence),
    };
  }
}
