import { useState } from "preact/hooks";
import { formatIpv4, formatIpv4Cidr } from "../../base/ip.ts";
import type { Scene } from "../../simulator/incident/replay.ts";
import type { Script } from "../../simulator/incident/script.ts";
import { BeliefTable } from "./belief-table.tsx";
import type { Incident } from "./open-incident.ts";
import { RingPart } from "./ring-part.tsx";
import { Stage } from "./stage.tsx";

/** What a bundle tells, moment by moment. */
export function Replay({ incident }: { incident: Incident }) {
  const { script, scenes, end } = incident;
  const { cast } = script;
  const all = [...scenes, end.healing.scene];
  const [at, setAt] = useState(0);
  const [selected, select] = useState(script.observer);
  const scene = all[Math.min(at, all.length - 1)]!;
  const numbers = cast.names.map((_, index) => index + 1);
  const belief = scene.beliefs.each.find(({ number }) => number === selected);
  return (
    <main class="columns">
      <section class="scene" aria-label="The network">
        <div class="controls" role="toolbar" aria-label="Moments">
          <button type="button" disabled={at === 0} onClick={() => setAt(at - 1)}>
            Back
          </button>
          <button type="button" disabled={at === all.length - 1} onClick={() => setAt(at + 1)}>
            Next
          </button>
          <label>
            Moment {at} of {all.length - 1}
            <input
              type="range"
              min="0"
              max={all.length - 1}
              value={at}
              onInput={(event) => setAt(Number(event.currentTarget.value))}
            />
          </label>
        </div>
        <Stage
          hosts={numbers.map((number) => stageHost(number, script, scene))}
          links={scene.links.map(([a, b]) => ({
            ...{ a, b, state: "carries" as const },
            title: `Link between ${cast.label(a)} and ${cast.label(b)}`,
          }))}
          flights={[]}
          {...{ selected, select }}
        />
        <div class="story" role="status" aria-live="polite">
          {textsOf(incident, scene, at).map((text) => (
            <p key={text}>{text}</p>
          ))}
        </div>
      </section>
      <aside aria-label="What hosts believe">
        <h2>
          <span class="faint">Host</span> {cast.label(selected)}
        </h2>
        <BeliefTable
          beliefs={scene.beliefs}
          label={(number) => cast.label(number)}
          {...{ numbers, selected, select }}
        />
        {script.ring !== undefined && (
          <>
            <h3>Who owns which addresses, says {cast.label(selected)}</h3>
            <RingPart
              belief={belief}
              range={formatIpv4Cidr(script.ring.universe)}
              inUse={script.names.map(({ address }) => formatIpv4(address))}
              peers={cast.names.map((name, index) => ({
                ...{ name, label: cast.nickname(name), key: index + 1 },
              }))}
              select={select}
            />
          </>
        )}
        <h3>What the bundle cannot say</h3>
        <ul class="log">
          {script.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      </aside>
    </main>
  );
}

function textsOf({ script, scenes, end }: Incident, scene: Scene, at: number): string[] {
  const { parts } = scene.beliefs;
  const labels = parts.map((part) => part.map((number) => script.cast.label(number)).join(", "));
  const network =
    parts.length === 1
      ? `One network: ${labels[0]}.`
      : `${parts.length} parts: ${labels.join(" | ")}.`;
  if (at === 0) return ["How it was in the beginning.", network];
  if (at < scenes.length) {
    const when = new Date(scene.atMs ?? 0).toLocaleString();
    return [when, ...scene.texts.map((text) => `${text}.`), network];
  }
  const how = end.healing.isWhole
    ? `Everything is plugged in again: after ${Math.round(end.healing.afterMs / 1000)} s all reach all, and have one ring.`
    : "Everything is plugged in again, and it does not heal.";
  return [how, network];
}

function stageHost(number: number, { cast, observer }: Script, { beliefs }: Scene) {
  const isRunning = beliefs.each.some((each) => each.number === number);
  const part = Math.max(
    0,
    beliefs.parts.findIndex((group) => group.includes(number)),
  );
  const note = number === observer ? "told this" : "";
  return { number, label: cast.label(number), isRunning, part, note };
}
