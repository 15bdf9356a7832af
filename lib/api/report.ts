import type { DnsReport } from "./dns-report.ts";
import type { DockerReport, PluginReport, ProxyReport } from "./docker-report.ts";
import type { EventsReport, TracingReport } from "./events-report.ts";
import type { IpamReport } from "./ipam-report.ts";
import type { KubernetesReport } from "./kubernetes-report.ts";
import type { PolicyReport } from "./policy-report.ts";
import type { RouterReport } from "./router-report.ts";

/**
 * The shape of `GET /report` (http-api §5). Scripts and templates rely on these names, their order
 * and on which of them are `null` or absent; the rest of the code uses its own types and is turned
 * into this one in `make-router-report.ts` and by the owners of its other parts.
 */
export interface Report {
  readonly Ready: boolean;
  readonly Version: string;
  readonly VersionCheck: {
    readonly Enabled: boolean;
    readonly Success: boolean;
    readonly NewVersion: string;
    readonly NextCheckAt: string;
  };
  readonly Router: RouterReport;
  /** Absent when address allocation is off. */
  readonly IPAM?: IpamReport;
  /** Absent when DNS is off. */
  readonly DNS?: DnsReport;
  /** The cluster of Kubernetes that this host is a node of; absent when it is none. */
  readonly Kubernetes?: KubernetesReport;
  /** Absent while there are no policies to enforce. */
  readonly Policy?: PolicyReport;
  /** The Docker engine; absent when none is asked. */
  readonly Docker?: DockerReport;
  /** The Docker API proxy; absent when it is off, or no Docker engine has answered yet. */
  readonly Proxy?: ProxyReport;
  /** Docker's network plugin; absent when it is off, or no Docker engine has answered yet. */
  readonly Plugin?: PluginReport;
  /** Where else events go; absent when they go nowhere else. */
  readonly Events?: EventsReport;
  /** Absent when nothing is traced. */
  readonly Tracing?: TracingReport;
}
