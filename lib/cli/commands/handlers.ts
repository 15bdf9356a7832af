import { assert } from "../../base/errors.ts";
import type { CommandHandler } from "../context.ts";

/** Command → handler, loaded when it is wanted: `weave version` need not load the demonstration. */
const handlers: Readonly<Record<string, () => Promise<CommandHandler>>> = {
  launch: async () => (await import("./launch.ts")).launch,
  stop: async () => (await import("./stop.ts")).stop,
  reset: async () => (await import("./reset.ts")).reset,
  adopt: async () => (await import("./adopt.ts")).adopt,
  snapshot: async () => (await import("./snapshot.ts")).snapshot,
  "upgrade-self": async () => (await import("./upgrade-self.ts")).upgradeSelf,
  "setup-systemd": async () => (await import("./setup-systemd.ts")).setupSystemd,
  "setup-cni": async () => (await import("./setup-cni.ts")).setupCni,
  kube: async () => (await import("./kube.ts")).kube,
  "kube-utils": async () => (await import("./kube-utils.ts")).kubeUtils,
  logs: async () => (await import("./logs.ts")).logs,
  attach: async () => (await import("./attach.ts")).attach,
  detach: async () => (await import("./detach.ts")).detach,
  policy: async () => (await import("./policy.ts")).policy,
  "attach-bridge": async () => (await import("./attach-bridge.ts")).attachBridge,
  expose: async () => (await import("./expose.ts")).expose,
  hide: async () => (await import("./hide.ts")).hide,
  ps: async () => (await import("./ps.ts")).ps,
  "dns-add": async () => (await import("./dns-names.ts")).dnsAdd,
  "dns-remove": async () => (await import("./dns-names.ts")).dnsRemove,
  "dns-lookup": async () => (await import("./dns-lookup.ts")).dnsLookup,
  "dns-args": async () => (await import("./dns-args.ts")).dnsArgs,
  connect: async () => (await import("./connect.ts")).connect,
  forget: async () => (await import("./forget.ts")).forget,
  prime: async () => (await import("./prime.ts")).prime,
  rmpeer: async () => (await import("./rmpeer.ts")).rmpeer,
  status: async () => (await import("./status.ts")).status,
  top: async () => (await import("./top.ts")).top,
  map: async () => (await import("./map.ts")).map,
  ui: async () => (await import("./ui.ts")).ui,
  events: async () => (await import("./events.ts")).events,
  report: async () => (await import("./report.ts")).report,
  why: async () => (await import("./why.ts")).why,
  doctor: async () => (await import("./doctor.ts")).doctor,
  version: async () => (await import("./version.ts")).version,
  demo: async () => (await import("./demo.ts")).demo,
  simulate: async () => (await import("./simulate.ts")).simulate,
  "demo-web": async () => (await import("../demo/web-server.ts")).demoWeb,
  "demo-ping": async () => (await import("../demo/visitor.ts")).demoPing,
  "demo-fetch": async () => (await import("../demo/visitor.ts")).demoFetch,
  "bridge-type": async () => (await import("./bridge-type.ts")).bridgeType,
  "docker-bridge-ip": async () => (await import("./docker-bridge-ip.ts")).dockerBridgeIp,
  env: async () => (await import("./env.ts")).env,
  config: async () => (await import("./env.ts")).config,
  "docker-tls-args": async () => (await import("./docker-tls-args.ts")).dockerTlsArgs,
  help: async () => (await import("./help.ts")).help,
  completion: async () => (await import("./completion.ts")).completion,
  "complete-values": async () => (await import("./complete-values.ts")).completeValues,
};

export const handledCommands: readonly string[] = Object.keys(handlers);

export function commandHandler(name: string): Promise<CommandHandler> {
  const load = handlers[name];
  assert(load !== undefined, `no handler for the command ${name}`);
  return load();
}
