import type { FlagSpec, ValueSpec } from "../command-spec.ts";

/**
 * Options that `weave launch` of earlier releases took and this version does not act on. They are
 * known to the parser, so that an old script hears what to do instead of "no such option", and they
 * stay out of help and completions.
 */

const value: ValueSpec = { kind: "text", placeholder: "value" };

const cloud = "belongs to Weave Cloud, which is gone; give the peers by address";

const switches = (names: readonly string[], refusal: string): FlagSpec[] =>
  names.map((name) => ({ name, summary: "", refusal }));
const settings = (names: readonly string[], refusal: string): FlagSpec[] =>
  names.map((name) => ({ name, value, summary: "", refusal }));

export const refusedLaunchFlags: readonly FlagSpec[] = [
  ...switches(["awsvpc"], "needs the AWS route tables, which this version does not write"),
  ...switches(
    ["expect-npc"],
    "is gone: a node of Kubernetes is run by 'weave kube', other hosts have --policy",
  ),
  ...settings(["token", "peer-discovery-url", "advertise-address"], cloud),
  ...settings(["db-prefix"], "is now the folder named by WEAVE_STATE_DIR"),
  ...settings(["proc-path", "host-root"], "is not needed: the router runs on the host itself"),
  ...settings(["profile"], "is gone; the router has no CPU profile of that kind"),
  ...settings(["iface"], "is gone; the router makes its own interface"),
  ...settings(["dns-effective-listen-address"], "is gone; use --dns-listen-address"),
  ...switches(["version"], "is a command now: 'weave version'"),
  ...switches(["print-peer-name"], "is gone; 'weave report -f {{.Router.Name}}' prints it"),
  ...switches(["with-dns"], "is gone: DNS is on unless --no-dns says otherwise"),
  ...switches(["with-ipam"], "is gone: allocation is on unless --ipalloc-range is empty"),
];

/** Options of `weave launch` that `weave setup-systemd` does not take, with the reason. */
export const refusedServiceFlags: readonly FlagSpec[] = [
  ...settings(["password"], "could be read by everybody: use --password-file"),
  ...switches(["foreground", "no-restart"], "is for systemd to decide"),
];
