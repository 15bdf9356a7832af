import { arch, hostname, release, totalmem, type } from "node:os";
import { prometheusText } from "../../api/metrics/prometheus-text.ts";
import type { Report } from "../../api/report.ts";
import type { RouterControl } from "../../api/router-control.ts";
import { splitHostPort } from "../../base/endpoint.ts";
import { errorText } from "../../base/errors.ts";
import { tryParseIp } from "../../base/ip.ts";
import { productVersion } from "../../base/product-version.ts";
import { listLinks } from "../../host/netlink/link.ts";
import { openRoute } from "../../host/netlink/open.ts";
import type { Bundle } from "../../incident/bundle.ts";
import type { JsonObject } from "../../incident/json.ts";
import { makeBundle } from "../../incident/make-bundle.ts";
import type { Redactable } from "../../incident/pseudonyms.ts";
import type { KnownSecret } from "../../incident/secrets.ts";
import type { FlightRecorder } from "../../peer/flight-recorder.ts";
import { historyDocument } from "./history-document.ts";

type Router = Pick<
  RouterControl,
  "report" | "measurements" | "events" | "diagnosis" | "policy" | "containers"
>;

interface Sources {
  readonly router: Router;
  readonly recorder: FlightRecorder;
  readonly secrets: readonly KnownSecret[];
}

/** All that this host knows of an incident. What cannot be found out is noted, and no reason to fail. */
export async function collectBundle(
  { router, recorder, secrets }: Sources,
  redact: readonly Redactable[],
): Promise<JsonObject> {
  const notes: Bundle["unexamined"][number][] = [];
  const tried = async <Result>(
    what: string,
    otherwise: Result,
    look: () => Result | Promise<Result>,
  ): Promise<Result> => {
    try {
      return await look();
    } catch (error) {
      notes.push({ what, why: errorText(error) });
      return otherwise;
    }
  };
  const report = await router.report();
  const findings = await tried(
    "doctor",
    [],
    async () => (await router.diagnosis.doctor()).findings,
  );
  const policies = await tried("policies", [], () => policyNames(router));
  const attached = await tried("containers", [], () => router.containers.list([]));
  const devices = await tried("devices", [], listDevices);
  const parts = {
    madeAt: new Date().toISOString(),
    madeBy: productVersion,
    platform: { ...platformOf(report), devices },
    report,
    events: router.events.read({}).map(({ id, atMs, kind, details }) => ({
      ...{ id, at: new Date(atMs).toISOString(), kind, details: { ...details } },
    })),
    history: historyDocument(recorder.read()),
    findings: findings.map((finding) => ({ ...finding })),
    policies,
    metrics: prometheusText(router.measurements()),
    unexamined: notes,
  };
  const names = [
    ...attached.flatMap(({ ref, ident }) => [ref, ident]),
    ...otherNames(report),
    hostname(),
  ];
  return makeBundle(parts, { secrets, redact, names });
}

/** Names in a report that are neither of peers nor of DNS. */
function otherNames({ Router, Docker, Kubernetes }: Report): string[] {
  const hosts = (Router.Targets ?? []).map((target) => splitHostPort(target)?.host ?? target);
  return [
    ...hosts.filter((host) => tryParseIp(host) === undefined),
    ...(Docker?.Waiting ?? []).map(({ Name }) => Name),
    ...(Kubernetes === undefined ? [] : [Kubernetes.Node]),
  ];
}

async function policyNames({ policy }: Router): Promise<Bundle["policies"]> {
  const { policies } = await policy.list({ now: true });
  return policies.map(({ kind, namespace, name }) => ({ kind, namespace, name }));
}

function listDevices(): Bundle["platform"]["devices"] {
  using netlink = openRoute();
  return listLinks(netlink).map(({ name, kind, mtu, up }) => ({ name, kind, mtu, up }));
}

function platformOf({
  Router: { Firewall, Datapath },
}: Report): Omit<Bundle["platform"], "devices"> {
  return {
    ...{ kernel: `${type()} ${release()}`, machine: arch(), runtime: `Bun ${Bun.version}` },
    ...{ memoryBytes: totalmem(), firewall: [...(Firewall ?? [])] },
    datapath: Datapath?.Backend ?? "",
  };
}
