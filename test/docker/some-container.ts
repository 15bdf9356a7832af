import type { EngineContainer } from "../../lib/docker/engine-models.ts";

/** A container that runs behind the wait helper, unless the test says otherwise. */
export function someContainer(changes: Partial<EngineContainer> = {}): EngineContainer {
  return {
    id: "ab".repeat(32),
    name: "web",
    pid: 4321,
    running: true,
    restarting: false,
    hostname: "web",
    domainname: "weave.local",
    labels: {},
    env: ["PATH=/bin"],
    entrypoint: ["/w/w", "nginx"],
    cmd: [],
    networkMode: "default",
    usesHostNetwork: false,
    extraHosts: [],
    mounts: [{ source: "/var/lib/weave/w", target: "/w" }],
    networks: [],
    hostsPath: "",
    ...changes,
  };
}
