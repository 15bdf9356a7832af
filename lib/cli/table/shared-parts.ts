import type { ArgumentSpec, ExitCodeSpec, FlagSpec, ValueSpec } from "../command-spec.ts";

/** Arguments, flags and exit codes that several commands of the table have in common. */

export const fqdnValue: ValueSpec = { kind: "fqdn", placeholder: "fqdn" };

export const addressArguments: ArgumentSpec = {
  kind: "address",
  placeholder: "addr",
  summary:
    "<a.b.c.d/n> or ip:<a.b.c.d/n> for this very address, net:<a.b.c.d/n> for one of that subnet, net:default for one of the default subnet; without any, net:default",
  minimum: 0,
  maximum: "many",
};

export const containerArgument: ArgumentSpec = {
  kind: "container",
  placeholder: "container",
  summary:
    "netns:<name or path>, pid:<n>, or the name, id or label:<key>[=<value>] of a Docker container",
  minimum: 1,
  maximum: 1,
};

export const peerArguments: ArgumentSpec = {
  kind: "peer",
  placeholder: "peer",
  summary: "<host>[:<port>], an address or a name; the port is the router's own when left out",
  minimum: 1,
  maximum: "many",
};

export const jsonFlag: FlagSpec = {
  name: "json",
  summary: "print one JSON document instead of text; docs/json.md has its schema",
};

export const intervalFlag: FlagSpec = {
  name: "interval",
  value: { kind: "duration", placeholder: "duration" },
  default: "2s",
  summary: "how often to ask the router, from 100ms to 1h",
};

export const notRunning: ExitCodeSpec = { code: 7, when: "the router is not running" };

export const featureOff: ExitCodeSpec = {
  code: 4,
  when: "the router runs without the feature this needs",
};
