import { asciiGlyphs } from "../terminal/glyphs.ts";
import type { Key } from "../terminal/keys.ts";
import { paneTable } from "./pane-rows.ts";
import { type Pane, type Place, panes, type TopState, type TopView } from "./top-state.ts";

/** What keys do, for the help as well. */
export const keyHelp: ReadonlyArray<readonly [keys: string, text: string]> = [
  ["q, Ctrl-C", "end"],
  ["Tab, 1, 2, 3", "go to the next pane, or to links, containers, events"],
  ["j, k, arrows", "choose another row; Page Up, Page Down, Home and End go further"],
  ["s, r", "sort by the next column; the other way round"],
  ["/", "show only rows with a text; Enter keeps it, Escape lets go of it"],
  ["p, Space", "hold what is shown, and go on"],
  ["?", "this page"],
];

const pageRows = 10;
const filterCharactersMax = 100;

export function keyPressed(state: TopState, key: Key): TopState {
  if (key.name === "interrupt") return { ...state, isOver: true };
  if (state.view.isTyping) return withView(state, typed(state.view, key));
  if (key.name === "character") return commanded(state, key.character);
  const { view } = state;
  switch (key.name) {
    case "tab":
      return withView(state, { pane: neighbour(view.pane, 1) });
    case "backTab":
      return withView(state, { pane: neighbour(view.pane, -1) });
    case "up":
      return moved(state, -1);
    case "down":
      return moved(state, 1);
    case "pageUp":
      return moved(state, -pageRows);
    case "pageDown":
      return moved(state, pageRows);
    case "home":
      return moved(state, Number.NEGATIVE_INFINITY);
    case "end":
      return moved(state, Number.POSITIVE_INFINITY);
    case "escape":
      return withView(state, { hasHelp: false, filter: "" });
    default:
      return state;
  }
}

function commanded(state: TopState, character: string): TopState {
  const { view, live, frozen } = state;
  switch (character) {
    case "q":
      return view.hasHelp ? withView(state, { hasHelp: false }) : { ...state, isOver: true };
    case "1":
    case "2":
    case "3":
      return withView(state, { pane: panes[Number(character) - 1]!, hasHelp: false });
    case "j":
      return moved(state, 1);
    case "k":
      return moved(state, -1);
    case "s":
      return placed(state, ({ sort }) => ({ sort: (sort + 1) % columnCount(state) }));
    case "r":
      return placed(state, ({ isReversed }) => ({ isReversed: !isReversed }));
    case "/":
      return withView(state, { isTyping: true, filter: "" });
    case "p":
    case " ":
      return { ...state, frozen: frozen === undefined ? live : undefined };
    case "?":
    case "h":
      return withView(state, { hasHelp: !view.hasHelp });
    default:
      return state;
  }
}

/** A key that goes to the filter. */
function typed({ filter }: TopView, key: Key): Partial<TopView> {
  switch (key.name) {
    case "character":
      return { filter: (filter + key.character).slice(0, filterCharactersMax) };
    case "erase":
      return { filter: [...filter].slice(0, -1).join("") };
    case "enter":
      return { isTyping: false };
    case "escape":
      return { isTyping: false, filter: "" };
    default:
      return {};
  }
}

function withView(state: TopState, change: Partial<TopView>): TopState {
  return { ...state, view: { ...state.view, ...change } };
}

function placed(state: TopState, change: (place: Place) => Partial<Place>): TopState {
  const { pane, places } = state.view;
  const place = { ...places[pane], ...change(places[pane]) };
  return withView(state, { places: { ...places, [pane]: place } });
}

/** By so many rows, as far as there are any. */
function moved(state: TopState, by: number): TopState {
  const last = Math.max(0, tableOf(state).rows.length - 1);
  return placed(state, ({ row }) => ({ row: Math.min(last, Math.max(0, row + by)) }));
}

function columnCount(state: TopState): number {
  return tableOf(state).columns.length;
}

function tableOf(state: TopState) {
  return paneTable(state, state.view.pane, asciiGlyphs.steps);
}

function neighbour(pane: Pane, by: 1 | -1): Pane {
  return panes[(panes.indexOf(pane) + by + panes.length) % panes.length]!;
}
