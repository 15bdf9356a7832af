import type { CniAddRequest, CniInterface } from "../api/router-control.ts";
import type { IpamConfig, NetworkConfig } from "./cni-config.ts";
import { CniError, cniCode, RouterAway } from "./cni-error.ts";
import { type CniTarget, pluginFolders, podOf } from "./cni-input.ts";
import { type CniResult, readResult } from "./cni-result.ts";
import { type Delegate, findDelegate } from "./delegate.ts";
import type { CniPlugin, PluginCall } from "./plugin-call.ts";
import { pluginNamed } from "./plugin-name.ts";

/**
 * `weave-net`: an interface on the router's bridge, made by the router.
 *
 *   addresses of the router    one request does it all
 *   of another plugin          that plugin ─▶ the bridge's address, if it has none ─▶ the router
 *                              and back again when a step fails
 */
export const netPlugin: CniPlugin = {
  async add(call, target) {
    const delegate = delegateOf(call);
    const made =
      delegate === undefined
        ? await call.router.add({ ...requestOf(call, target), ...addressesOf(call.config) })
        : await addByDelegate(call, target, delegate);
    return resultOf(made, target, call.config);
  },

  async remove(call, target) {
    const { router, removeAlone } = call;
    const { container, namespace, interface: name } = target;
    const frees = isOurs(call.config);
    try {
      const place = { container, interface: name, ...(namespace !== "" && { namespace }) };
      await router.remove({ ...place, frees });
    } catch (error) {
      if (!(error instanceof RouterAway)) throw error;
      removeAlone(target, { frees });
    }
    await delegateOf(call)?.call("DEL");
  },

  async check(call, target) {
    const { mtu, hairpin, previous } = call.config;
    if (previous === undefined) {
      throw new CniError(cniCode.invalidConfig, "CHECK needs prevResult, which is not there");
    }
    const { ips, routes } = readResult(previous);
    const wrong = await call.router.check({
      ...target,
      cidrs: ips.map(({ address }) => address),
      ...{ routes, hairpin, held: isOurs(call.config) },
      ...(mtu !== undefined && { mtu }),
    });
    if (wrong.length > 0) {
      throw new CniError(
        cniCode.notAsMade,
        wrong.join("; "),
        "delete the container and make it again",
      );
    }
    await delegateOf(call)?.call("CHECK");
  },

  async collect(call) {
    if (call.config.valid === undefined) {
      throw new CniError(
        cniCode.invalidConfig,
        "GC needs cni.dev/valid-attachments, which is not there",
        "nothing is removed: without it nobody would stay",
      );
    }
    const valid = call.config.valid.map(({ containerID, ifname }) => ({
      ...{ container: containerID, interface: ifname },
    }));
    await call.router.collect({ network: call.config.name, valid });
    await delegateOf(call)?.call("GC");
  },

  async status(call) {
    await call.router.ready();
    await delegateOf(call)?.call("STATUS");
  },
};

/** The router's addresses by either name: a process of its own for them would only take time. */
function isOurs({ ipam }: NetworkConfig): boolean {
  return ipam.type === "" || pluginNamed(ipam.type) === "weave-ipam";
}

function delegateOf({ config, stdin, environment }: PluginCall): Delegate | undefined {
  if (isOurs(config)) return undefined;
  return findDelegate(config.ipam.type, pluginFolders(environment), stdin, environment);
}

function requestOf({ config, environment }: PluginCall, target: CniTarget) {
  const { name, bridge, mtu, hairpin } = config;
  const pod = podOf(environment);
  return {
    ...target,
    ...{ network: name, hairpin },
    ...(bridge !== undefined && { bridge }),
    ...(mtu !== undefined && { mtu }),
    ...(pod !== undefined && { pod }),
  };
}

function addressesOf({ ipam: { type, ...asked } }: NetworkConfig): Omit<IpamConfig, "type"> {
  return asked;
}

async function addByDelegate(
  call: PluginCall,
  target: CniTarget,
  delegate: Delegate,
): Promise<CniInterface> {
  const { router, warn } = call;
  const given = await delegate.add();
  try {
    const asked = addressedRequest(call, target, given);
    if (asked.gateway === undefined && asked.routes === undefined) {
      await provideGateway(call, delegate);
    }
    return await router.add(asked);
  } catch (error) {
    // What this plugin has given must not stay given; why ADD failed is what counts.
    await delegate.call("DEL").catch((cause) => warn(`addresses are not freed: ${cause.message}`));
    throw error;
  }
}

function addressedRequest(
  call: PluginCall,
  target: CniTarget,
  { ips, routes: given }: CniResult,
): CniAddRequest {
  const { config } = call;
  const [ip] = ips;
  if (ip === undefined) {
    throw new CniError(cniCode.delegate, `the plugin "${config.ipam.type}" gave no address`);
  }
  const routes = given.length > 0 ? given : config.ipam.routes;
  const gateway = ip.gateway ?? config.ipam.gateway;
  return {
    ...requestOf(call, target),
    address: ip.address,
    ...(gateway !== undefined && { gateway }),
    ...(routes !== undefined && { routes }),
  };
}

/** Under which the bridge's address is asked for; ids of containers have no colon, unlike ours. */
const bridgeContainer = "weave-expose";

async function provideGateway({ router, warn }: PluginCall, delegate: Delegate): Promise<void> {
  if ((await router.bridgeAddresses()).length > 0) return;
  const environment = { CNI_CONTAINERID: bridgeContainer };
  const [ip] = (await delegate.add(environment)).ips;
  if (ip === undefined) return;
  try {
    await router.expose(ip.address);
  } catch (error) {
    // No runtime ever deletes that container.
    await delegate
      .call("DEL", environment)
      .catch((cause) => warn(`the address ${ip.address} is not freed: ${cause.message}`));
    throw error;
  }
}

function resultOf(made: CniInterface, target: CniTarget, { dns }: NetworkConfig): CniResult {
  const { bridge, port, guest, mtu, cidr, gateway, routes } = made;
  const interfaces = [bridge, { ...port, mtu }, { ...guest, mtu, sandbox: target.namespace }];
  return {
    interfaces,
    ips: [
      {
        address: cidr,
        ...(gateway !== undefined && { gateway }),
        interface: interfaces.length - 1,
      },
    ],
    routes,
    ...(dns && { dns }),
  };
}
