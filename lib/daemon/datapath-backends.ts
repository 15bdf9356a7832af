import type { DatapathBackend } from "../host/datapath/backend.ts";

/** All ways of having a datapath that this program knows. */
export const datapathBackends: readonly DatapathBackend[] = [];
