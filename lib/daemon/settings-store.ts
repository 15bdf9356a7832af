import type { Database, SQLQueryBindings } from "bun:sqlite";
import { written } from "./store-write.ts";

/** An exposed address of the bridge, with the choice that came with it. */
export interface StoredExposure {
  readonly cidr: string;
  readonly masquerade: boolean;
}

/** A name that this router registered, to be registered again when it starts. */
export interface StoredName {
  readonly fqdn: string;
  readonly ident: string;
  readonly address: string;
}

/** A run of a container that was detached. */
export interface StoredDetachment {
  readonly ident: string;
  /** Which network namespace it lies in, see `namespaceIdentity`. */
  readonly namespace: string;
  /** Where that can be opened. */
  readonly path: string;
}

/** A container's place on the overlay, to be given back to it when it is lost. */
export interface StoredAttachment extends StoredDetachment {
  readonly cidrs: readonly string[];
  /** Whether all multicast groups are routed to the overlay. */
  readonly multicast: boolean;
}

/** A network of a container engine that the router carries. */
export interface StoredNetwork {
  /** As the engine has it. */
  readonly id: string;
  /** Under which name the engine knows the router. */
  readonly driver: string;
  /** In CIDR notation; empty when it is not known. */
  readonly subnet: string;
  /** Whether multicast is routed into it. */
  readonly multicast: boolean;
  /** Whether its endpoints are kept within its subnet. */
  readonly isolated: boolean;
}

/** A container's place in one of these networks. */
export interface StoredEndpoint {
  /** As the engine has it. */
  readonly id: string;
  readonly network: string;
  /** With the length of its prefix; empty for none. */
  readonly address: string;
}

/** A route of a container's interface, in CIDR notation; without gateway on the link itself. */
export interface StoredRoute {
  readonly dst: string;
  readonly gw?: string;
}

/** An interface that a container runtime had made through CNI, to be given back when it is lost. */
export interface StoredCniInterface {
  /** As the runtime has it. */
  readonly container: string;
  /** The name in the container. */
  readonly interface: string;
  /** Name of the runtime's network. */
  readonly network: string;
  /** Which network namespace it lies in, see `namespaceIdentity`. */
  readonly namespace: string;
  /** Where that can be opened. */
  readonly path: string;
  /** Name of the end at the bridge. */
  readonly port: string;
  readonly cidr: string;
  readonly routes: readonly StoredRoute[];
  /** 0 for the bridge's. */
  readonly mtu: number;
  readonly hairpin: boolean;
}

/**
 * Everything small that a router remembers: single settings, targets, exposed addresses, names,
 * attached and detached containers, networks of a container engine, interfaces of container runtimes.
 * Whatever writes throws WeaveError `STORE_WRITE` where that is not possible.
 */
