// Elements from data. Text goes in as text, never as markup.

const by = (id) => document.getElementById(id);

function make(tag, fields = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(fields)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function fill(id, ...children) {
  by(id).replaceChildren(...children);
}

// Replace what a list holds; who stood on a track's button stands on it again, or on the player.
function refill(id, ...children) {
  const focused = by(id).contains(document.activeElement) ? document.activeElement : null;
  const track = focused?.closest("[data-track]")?.dataset.track;
  const kind = focused?.className;
  by(id).replaceChildren(...children);
  if (!track) return;
  const again = [...by(id).querySelectorAll("[data-track]")].find((one) => one.dataset.track === track);
  const button = again && [...again.querySelectorAll("button")].find((one) => one.className === kind);
  (button ?? by("skip")).focus({ preventScroll: true });
}

function say(id, text) {
  by(id).textContent = text;
  by(id).hidden = !text;
}

const nameOf = (track) => track.title ?? track.track_id;
const artistOf = (track) => track.artist ?? "unknown artist";

function clock(ms) {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function figure(value, digits = 4) {
  if (value === null || value === undefined) return "not known";
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e6) return String(value);
  return size !== 0 && (size < 0.001 || size >= 1e6) ? value.toExponential(2) : value.toFixed(digits);
}

// What was added to a score: four places say what a place in the list can hang on.
function signed(value) {
  const size = Math.abs(value).toFixed(4);
  if (Number(size) === 0) return size;
  return (value > 0 ? "+" : "−") + size;
}

const counted = (number, thing) => `${number} ${thing}${number === 1 ? "" : "s"}`;

function table(caption, heads, rows) {
  const cell = (value, place) =>
    place ? make("td", {}, value) : make("th", { scope: "row" }, value);
  return make(
    "table", {},
    make("caption", {}, caption),
    make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
    make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map(cell)))),
  );
}

// A colour of its own for each artist: nothing is fetched, so there are no covers.
function paint(element, track) {
  let number = 0;
  for (const letter of artistOf(track)) number = (number * 31 + letter.codePointAt(0)) % 360;
  element.style.setProperty("--hue", number);
  element.textContent = (Array.from(nameOf(track).trim())[0] ?? "").toUpperCase();
  return element;
}

const tile = (track) => paint(make("span", { class: "tile", "aria-hidden": "true" }), track);
