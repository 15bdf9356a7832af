import * as v from "valibot";
import { textsByName } from "../base/schema.ts";
import { told } from "./json-schema.ts";
import { lossModel } from "./loss-model.ts";

const traffic = v.object({
  sentPackets: told(v.number(), "frames of containers"),
  sentBytes: told(v.number(), "octets of those frames before encapsulation"),
  receivedPackets: v.number(),
  receivedBytes: v.number(),
});

const end = v.object({
  established: v.boolean(),
  overlay: told(v.string(), "what carries frames from there; empty before it is known"),
  encrypted: v.boolean(),
  mtu: told(v.nullable(v.number()), "octets of a packet; null while it is not known"),
  roundTripMs: told(v.nullable(v.number()), "null while it is not known"),
  traffic: told(
    v.nullable(traffic),
    "since the link was established, as `countedMs` of its peer has it; null where nothing counts",
  ),
  loss: told(v.nullable(lossModel), "null where the hosts have nothing to compare"),
});

const link = v.object({
  from: told(v.string(), "a peer name; the smaller of the two"),
  to: told(v.string(), "a peer name"),
  established: told(v.boolean(), "whether either end says so"),
  oneSided: told(v.boolean(), "whether one end says so, and the other one does not"),
  ends: told(
    v.object({ from: v.exactOptional(end), to: v.exactOptional(end) }),
    "what each end says; missing where it has told nothing",
  ),
  own: v.exactOptional(
    told(
      v.object({
        address: told(v.string(), "of the other host"),
        state: v.string(),
        overlay: told(v.string(), "what carries frames; empty before it is known"),
        encrypted: v.boolean(),
        mtu: told(v.nullable(v.number()), "octets of a packet; null while it is not known"),
        roundTripMs: told(v.nullable(v.number()), "null while it is not known"),
        since: told(v.nullable(v.string()), "RFC 3339"),
        reason: told(v.string(), "why this overlay and not a better one"),
        traffic: told(
          v.nullable(traffic),
          "since the link was established; null where nothing counts",
        ),
        loss: told(v.nullable(lossModel), "null where the hosts have nothing to compare"),
        clockOffsetMs: told(
          v.nullable(v.number()),
          "how far the other host's clock is ahead, negative when it is behind; null while it is not known",
        ),
        info: told(v.string(), "as `weave status connections` has it"),
      }),
      "of links of this host, as it sees them",
    ),
  ),
});

const container = v.object({
  id: v.string(),
  peer: told(v.string(), "whose host it is on"),
  name: told(v.string(), "the first of its names in DNS, what its host calls it, or a short id"),
  namespace: told(v.string(), "to policies; empty while its host has told nothing of it"),
  names: told(v.array(v.string()), "in DNS"),
  addresses: told(v.array(v.string()), "with prefix length where that is known"),
  labels: textsByName,
});

/** The whole cluster as one host knows it: `GET /picture`. */
export const pictureModel = v.object({
  self: told(v.string(), "the peer name of this host"),
  version: v.string(),
  peers: v.array(
    v.object({
      name: v.string(),
      nickname: v.string(),
      reached: told(v.boolean(), "whether frames find a way there"),
      told: told(
        v.nullable(
          v.object({
            at: told(v.string(), "RFC 3339: when that came here"),
            countedMs: told(
              v.number(),
              "milliseconds by a clock of that host: rates are differences of counts by differences of these",
            ),
          }),
        ),
        "the latest of what it has told of its links; null where that is nothing, and for this host",
      ),
    }),
  ),
  links: v.array(link),
  containers: told(
    v.array(container),
    "those of all hosts that tell of theirs, with up to 32 labels of up to 256 characters; of others those that have names in DNS",
  ),
  names: told(
    v.array(
      v.object({
        name: v.string(),
        address: v.string(),
        peer: told(v.string(), "whose router answers for it"),
      }),
    ),
    "in DNS, of what is no container",
  ),
  ring: told(
    v.nullable(
      v.object({
        range: v.string(),
        addresses: told(v.number(), "of the range"),
        active: told(v.number(), "held on this host"),
        parts: v.array(
          v.object({
            peer: told(v.string(), "the owner"),
            first: told(v.string(), "address"),
            size: told(v.number(), "addresses"),
          }),
        ),
      }),
    ),
    "who owns which addresses; null without address allocation",
  ),
});

export type Picture = v.InferOutput<typeof pictureModel>;
export type PictureLink = Picture["links"][number];
export type PictureLinkEnd = v.InferOutput<typeof end>;
export type PictureContainer = Picture["containers"][number];
export type PicturePeer = Picture["peers"][number];
export type PictureName = Picture["names"][number];
