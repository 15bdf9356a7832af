import type { DatapathBackend } from "../host/datapath/backend.ts";
import { ebpfBackend } from "../host/datapath/ebpf/ebpf-backend.ts";
import { ovsBackend } from "../host/datapath/ovs/ovs-backend.ts";

/** All ways of having a datapath that this program knows, best first. */
export const datapathBackends: readonly DatapathBackend[] = [ebpfBackend, ovsBackend];
