import { ClsactHooks } from "../../../../lib/host/bpf/hooks.ts";
import { ebpfBackendBy } from "../../../../lib/host/datapath/ebpf/ebpf-backend.ts";
import { behavesAsDatapath } from "../scenarios.ts";

// As on kernels before Linux 6.6, which have no TCX.
behavesAsDatapath(
  ebpfBackendBy((netlink) => new ClsactHooks(netlink)),
  "fh",
);
