import * as v from "valibot";
import { told } from "../api/json-schema.ts";
import { lossModel } from "../api/loss-model.ts";

/** The documents of `weave status [part] --json`. */

const ipamPage = {
  range: told(v.string(), "the addresses of the whole cluster"),
  defaultSubnet: told(v.string(), "where addresses come from when no subnet is asked for"),
  addresses: told(v.number(), "addresses of the range"),
  active: told(v.number(), "addresses in use on this host"),
  conflicts: v.exactOptional(
    told(
      v.array(
        v.object({
          peer: v.string(),
          nickname: v.string(),
          message: v.string(),
          remedy: told(v.string(), "what to do"),
        }),
      ),
      "peers whose ranges disagree with ours; absent while there are none",
    ),
  ),
  reclaim: v.exactOptional(
    told(
      v.object({
        afterSeconds: told(v.number(), "0 while there is no council"),
        members: told(v.array(v.string()), "peers that decide"),
        mayAllocate: told(v.boolean(), "false without a majority for too long"),
        leaseLeftSeconds: told(v.nullable(v.number()), "null for a peer that needs no lease"),
      }),
      "automatic reclaim; absent while it is off",
    ),
  ),
};

export const statusDocument = v.object({
  ready: told(v.boolean(), "whether everything has started"),
  version: v.string(),
  name: told(v.string(), "of this peer"),
  nickname: v.string(),
  port: v.number(),
  protocol: told(v.object({ minimum: v.number(), maximum: v.number() }), "versions spoken"),
  encryption: told(v.boolean(), "whether there is a password"),
  peerDiscovery: v.boolean(),
  trustedSubnets: v.array(v.string()),
  targets: told(v.number(), "peers to connect to"),
  connections: told(
    v.record(v.string(), v.number()),
    "how many, by state: established, pending, connecting, retrying, failed, waiting",
  ),
  peers: told(v.number(), "of the cluster, this one included"),
  refused: v.exactOptional(
    told(
      v.array(
        v.object({
          channel: told(v.string(), "topology, IPallocation or nameserver"),
          peer: v.string(),
          nickname: v.string(),
          count: told(v.number(), "since the start of the router"),
          message: told(v.string(), "of the latest"),
          remedy: told(v.string(), "what to do"),
          last: told(v.string(), "when: RFC 3339"),
        }),
      ),
      "what other peers said and could not be taken; absent while there is nothing",
    ),
  ),
  ipam: v.exactOptional(told(v.object(ipamPage), "absent when address allocation is off")),
  dns: v.exactOptional(
    told(
      v.object({
        domain: v.string(),
        address: told(v.string(), "where weaveDNS listens"),
        upstream: told(v.array(v.string()), "servers that know the other names"),
        ttlSeconds: v.number(),
        entries: told(v.number(), "live names of all peers"),
      }),
      "absent when weaveDNS is off",
    ),
  ),
  policy: v.exactOptional(
    told(
      v.object({
        status: told(v.string(), "waiting, enforcing, failing or off"),
        source: told(v.string(), "`kubernetes` or `weave policy`"),
        enforcer: told(v.string(), "nftables or iptables; empty before it is needed"),
        policies: told(v.number(), "of all kinds"),
        pods: told(v.number(), "whom they are about, on all hosts"),
        localPods: v.number(),
        held: told(
          v.number(),
          "addresses that nothing passes, because nobody knows whose they are",
        ),
        faults: told(v.array(v.string()), "what is not understood, a sentence each"),
        notEnforcing: told(v.array(v.string()), "hosts that enforce nothing"),
        trouble: v.exactOptional(
          told(v.object({ message: v.string(), remedy: v.string() }), "why they are not enforced"),
        ),
        standing: v.exactOptional(
          told(
            v.object({
              cut: told(v.number(), "ended since the start"),
              trouble: told(v.string(), "why some go on; empty while none does"),
              remedy: v.string(),
            }),
            "connections that later policies do not allow; absent with `--policy-standing keep`",
          ),
        ),
      }),
      "absent while there are no policies",
    ),
  ),
  kubernetes: v.exactOptional(
    told(
      v.object({
        node: told(v.string(), "as the API server has it"),
        ready: told(v.boolean(), "whether pods can be run here"),
        awaited: told(v.array(v.string()), "why not, a sentence each"),
        policy: told(v.boolean(), "whether network policies are enforced"),
        watches: told(
          v.array(
            v.object({
              resource: told(v.string(), "as `kubectl` names it"),
              phase: told(v.string(), "listing, watching, resting, absent or stopped"),
              lastError: told(v.string(), "empty while there was none"),
            }),
          ),
          "what is followed of the cluster",
        ),
        standing: told(v.string(), "member, nodeless or struck: this peer in the cluster's list"),
        peersGone: told(v.number(), "listed peers whose nodes are gone"),
        peersReclaimed: told(v.number(), "those whose ranges were taken here"),
      }),
      "absent on hosts that are no nodes of Kubernetes",
    ),
  ),
});

export const targetsDocument = v.object({
  targets: told(v.array(v.string()), "as they were typed, in alphabetical order"),
});

export const connectionsDocument = v.object({
  connections: told(
    v.array(
      v.object({
        address: v.string(),
        outbound: told(v.boolean(), "whether this host dialled"),
        state: told(v.string(), "established, pending, connecting, retrying, failed or waiting"),
        info: told(v.string(), "the overlay and the peer, or the last error"),
        attributes: told(
          v.record(v.string(), v.union([v.string(), v.number(), v.boolean()])),
          "name of the overlay, mtu, encrypted, seal",
        ),
        extensions: told(
          v.array(v.string()),
          "name/version of what both peers can do beyond the original",
        ),
        roundTripMs: v.exactOptional(told(v.number(), "as the kernel measured it")),
        clockOffsetMs: v.exactOptional(
          told(v.number(), "how far the peer's clock is ahead, negative when it is behind"),
        ),
        reason: v.exactOptional(told(v.string(), "why this overlay and not a better one")),
        remedy: v.exactOptional(told(v.string(), "what to do about the last failure")),
        loss: v.exactOptional(
          told(lossModel, "frames that got lost; missing where the hosts have nothing to compare"),
        ),
      }),
    ),
    "ordered by address",
  ),
});

export const peersDocument = v.object({
  peers: told(
    v.array(
      v.object({
        name: v.string(),
        nickname: v.string(),
        connections: told(
          v.array(
            v.object({
              name: told(v.string(), "of the other peer"),
              nickname: v.string(),
              address: v.string(),
              outbound: v.boolean(),
              established: v.boolean(),
            }),
          ),
          "ordered by name",
        ),
      }),
    ),
    "ordered by name",
  ),
});

export const dnsDocument = v.object({
  domain: v.string(),
  entries: told(
    v.array(
      v.object({
        hostname: told(v.string(), "with final dot"),
        address: v.string(),
        container: told(v.string(), "its id, or weave:extern"),
        origin: told(v.string(), "name of the peer that registered it"),
      }),
    ),
    "live names, ordered by name and address",
  ),
});

export const ipamDocument = v.object({
  ...ipamPage,
  peers: told(
    v.array(
      v.object({
        name: v.string(),
        nickname: v.string(),
        addresses: told(v.number(), "that it owns"),
        reachable: v.boolean(),
      }),
    ),
    "this peer first, the others ordered by name; empty before the cluster agreed",
  ),
});
