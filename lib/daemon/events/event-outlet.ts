import type { NetworkEvent } from "../../base/network-event.ts";

/** Where else events go. Takes them at once, whatever becomes of them. */
export interface EventOutlet {
  readonly name: "file" | "syslog";
  /** As operators write it. */
  readonly to: string;
  take(event: NetworkEvent): void;
  status(): OutletStatus;
  stop(): void;
}

/** Since the start. */
export interface OutletStatus {
  readonly sent: number;
  readonly lost: number;
  /** Not sent yet. */
  readonly waiting: number;
  /** Why nothing goes out; absent while all is well. */
  readonly trouble?: string;
}
