import type { ContentfulStatusCode } from "hono/utils/http-status";
import { errorCode } from "../base/errors.ts";

/** Codes that rooms below throw for what a client can put right, by the status they become. */
const codesByStatus: ReadonlyArray<readonly [ContentfulStatusCode, readonly string[]]> = [
  [
    400,
    [
      "BODY_INVALID",
      "BRIDGE_NAME",
      "BRIDGE_UNKNOWN",
      "CIDR_FAMILY",
      "CIDR_FORMAT",
      "CNI_BRIDGE",
      "CONTAINER_AMBIGUOUS",
      "CONTAINER_REFERENCE",
      "DNS_ADDRESS_FAMILY",
      "DNS_NAME",
      "IPAM_CLAIM_REFUSED",
      "IPAM_NICKNAME_AMBIGUOUS",
      "IPAM_NOT_HELD",
      "IPAM_OUT_OF_RANGE",
      "IPAM_SUBNET",
      "IP_FORMAT",
      "NAME_INCOMPLETE",
      "POLICY_FORMAT",
      "POLICY_KIND",
      "POLICY_TOO_LARGE",
      "POLICY_TEST_FAMILY",
      "POLICY_TEST_FORMAT",
      "POLICY_TEST_UNKNOWN",
      "QUERY_INCOMPLETE",
      "QUERY_INVALID",
    ],
  ],
  [404, ["CONTAINER_UNKNOWN", "DNS_DISABLED", "IPAM_OFF", "POLICY_PLACE"]],
  [
    409,
    [
      "ATTACH_NAME_TAKEN",
      "CONTAINER_HOST_NETWORK",
      "CONTAINER_NOT_RUNNING",
      "IPAM_CANCELLED",
      "IPAM_NOT_MEMBER",
      "IPAM_PEER_ALIVE",
      "POLICY_OF_CLUSTER",
    ],
  ],
  [
    503,
    [
      "DNS_TABLE_FULL",
      "ENGINE_TLS",
      "ENGINE_UNREACHABLE",
      "ENGINE_VERSION",
      "IPAM_BUSY",
      "POLICY_NOT_ENFORCED",
      "POLICY_NOT_READY",
      "POLICY_TABLE_FULL",
    ],
  ],
];

const statusByCode = new Map(
  codesByStatus.flatMap(([status, codes]) => codes.map((code) => [code, status] as const)),
);

/** The HTTP status of anything that was thrown: 500 for whatever is no fault of the request. */
export function errorStatus(thrown: unknown): ContentfulStatusCode {
  return statusByCode.get(errorCode(thrown)) ?? 500;
}
