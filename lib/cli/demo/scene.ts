/**
 * What `weave demo` shows:
 *
 *   ┌ host1 ──────────┐                          ┌ host2 ──────────┐
 *   │  web        db  │ .11 ── 192.168.48 ── .12 │          client │
 *   └─────────────────┘                          └─────────────────┘
 *
 * Hosts and containers are network namespaces with names of the demonstration's own.
 */
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

/** Holds everything the demonstration keeps in files; making it claims the stage. */
export const sceneFolder = "/run/weave-demo";

export const webPidFile = `${sceneFolder}/web.pid`;

function host(name: string, number: number): SceneHost {
  return {
    name,
    namespace: `weave-demo-${name}`,
    ip: `192.168.48.1${number}`,
    peerName: `8a:3e:3e:3e:3e:0${number}`,
    environment: {
      WEAVE_RUN_DIR: `${sceneFolder}/${name}/run`,
      WEAVE_STATE_DIR: `${sceneFolder}/${name}/state`,
    },
  };
}

function container(name: string, on: SceneHost): SceneContainer {
  return { name, namespace: `weave-demo-${name}`, host: on, fqdn: `${name}.weave.local` };
}

export const host1 = host("host1", 1);
export const host2 = host("host2", 2);
export const web = container("web", host1);
export const db = container("db", host1);
export const client = container("client", host2);

export const hosts: readonly SceneHost[] = [host1, host2];
export const containers: readonly SceneContainer[] = [web, db, client];

/** Every namespace, in the order of making. */
export const namespaces: readonly string[] = [...hosts, ...containers].map(
  (each) => each.namespace,
);