export class SettingsStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  setting(name: string): string | undefined {
    const row = this.#database
      .query<{ value: string }, [string]>("SELECT value FROM setting WHERE name = ?")
      .get(name);
    return row?.value;
  }

  saveSetting(name: string, value: string): void {
    this.#write(
      "INSERT INTO setting VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
      name,
      value,
    );
  }

  removeSetting(name: string): void {
    this.#write("DELETE FROM setting WHERE name = ?", name);
  }

  /** In the order given by the operator. */
  targets(): string[] {
    return this.#database
      .query<{ peer: string }, []>("SELECT peer FROM target ORDER BY position")
      .all()
      .map((row) => row.peer);
  }

  saveTargets(peers: readonly string[]): void {
    const insert = this.#database.query("INSERT INTO target VALUES (?, ?)");
    const replace = this.#database.transaction(() => {
      this.#database.run("DELETE FROM target");
      for (const [position, peer] of peers.entries()) insert.run(position, peer);
    });
    written(() => replace());
  }

  exposures(): StoredExposure[] {
    return this.#database
      .query<{ cidr: string; masquerade: number }, []>("SELECT * FROM exposed ORDER BY rowid")
      .all()
      .map((row) => ({ cidr: row.cidr, masquerade: row.masquerade !== 0 }));
  }

  saveExposure({ cidr, masquerade }: StoredExposure): void {
    this.#write(
      "INSERT INTO exposed VALUES (?, ?) ON CONFLICT DO UPDATE SET masquerade = excluded.masquerade",
      cidr,
      masquerade ? 1 : 0,
    );
  }

  removeExposure(cidr: string): void {
    this.#write("DELETE FROM exposed WHERE cidr = ?", cidr);
  }

  attachments(): StoredAttachment[] {
    return this.#database
      .query<AttachedRow, []>("SELECT * FROM attached ORDER BY rowid")
      .all()
      .map(({ cidrs, multicast, ...row }) => ({
        ...row,
        cidrs: cidrs.split(" "),
        multicast: multicast !== 0,
      }));
  }

  saveAttachment({ ident, namespace, path, cidrs, multicast }: StoredAttachment): void {
    this.#write(
      "INSERT OR REPLACE INTO attached VALUES (?, ?, ?, ?, ?)",
      ident,
      namespace,
      path,
      cidrs.join(" "),
      multicast ? 1 : 0,
    );
  }

  removeAttachment(ident: string): void {
    this.#write("DELETE FROM attached WHERE ident = ?", ident);
  }

  detachments(): StoredDetachment[] {
    return this.#database.query<StoredDetachment, []>("SELECT * FROM detached").all();
  }

  saveDetachment({ ident, namespace, path }: StoredDetachment): void {
    this.#write("INSERT OR REPLACE INTO detached VALUES (?, ?, ?)", ident, namespace, path);
  }

  removeDetachment(ident: string): void {
    this.#write("DELETE FROM detached WHERE ident = ?", ident);
  }

  networks(): StoredNetwork[] {
    return this.#database
      .query<NetworkRow, []>("SELECT * FROM network ORDER BY rowid")
      .all()
      .map(({ multicast, isolated, ...row }) => ({
        ...row,
        multicast: multicast !== 0,
        isolated: isolated !== 0,
      }));
  }

  saveNetwork({ id, driver, subnet, multicast, isolated }: StoredNetwork): void {
    this.#write(
      "INSERT OR REPLACE INTO network VALUES (?, ?, ?, ?, ?)",
      id,
      driver,
      subnet,
      multicast ? 1 : 0,
      isolated ? 1 : 0,
    );
  }

  removeNetwork(id: string): void {
    this.#write("DELETE FROM network WHERE id = ?", id);
  }

  endpoints(): StoredEndpoint[] {
    return this.#database.query<StoredEndpoint, []>("SELECT * FROM endpoint ORDER BY rowid").all();
  }

  saveEndpoint({ id, network, address }: StoredEndpoint): void {
    this.#write("INSERT OR REPLACE INTO endpoint VALUES (?, ?, ?)", id, network, address);
  }

  removeEndpoint(id: string): void {
    this.#write("DELETE FROM endpoint WHERE id = ?", id);
  }

  cniInterfaces(): StoredCniInterface[] {
    return this.#database
      .query<CniInterfaceRow, []>("SELECT * FROM cni_interface ORDER BY rowid")
      .all()
      .map(({ routes, hairpin, ...row }) => ({
        ...row,
        routes: routes === "" ? [] : routes.split(" ").map(routeOf),
        hairpin: hairpin !== 0,
      }));
  }

  saveCniInterface(made: StoredCniInterface): void {
    const { container, network, namespace, path, port, cidr, mtu, hairpin } = made;
    const routes = made.routes.map(({ dst, gw }) => `${dst}@${gw ?? ""}`).join(" ");
    this.#write(
      "INSERT OR REPLACE INTO cni_interface VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      ...[container, made.interface, network, namespace, path],
      ...[port, cidr, routes, mtu, hairpin ? 1 : 0],
    );
  }

  removeCniInterface(container: string, name: string): void {
    this.#write("DELETE FROM cni_interface WHERE container = ? AND interface = ?", container, name);
  }

  names(): StoredName[] {
    return this.#database.query<StoredName, []>("SELECT fqdn, ident, address FROM name").all();
  }

  saveName({ fqdn, ident, address }: StoredName): void {
    this.#write("INSERT OR IGNORE INTO name VALUES (?, ?, ?)", fqdn, ident, address);
  }

  /** Removes the names that match; a part left out matches any, names without regard to case. */
  removeNames(filter: Partial<StoredName>): void {
    this.#write(
      `DELETE FROM name WHERE (?1 IS NULL OR fqdn = ?1 COLLATE NOCASE)
           AND (?2 IS NULL OR ident = ?2) AND (?3 IS NULL OR address = ?3)`,
      filter.fqdn ?? null,
      filter.ident ?? null,
      filter.address ?? null,
    );
  }

  /** @throws WeaveError `STORE_WRITE` */
  #write(statement: string, ...values: SQLQueryBindings[]): void {
    written(() => this.#database.query(statement).run(...values));
  }
}

interface AttachedRow {
  readonly ident: string;
  readonly namespace: string;
  readonly path: string;
  readonly cidrs: string;
  readonly multicast: number;
}

interface NetworkRow {
  readonly id: string;
  readonly driver: string;
  readonly subnet: string;
  readonly multicast: number;
  readonly isolated: number;
}

interface CniInterfaceRow extends Omit<StoredCniInterface, "routes" | "hairpin"> {
  /** `<destination>@<gateway>` each, with blanks between. */
  readonly routes: string;
  readonly hairpin: number;
}

function routeOf(text: string): StoredRoute {
  const [dst = "", gw = ""] = text.split("@");
  return { dst, ...(gw !== "" && { gw }) };
}
