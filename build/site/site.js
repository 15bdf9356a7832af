// What a page of the site does in a browser: search, and copying of commands. Nothing is asked of anybody
// but the site.
const root = document.documentElement;
const form = document.querySelector("form[role=search]");
const input = form.querySelector("input");
const results = form.querySelector(".results");
const resultsMax = 20;
const snippetCharacters = 160;

form.hidden = false;

let loading;
/** The index is had once somebody searches. It is a script, because files cannot be fetched. */
function entries() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = root.dataset.search;
    script.onload = () => resolve(window.searchEntries);
    script.onerror = reject;
    document.head.append(script);
  });
  return loading;
}

/** How well an entry fits words, of which all have to be in it; 0: not. */
function score(entry, words) {
  const [title, heading, text] = [entry.t, entry.h, entry.x].map((part) => part.toLowerCase());
  let sum = 0;
  for (const word of words) {
    const at = text.indexOf(word);
    const points =
      (heading.includes(word) ? 20 : 0) +
      (heading.startsWith(word) ? 10 : 0) +
      (title.includes(word) ? 8 : 0) +
      (at >= 0 ? 2 + Math.min(text.split(word).length - 1, 5) : 0);
    if (points === 0) return 0;
    sum += points;
  }
  return sum;
}

/** An element with what it holds. */
function element(name, ...children) {
  const made = document.createElement(name);
  made.append(...children);
  return made;
}

/** The part of a text around the first of the words, with all of them marked. */
function snippet(text, words) {
  const lower = text.toLowerCase();
  const first = Math.max(
    0,
    Math.min(...words.map((word) => lower.indexOf(word)).filter((at) => at >= 0)),
  );
  const begin = Number.isFinite(first) ? Math.max(0, first - 40) : 0;
  const part = text.slice(begin, begin + snippetCharacters);
  const pattern = new RegExp(
    `(${words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|")})`,
    "gi",
  );
  return part.split(pattern).map((piece, at) => (at % 2 === 1 ? element("mark", piece) : piece));
}

async function search() {
  const query = input.value.trim().toLowerCase();
  const words = query.split(/\s+/).filter((word) => word !== "");
  results.hidden = words.length === 0;
  if (words.length === 0) return;
  const found = (await entries())
    .map((entry) => ({ entry, points: score(entry, words) }))
    .filter(({ points }) => points > 0)
    .sort((a, b) => b.points - a.points)
    .slice(0, resultsMax);
  // Somebody may have typed on while the index was on its way.
  if (input.value.trim().toLowerCase() !== query) return;
  const base = new URL(root.dataset.search, location.href);
  const list = element("ul");
  for (const { entry } of found) {
    const heading = entry.h === entry.t ? entry.t : `${entry.t} › ${entry.h}`;
    const link = element(
      "a",
      element("strong", heading),
      element("span", ...snippet(entry.x, words)),
    );
    link.href = new URL(entry.u, base).href;
    list.append(element("li", link));
  }
  results.replaceChildren(
    found.length > 0 ? list : element("p", "Nothing has all of these words."),
  );
}

input.addEventListener("input", search);
input.addEventListener("focus", search);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  results.querySelector("a")?.click();
});
document.addEventListener("keydown", (event) => {
  const isTyping = event.target instanceof HTMLInputElement;
  if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    input.focus();
  }
  if (event.key === "Escape") {
    results.hidden = true;
    input.blur();
  }
  if (["ArrowDown", "ArrowUp"].includes(event.key) && form.contains(event.target)) move(event);
});
document.addEventListener("click", (event) => {
  if (!form.contains(event.target)) results.hidden = true;
});
results.addEventListener("click", () => {
  results.hidden = true;
});

/** Up and down between the field and what was found. */
function move(event) {
  event.preventDefault();
  const stops = [input, ...results.querySelectorAll("a")];
  const step = event.key === "ArrowDown" ? 1 : -1;
  stops[stops.indexOf(document.activeElement) + step]?.focus();
}

// Commands can be copied, where the browser lets pages do that.
if (navigator.clipboard !== undefined) {
  for (const figure of document.querySelectorAll("figure.sh")) {
    const button = element("button", "Copy");
    button.type = "button";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(figure.querySelector("code").textContent);
      button.textContent = "Copied";
    });
    figure.append(button);
  }
}
