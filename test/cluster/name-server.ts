import { createSocket } from "node:dgram";
import packet, { type Packet, type StringAnswer } from "dns-packet";
import type { ApiAccess } from "./script-client.ts";

/** What names of a cluster end with. */
export const clusterDomain = "cluster.local";

/** Answers are of now: what the API server said a moment ago may be wrong. */
const ttlS = 0;
const requestMaxMs = 2000;

/**
 * Answers questions for the names of services (kubernetes.io, "DNS for Services and Pods"), by what the
 * API server says when it is asked:
 *
 *   <service>.<namespace>.svc.cluster.local    A    the service's address, or those of its ready pods
 *                                                   where it has none ("headless")
 *   everything else                                 does not exist
 *
 * Who may be asked stands in the variable `API`, as JSON of {@link ApiAccess}.
 */
class ServiceNames {
  readonly #access: ApiAccess;

  constructor(access: ApiAccess) {
    this.#access = access;
  }

  async answer(question: Packet): Promise<Packet> {
    const [asked] = question.questions ?? [];
    const addresses = await this.#addressesOf(asked?.name.toLowerCase() ?? "");
    const name = asked?.name ?? "";
    const own: StringAnswer[] = (asked?.type === "A" ? (addresses ?? []) : []).map((data) => ({
      ...{ type: "A", name, ttl: ttlS, data },
    }));
    return {
      ...{ id: question.id ?? 0, type: "response", questions: question.questions ?? [] },
      flags: packet.AUTHORITATIVE_ANSWER | (addresses === undefined ? nameError : 0),
      answers: own,
    };
  }

  /** `undefined` where there is no such name. */
  async #addressesOf(name: string): Promise<string[] | undefined> {
    const [service, namespace, ...rest] = name.split(".");
    if (rest.join(".") !== `svc.${clusterDomain}`) return undefined;
    const where = `/api/v1/namespaces/${namespace}`;
    const found = await this.#get(`${where}/services/${service}`);
    if (found === undefined) return undefined;
    const { clusterIP } = found.spec;
    if (clusterIP !== "None") return [clusterIP];
    const endpoints = await this.#get(`${where}/endpoints/${service}`);
    const subsets: Subset[] = endpoints?.subsets ?? [];
    return subsets.flatMap(({ addresses = [] }) => addresses.map(({ ip }) => ip));
  }

  async #get(path: string) {
    const { url, token, authority } = this.#access;
    const answer = await fetch(`${url}${path}`, {
      headers: { Authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(requestMaxMs),
      ...(authority !== undefined && { tls: { ca: authority } }),
    });
    return answer.ok ? JSON.parse(await answer.text()) : undefined;
  }
}

/** Pods behind one set of ports. */
interface Subset {
  readonly addresses?: readonly { readonly ip: string }[];
}

/** NXDOMAIN (RFC 1035 section 4.1.1). */
const nameError = 3;

if (import.meta.main) {
  const names = new ServiceNames(JSON.parse(process.env.API!));
  const socket = createSocket("udp4");
  socket.on("message", (octets, { address, port }) => {
    // Who gets no answer asks again.
    names.answer(packet.decode(octets)).then(
      (answer) => socket.send(packet.encode(answer), port, address),
      (error) => console.error(error),
    );
  });
  socket.bind(53);
}
