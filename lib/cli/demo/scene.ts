import { UsageError } from "../usage-error.ts";

/**
 * What `weave demo` shows:
 *
 *   ┌ host1 ──────────┐                          ┌ host2 ──────────┐
 *   │  web        db  │ .11 ── 192.168.48 ── .12 │          client │
 *   └─────────────────┘                          └─────────────────┘
 *
 * Hosts and containers are network namespaces whose names begin with the name of the scene.
 */
export interface Scene {
  readonly name: string;
  /** Holds everything the demonstration keeps in files; making it claims the stage. */
  readonly folder: string;
  readonly webPidFile: string;
  readonly host1: SceneHost;
  readonly host2: SceneHost;
  readonly web: SceneContainer;
  readonly db: SceneContainer;
  readonly client: SceneContainer;
}

export interface SceneHost {
  readonly name: string;
  readonly namespace: string;
  readonly ip: string;
  /** Both would derive the same name from the ids of this machine. */
  readonly peerName: string;
  /** Environment that makes a command speak to this host's router. */
  readonly environment: { readonly WEAVE_RUN_DIR: string; readonly WEAVE_STATE_DIR: string };
}

export interface SceneContainer {
  readonly name: string;
  readonly namespace: string;
  readonly host: SceneHost;
  readonly fqdn: string;
}

export const defaultSceneName = "weave-demo";

/** The command that removes a scene. */
export function removalOf({ name }: Scene): string {
  return `weave demo --remove${name === defaultSceneName ? "" : ` --name ${name}`}`;
}

/** @throws UsageError for a name that files and namespaces cannot bear */
export function makeScene(name: string): Scene {
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(name)) {
    throw new UsageError(`invalid value "${name}" for flag --name`, {
      remedy: "use small letters, digits and dashes",
    });
  }
  const folder = `/run/${name}`;
  const host = (short: string, number: number): SceneHost => ({
    name: short,
    namespace: `${name}-${short}`,
    ip: `192.168.48.1${number}`,
    peerName: `8a:3e:3e:3e:3e:0${number}`,
    environment: {
      WEAVE_RUN_DIR: `${folder}/${short}/run`,
      WEAVE_STATE_DIR: `${folder}/${short}/state`,
    },
  });
  const container = (short: string, on: SceneHost): SceneContainer => ({
    name: short,
    namespace: `${name}-${short}`,
    host: on,
    fqdn: `${short}.weave.local`,
  });
  const [host1, host2] = [host("host1", 1), host("host2", 2)];
  return {
    name,
    folder,
    webPidFile: `${folder}/web.pid`,
    host1,
    host2,
    web: container("web", host1),
    db: container("db", host1),
    client: container("client", host2),
  };
}

export function hostsOf(scene: Scene): readonly [SceneHost, SceneHost] {
  return [scene.host1, scene.host2];
}

export function containersOf(scene: Scene): readonly SceneContainer[] {
  return [scene.web, scene.db, scene.client];
}

/** Every namespace, in the order of making. */
export function namespacesOf(scene: Scene): readonly string[] {
  return [...hostsOf(scene), ...containersOf(scene)].map((each) => each.namespace);
}
