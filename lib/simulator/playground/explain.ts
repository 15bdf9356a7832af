import type { PlaygroundView } from "./view.ts";

/** What is going on, in a few short sentences, the most urgent first. */
export function explain(view: PlaygroundView): string[] {
  return [...troubles(view), ...waiting(view), ...network(view), ...names(view)];
}

function troubles({ addressesTwice }: PlaygroundView): string[] {
  return addressesTwice.map((text) => `An address is held twice: ${text}. This must never happen.`);
}

function waiting({ hosts, beliefs }: PlaygroundView): string[] {
  const waiting = hosts.flatMap(({ containers, number, isRunning }) =>
    isRunning
      ? containers
          .filter(({ address }) => address === undefined)
          .map(({ name }) => ({ name, number }))
      : [],
  );
  const hasRing = beliefs.each.some(({ ranges }) => ranges.length > 0);
  if (!hasRing && waiting.length === 0) {
    return [
      "Nobody owns addresses yet: start a container, and a majority of the hosts divides the range among them.",
    ];
  }
  return waiting.map(({ name, number }) =>
    hasRing
      ? `${name} waits: ${number} has no free address and asks other hosts for some of theirs.`
      : `${name} waits: the hosts vote on who makes the ring. That takes ${majority(hosts.length)} of ${hosts.length}.`,
  );
}

function network(view: PlaygroundView): string[] {
  const { hosts, beliefs, cables } = view;
  const dead = hosts.filter(({ isRunning }) => !isRunning).map(({ number }) => number);
  const found = dead.map(
    (number) =>
      `The router of ${number} is dead. Its ranges stay its own, for it may come back: nobody takes them unless you say so (weave rmpeer).`,
  );
  const doubtful = cables.filter(({ cable, carries }) => cable !== "whole" && carries);
  if (doubtful.length > 0) found.push(...unnoticed(doubtful));
  const { parts } = beliefs;
  if (parts.length > 1 && doubtful.length === 0) found.push(...partition(view));
  const detours = cables.filter(({ a, b, cable, carries }) => {
    const together = parts.some((part) => part.includes(a) && part.includes(b));
    return cable !== "whole" && !carries && together;
  });
  for (const { a, b } of detours) {
    found.push(`${a} and ${b} reach each other by way of others: frames are passed on.`);
  }
  if (found.length === 0) found.push(...whole(view));
  return found;
}

function unnoticed(cables: PlaygroundView["cables"]): string[] {
  const cut = cables.filter(({ cable }) => cable === "both").map(({ a, b }) => `${a}–${b}`);
  const oneWay = cables.flatMap(({ cable }) => (typeof cable === "string" ? [] : [cable]));
  return [
    ...(cut.length > 0
      ? [
          `Nobody knows yet that ${cut.join(", ")} ${cut.length === 1 ? "is" : "are"} cut: TCP repeats for nine seconds before it gives a link up.`,
        ]
      : []),
    ...oneWay.map(
      ([from, to]) =>
        `${to} hears nothing from ${from}, and ${from} does not know: only missing acknowledgements tell.`,
    ),
  ];
}

function partition({ beliefs: { parts, each } }: PlaygroundView): string[] {
  const split = parts.map((part) => part.join(", ")).join(" | ");
  const hasRing = each.some(({ ranges }) => ranges.length > 0);
  const found = [`The network is in ${parts.length} parts: ${split}.`];
  if (!hasRing) return found;
  const smallest = parts.at(-1)!;
  const verb = smallest.length === 1 ? "answers from its" : "answer from their";
  found.push(
    `${smallest.join(" and ")} still ${verb} own share, and so do the others: no address is lost in a partition, and none is given twice.`,
  );
  return found;
}

function whole({ cables, beliefs: { parts, rings }, hosts }: PlaygroundView): string[] {
  const links = cables.filter(({ carries }) => carries).length;
  if (parts.length > 1) return ["The hosts are finding each other."];
  if (rings.length > 1) return ["News of who owns what is on its way."];
  return [`All ${hosts.length} hosts reach each other, over ${links} links.`];
}

function names({ hosts, beliefs: { each, parts } }: PlaygroundView): string[] {
  const given = hosts.flatMap(({ containers }) =>
    containers.filter(({ address }) => address !== undefined),
  ).length;
  if (given === 0) return [];
  const isEverywhere = each.every((belief) => belief.names === given);
  if (isEverywhere)
    return [`Every host answers for ${given === 1 ? "the one name" : `all ${given} names`}.`];
  if (parts.length > 1)
    return ["Names of hosts out of reach are forgotten, and told again when they are back."];
  return ["Names are told on from host to host."];
}

function majority(count: number): number {
  return Math.floor(count / 2) + 1;
}
