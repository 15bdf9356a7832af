import type { Measurement } from "../api/metrics/measurement.ts";
import type { Report } from "../api/report.ts";
import type { PluginControl } from "../api/router-control.ts";
import type { EventSink } from "../base/network-event.ts";
import type { Log, World } from "../base/world.ts";
import type { ContainerEngine } from "../host/container.ts";
import type { DeviceNames } from "../host/device-names.ts";
import type { ControlPlane } from "../peer/control-plane.ts";
import type { HostServices } from "./host-services.ts";
import type { LaunchOptions } from "./launch-options.ts";
import type { Paths } from "./paths.ts";
import type { SettingsStore } from "./settings-store.ts";
import type { Tracing } from "./tracing/open-tracing.ts";

/** Another program that the router works with while it runs: a container engine, or a cluster's. */
export interface RouterIntegration {
  /** Asked about containers; missing when there is none. */
  readonly engine?: ContainerEngine;
  /** Called once, when addresses, names and containers are served. Waits for nobody. */
  start(host: IntegrationHost): Promise<Integration>;
}

/** What a router that has started offers to whoever works with another program of its host. */
export interface IntegrationHost {
  readonly world: World;
  readonly log: Log;
  /** Takes what has happened. */
  readonly emit: EventSink;
  readonly tracing: Pick<Tracing, "tracer">;
  readonly options: LaunchOptions;
  readonly paths: Paths;
  readonly settings: SettingsStore;
  readonly devices: DeviceNames;
  readonly plane: ControlPlane;
  readonly services: HostServices;
}

/**
 * Work with another program of this host that lasts as long as the router. The router shows what it
 * says of itself and knows nothing else of it.
 */
export interface Integration {
  /** Its parts of the report. */
  report(): Partial<Report>;
  /** What has to be done before the router is of use, a sentence each; absent: nothing. */
  awaited?(): readonly string[];
  /** Its part of `/metrics`. */
  measurements(): readonly Measurement[];
  /** Absent when it offers no networks. */
  readonly plugin?: PluginControl | undefined;
  stop(): Promise<void>;
  /** Resolves when nothing that was begun before {@link stop} is under way any more. */
  finished(): Promise<void>;
  /** Ends what is under way still, such as a terminal of a container. */
  end(): void;
}
