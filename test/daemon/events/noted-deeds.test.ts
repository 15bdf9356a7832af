import { expect, test } from "bun:test";
import { openDatabase } from "../../../lib/daemon/database.ts";
import { EventJournal } from "../../../lib/daemon/events/event-journal.ts";
import { noteDeed, tellNotedDeed } from "../../../lib/daemon/events/noted-deeds.ts";
import { SettingsStore } from "../../../lib/daemon/settings-store.ts";

const clock = { now: () => 1000, monotonicMs: () => 1000 };

test("what was done to a host while no router ran is told by the next one, once, with who asked", () => {
  const settings = new SettingsStore(openDatabase(":memory:"));
  const journal = new EventJournal(clock);
  tellNotedDeed(settings, journal.emit);
  const by = { kind: "cli", user: "alice" } as const;
  noteDeed(settings, "router.adopted", { from: "the container weave" }, by);
  tellNotedDeed(settings, journal.emit);
  tellNotedDeed(settings, journal.emit);
  const restored = { savedAt: "2026-01-02T15:04:05.000Z", ranges: false };
  noteDeed(settings, "state.restored", restored, undefined);
  tellNotedDeed(settings, journal.emit);
  expect(journal.read()).toMatchObject([
    { kind: "router.adopted", details: { from: "the container weave" }, by },
    { kind: "state.restored", details: restored },
  ]);
  expect(journal.read()[1]!.by).toBeUndefined();
});
