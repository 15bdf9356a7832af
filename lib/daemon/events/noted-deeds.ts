import * as v from "valibot";
import type { Caller, EventDetails, EventSink } from "../../base/network-event.ts";
import type { SettingsStore } from "../settings-store.ts";
import { askedBy } from "./asked-by.ts";

/** What is done to a host while no router runs; the next one tells of it. */
type NotedKind = "router.adopted" | "state.restored";

const setting = "noted-deed";

const by = v.optional(
  v.object({
    kind: v.picklist(["cli"]),
    user: v.exactOptional(v.string()),
    pid: v.exactOptional(v.number()),
  }),
);

const noteSchema = v.variant("kind", [
  v.object({ kind: v.literal("router.adopted"), details: v.object({ from: v.string() }), by }),
  v.object({
    kind: v.literal("state.restored"),
    details: v.object({ savedAt: v.string(), ranges: v.boolean() }),
    by,
  }),
]);

/** Notes the latest such deed in the state that it made. */
export function noteDeed<Kind extends NotedKind>(
  settings: SettingsStore,
  kind: Kind,
  details: EventDetails[Kind],
  by: Caller | undefined,
): void {
  settings.saveSetting(setting, JSON.stringify({ kind, details, by }));
}

/** Tells of what was noted, once. */
export function tellNotedDeed(settings: SettingsStore, emit: EventSink): void {
  const text = settings.setting(setting);
  if (text === undefined) return;
  settings.removeSetting(setting);
  const { success, output } = v.safeParse(noteSchema, JSON.parse(text));
  if (!success) return;
  const tell = (): void => {
    if (output.kind === "router.adopted") emit(output.kind, output.details);
    else emit(output.kind, output.details);
  };
  if (output.by === undefined) tell();
  else askedBy(output.by, tell);
}
