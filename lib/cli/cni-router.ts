import * as v from "valibot";
import { cniCheckAnswer, cniInterfaceAnswer } from "../api/cni-models.ts";
import { listAnswer } from "../api/container-models.ts";
import { errorCode } from "../base/errors.ts";
import { CniError, cniCode, RouterAway } from "../cni/cni-error.ts";
import type { CniRouter } from "../cni/cni-router.ts";
import { readAnswer } from "./answer.ts";
import type { ApiClient, ApiRequest } from "./api-client.ts";
import { ApiError } from "./api-error.ts";

/** Addresses may have to come from another peer; runtimes wait for two minutes and more. */
const addWaitMs = 60_000;
const answerWaitMs = 10_000;

const ownedAnswer = v.object({
  owned: v.nullable(v.array(v.object({ containerid: v.string(), addrs: v.array(v.string()) }))),
});

/** The router of this host, as the CNI plugins ask it. */
export function cniRouter(api: ApiClient): CniRouter {
  const ask = async (request: ApiRequest): Promise<string> => {
    try {
      const feature = "address allocation";
      const accept = "application/json";
      return await api.request({ waitMs: answerWaitMs, feature, accept, ...request });
    } catch (error) {
      throw error instanceof ApiError ? asCniError(error) : error;
    }
  };
  const post = (path: readonly string[], json: unknown, waitMs = answerWaitMs): Promise<string> =>
    ask({ method: "POST", path, json, waitMs });
  const bridgeAddresses = async (): Promise<readonly string[]> => {
    const query = [["container", "weave:expose"]] as const;
    const body = await ask({ method: "GET", path: ["ps"], query });
    return readAnswer(listAnswer, body).containers.flatMap(({ cidrs }) => cidrs);
  };
  return {
    bridgeAddresses,
    async add(request) {
      return readAnswer(cniInterfaceAnswer, await post(["cni", "add"], request, addWaitMs));
    },
    async remove(request) {
      await post(["cni", "remove"], request);
    },
    async check(request) {
      return readAnswer(cniCheckAnswer, await post(["cni", "check"], request)).wrong;
    },
    async collect(request) {
      await post(["cni", "collect"], request);
    },
    async ready() {
      try {
        await ask({ method: "GET", path: ["status"], accept: "text/plain" });
        // Which cannot be told without a bridge.
        await bridgeAddresses();
      } catch (error) {
        if (!(error instanceof CniError)) throw error;
        throw new CniError(cniCode.notAvailable, error.message, error.details);
      }
    },
    async expose(cidr) {
      await ask({ method: "POST", path: ["expose", ...cidr.split("/")] });
    },
    allocate(container, subnet) {
      const path = ["ip", container, ...(subnet?.split("/") ?? [])];
      return ask({ method: "POST", path, waitMs: addWaitMs });
    },
    async free(container) {
      try {
        await api.request({
          method: "DELETE",
          path: ["ip", container],
          accept: "application/json",
        });
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (errorCode(error) !== "IPAM_NOT_HELD") throw asCniError(error);
      }
    },
    async held(container) {
      const body = await ask({ method: "GET", path: ["ip"] });
      const { owned } = readAnswer(ownedAnswer, body);
      const own = (owned ?? []).filter(({ containerid }) => containerid === container);
      return own.flatMap(({ addrs }) => addrs.map((cidr) => cidr.split("/")[0]!));
    },
  };
}

/** What runtimes are told of the router's refusals; all others are {@link cniCode.failed}. */
const codesOfRefusals: ReadonlyMap<string, number> = new Map([
  ["API_FORBIDDEN", cniCode.badEnvironment],
  ["BODY_INVALID", cniCode.invalidConfig],
  ["BRIDGE_MISSING", cniCode.tryAgain],
  ["CIDR_FAMILY", cniCode.invalidConfig],
  ["CIDR_FORMAT", cniCode.invalidConfig],
  ["CNI_BRIDGE", cniCode.invalidConfig],
  ["CONTAINER_HOST_NETWORK", cniCode.badEnvironment],
  ["CONTAINER_NOT_RUNNING", cniCode.unknownContainer],
  ["CONTAINER_REFERENCE", cniCode.badEnvironment],
  ["CONTAINER_UNKNOWN", cniCode.unknownContainer],
  ["IPAM_BUSY", cniCode.tryAgain],
  ["IPAM_CANCELLED", cniCode.tryAgain],
  ["IPAM_OUT_OF_RANGE", cniCode.invalidConfig],
  ["IPAM_SUBNET", cniCode.invalidConfig],
  ["IP_FORMAT", cniCode.invalidConfig],
  ["POLICY_NOT_ENFORCED", cniCode.tryAgain],
  ["POLICY_NOT_READY", cniCode.tryAgain],
]);

function asCniError(error: ApiError): CniError {
  const { code, message, remedy = "" } = error;
  const known = codesOfRefusals.get(code);
  if (error.kind === "unreachable" && known === undefined) return new RouterAway(message, remedy);
  return new CniError(known ?? cniCode.failed, message, remedy);
}
