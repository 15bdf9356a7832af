import { WeaveError } from "../base/errors.ts";
import { formatPeerName, type PeerName } from "../base/peer-name.ts";

/** Reasons to close a connection that the protocol does not carry: they go to log and status. */

/** Who bears a name: two peers with one name differ in the rest. */
export interface Bearer {
  readonly name: PeerName;
  readonly nickname: string;
  readonly uid: bigint;
}

/** The reason to refuse a remote that bears our own name; `undefined` for any other. */
export function nameRefusal(own: Bearer, remote: Bearer): WeaveError | undefined {
  if (remote.name !== own.name) return undefined;
  if (remote.uid === own.uid) return new WeaveError("CONNECT_SELF", "cannot connect to ourself");
  const shown = (bearer: Bearer) => `"${formatPeerName(bearer.name)}(${bearer.nickname})"`;
  return new WeaveError(
    "NAME_COLLISION",
    `local ${shown(own)} and remote ${shown(remote)} peer names collision`,
    { remedy: "give one of the two peers another --name" },
  );
}

export function introductionDeadline(deadlineMs: number): WeaveError {
  return new WeaveError(
    "INTRODUCTION_DEADLINE",
    `remote did not complete it within ${deadlineMs / 1000} s`,
  );
}

export function endedByRemote(): WeaveError {
  return new WeaveError("STREAM_ENDED", "remote closed the connection");
}

/** A loss so soon after the introduction that the remote probably disliked what it heard. */
export function refusedByRemote(cause: WeaveError): WeaveError {
  return new WeaveError("REFUSED", `${cause.message} right after the introduction`, {
    cause,
    remedy:
      "the remote may have a connection to us already, have reached its --conn-limit, share no " +
      "overlay with us or hold other IP allocations: its log says which",
  });
}

export function backlogExceeded(waitingBytes: number): WeaveError {
  return new WeaveError(
    "SEND_BACKLOG",
    `remote does not keep up: ${waitingBytes} octets wait to be sent`,
    { remedy: "see why the remote or the path to it is slow" },
  );
}

export function heldExceeded(): WeaveError {
  return new WeaveError("HELD_LIMIT", "remote sent too much before it was accepted", {
    remedy: "see whether this host is overloaded: connections are accepted at once otherwise",
  });
}
