import { join } from "node:path";

/**
 * Certificates that tests show and ask for, good from 2000 to 2119: `authority` has signed `engine`,
 * for 127.0.0.1 and localhost, and `client`; `stranger` has signed `stranger-client`.
 */
export function certificate(
  name:
    | "authority"
    | "engine"
    | "engine-key"
    | "client"
    | "client-key"
    | "stranger"
    | "stranger-client"
    | "stranger-client-key",
): string {
  return join(import.meta.dir, "certificates", `${name}.pem`);
}
