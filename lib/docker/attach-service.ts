import type { DockerReport } from "../api/docker-report.ts";
import { measured, type Sample } from "../api/metrics/measurement.ts";

import { errorText } from "../base/errors.ts";
import type { IntegrationHost } from "../daemon/integration.ts";
import { endProcess } from "../host/end-process.ts";
import { Attacher } from "./attacher.ts";
import type { DockerEngine } from "./engine.ts";
import { installWaitHelper } from "./wait-helper/install.ts";
import { isWaiting } from "./wait-helper/waiting-process.ts";

/**
 * Attaching of the engine's containers, as the router starts it: the wait helper is where containers
 * mount it, and from then on whoever waits behind it is attached.
 */
export function openAttacher(engine: DockerEngine, host: IntegrationHost): Attacher {
  const { world, log, options, paths, services, tracing } = host;
  const { getDefaultAddress, multicastRoute, rewriteHosts } = options.engineContainers;
  try {
    installWaitHelper(paths.waitHelper);
  } catch (error) {
    log.error(`containers of the engine cannot wait for their network: ${errorText(error)}`);
  }
  return new Attacher({
    ...{ world, log, engine, isWaiting, endProcess, tracer: tracing.tracer },
    containers: {
      attachContainer: (...how) =>
        services.attachTimes.measure("engine", () => services.containers.attachContainer(...how)),
      wasDetached: (container) => services.containers.wasDetached(container),
    },
    defaults: {
      ...{ byDefault: getDefaultAddress, multicastRoute, rewriteHosts },
      dns: options.dns !== undefined && options.proxy?.dns !== false,
      noMulticastDir: paths.waitHelper.noMulticastDir,
    },
  });
}

type Told = Pick<Attacher, "counts" | "failures" | "waiting">;

export type AttachReport = Pick<DockerReport, "Attached" | "Failures" | "Waiting">;

/** What has become of containers, for `report` and `status`. */
export function attachReport(attacher: Told): AttachReport {
  const failures = attacher.failures().map(({ id, name, atMs, reason, remedy }) => ({
    ...{ ContainerID: id, Name: name, At: new Date(atMs).toISOString() },
    ...{ Reason: reason, Remedy: remedy },
  }));
  const waiting = attacher.waiting().map(({ id, name, forMs, reason, remedy }) => ({
    ...{ ContainerID: id, Name: name, Seconds: Math.floor(forMs / 1000) },
    ...{ Reason: reason, Remedy: remedy },
  }));
  return {
    Attached: attacher.counts().attached,
    ...(failures.length > 0 && { Failures: failures }),
    ...(waiting.length > 0 && { Waiting: waiting }),
  };
}

/** The same for `/metrics`. */
export function attachMeasurements(attacher: Told): Sample[] {
  const { attached, failures } = attacher.counts();
  return [
    measured("weave_docker_attached_containers", attached),
    measured("weave_docker_waiting_containers", attacher.waiting().length),
    measured("weave_docker_attach_failures_total", failures),
  ];
}
