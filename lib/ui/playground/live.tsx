import { useState } from "preact/hooks";
import { formatIpv4 } from "../../base/ip.ts";
import { explain } from "../../simulator/playground/explain.ts";
import { playgroundRange } from "../../simulator/playground/playground.ts";
import type { PlaygroundHost, PlaygroundView } from "../../simulator/playground/view.ts";
import { BeliefTable } from "./belief-table.tsx";
import { RingPart } from "./ring-part.tsx";
import { Stage, type StageLink } from "./stage.tsx";
import { type Running, speeds, usePlayground } from "./use-playground.ts";

const speedNames = { 0: "Pause", 1: "1×", 10: "10×" } as const;

/** Five hosts, and all that can be done to them. */
export function Live() {
  const running = usePlayground();
  const [selected, select] = useState(1);
  const { view } = running;
  const host = view.hosts.find(({ number }) => number === selected)!;
  const belief = view.beliefs.each.find(({ number }) => number === selected);
  return (
    <main class="columns">
      <section class="scene" aria-label="The network">
        <Controls running={running} />
        <Stage
          hosts={view.hosts.map((each) => stageHost(each, view))}
          links={view.cables.map(stageLink)}
          flights={view.flights.map((flight, index) => {
            const share = (view.nowMs - flight.departMs) / (flight.arriveMs - flight.departMs);
            const progress = Math.min(flight.isLost ? 0.5 : 1, Math.max(0, share));
            const { from, to, channel } = flight;
            return { key: `${index}`, from, to, progress, kind: channelKind(channel) };
          })}
          {...{ selected, select }}
          toggle={(link, isOneWay) =>
            running.act((playground) => {
              if (link.state === "cut" || link.state === "one way") playground.heal(link.a, link.b);
              else playground.cut(link.a, link.b, isOneWay ? "one" : "both");
            })
          }
        />
        <p class="legend faint">
          <span class="flight-mark topology" /> topology <span class="flight-mark addresses" />{" "}
          addresses <span class="flight-mark names" /> names. The scissors on a link cut it, and
          heal it again; with Shift, or by the key O, one way alone.
        </p>
        <div class="story" role="status" aria-live="polite">
          {explain(view).map((sentence) => (
            <p key={sentence}>{sentence}</p>
          ))}
        </div>
      </section>
      <aside aria-label="What hosts believe">
        <HostPart host={host} running={running} />
        <BeliefTable
          beliefs={view.beliefs}
          label={(number) => `${number}`}
          numbers={view.hosts.map(({ number }) => number)}
          {...{ selected, select }}
        />
        <h3>Who owns which addresses, says {selected}</h3>
        <RingPart
          belief={belief}
          range={playgroundRange}
          inUse={host.names.map(({ address }) => address)}
          peers={view.hosts.map(({ number, peer }) => ({
            ...{ name: peer, label: `${number}`, key: number },
          }))}
          select={select}
        />
        <h3>What happened</h3>
        <ol class="log">
          {view.log.toReversed().map(({ atMs, text }, index) => (
            <li key={view.log.length - index}>
              <time>{(atMs / 1000).toFixed(1)} s</time> {text}
            </li>
          ))}
        </ol>
      </aside>
    </main>
  );
}

function Controls({ running }: { running: Running }) {
  const { view, speed, setSpeed, step, act, restart } = running;
  return (
    <div class="controls" role="toolbar" aria-label="Time and cables">
      <span class="clock">{(view.nowMs / 1000).toFixed(1)} s</span>
      {speeds.map((each) => (
        <button
          type="button"
          key={each}
          aria-pressed={speed === each}
          onClick={() => setSpeed(each)}
        >
          {speedNames[each]}
        </button>
      ))}
      <button type="button" onClick={step}>
        Step
      </button>
      <button type="button" onClick={() => act((playground) => playground.split([3, 4]))}>
        Split off 3 and 4
      </button>
      <button type="button" onClick={() => act((playground) => playground.healAll())}>
        Heal all
      </button>
      <button type="button" onClick={restart}>
        Start anew
      </button>
    </div>
  );
}

function HostPart({ host, running: { act } }: { host: PlaygroundHost; running: Running }) {
  const { number, isRunning, containers, names } = host;
  return (
    <>
      <h2>
        <span class="faint">Host</span> {number}
      </h2>
      <div class="controls">
        <button
          type="button"
          disabled={!isRunning}
          onClick={() => act((playground) => playground.addContainer(number))}
        >
          Start a container
        </button>
        <button
          type="button"
          onClick={() =>
            act((playground) => (isRunning ? playground.kill(number) : playground.restart(number)))
          }
        >
          {isRunning ? "Kill its router" : "Start its router"}
        </button>
      </div>
      <p class="things">
        {containers.length === 0 && <span class="faint">No containers yet.</span>}
        {containers.map(({ name, address }) => (
          <span class="thing" key={name}>
            {name} {address === undefined ? "waits" : formatIpv4(address)}
          </span>
        ))}
      </p>
      <p class="faint">
        {names.length === 0
          ? "It answers for no name."
          : `It answers for ${names.map(({ name }) => name).join(", ")}.`}
      </p>
    </>
  );
}

/** More containers than this are counted. */
const dotsMax = 5;

function stageHost(host: PlaygroundHost, { beliefs }: PlaygroundView) {
  const { number, isRunning, containers } = host;
  const part = beliefs.parts.findIndex((group) => group.includes(number));
  const count = containers.length;
  const note = count > dotsMax ? `▪ ${count}` : "▪".repeat(count);
  return { number, label: `${number}`, isRunning, part: Math.max(0, part), note };
}

function stageLink({ a, b, cable, carries }: PlaygroundView["cables"][number]): StageLink {
  const where = `Link between ${a} and ${b}`;
  if (cable === "both") return { a, b, state: "cut", title: `${where}: cut` };
  if (cable !== "whole") {
    const [from, to] = cable;
    const title = `${where}: ${to} does not hear ${from}`;
    return { a, b, state: "one way", deafTo: from, title };
  }
  return { a, b, state: carries ? "carries" : "coming", title: `${where}: whole` };
}

function channelKind(channel: string): string {
  if (channel === "topology") return "topology";
  return channel === "IPallocation" ? "addresses" : "names";
}
