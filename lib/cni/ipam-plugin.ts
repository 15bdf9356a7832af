import { CniError, cniCode, RouterAway } from "./cni-error.ts";
import { readResult } from "./cni-result.ts";
import type { CniPlugin } from "./plugin-call.ts";

/** `weave-ipam`: addresses of the cluster for interfaces that another plugin makes. */
export const ipamPlugin: CniPlugin = {
  async add({ config, router }, { container }) {
    const { subnet, gateway, routes } = config.ipam;
    const address = await router.allocate(container, subnet);
    return {
      interfaces: [],
      ips: [{ address, ...(gateway !== undefined && { gateway }) }],
      routes: routes ?? [],
      ...(config.dns && { dns: config.dns }),
    };
  },

  async remove({ router, removeAlone }, target) {
    try {
      await router.free(target.container);
    } catch (error) {
      if (!(error instanceof RouterAway)) throw error;
      // The interface is whose plugin has made it.
      removeAlone({ ...target, namespace: "" }, { frees: true });
    }
  },

  async check({ config, router }, { container }) {
    const held = await router.held(container);
    const ips = config.previous === undefined ? [] : readResult(config.previous).ips;
    const lost = ips.filter(({ address }) => !held.includes(address.split("/")[0]!));
    if (held.length > 0 && lost.length === 0) return;
    const what = lost.map(({ address }) => address).join(", ") || "no address";
    throw new CniError(
      cniCode.notAsMade,
      lost.length > 0 ? `${what} is not held for ${container}` : `${container} holds ${what}`,
      "delete the container and make it again",
    );
  },

  /** Who has an address of which network is known to whoever made the interface. */
  async collect() {},

  status: ({ router }) => router.ready(),
};
