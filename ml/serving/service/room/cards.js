// Home as shelves, the queue, and what moved between two answers.

const COME = "new here";

// How each track moved since the ranks before (a map by id, null at the first answer).
function movesOf(tracks, before) {
  const moves = new Map();
  if (!before) return moves;
  for (const track of tracks) {
    const was = before.get(track.track_id);
    if (was === undefined) moves.set(track.track_id, COME);
    else if (was > track.rank) moves.set(track.track_id, `up ${was - track.rank}`);
    else if (was < track.rank) moves.set(track.track_id, `down ${track.rank - was}`);
  }
  return moves;
}

const ranksOf = (tracks) => new Map(tracks.map((track) => [track.track_id, track.rank]));

function changed(tracks, before, names) {
  const now = ranksOf(tracks);
  const gone = [...before.keys()].filter((id) => !now.has(id));
  const come = tracks.filter((track) => !before.has(track.track_id));
  if (!gone.length && !come.length) {
    const moved = tracks.filter((track) => before.get(track.track_id) !== track.rank).length;
    return moved ? `Home keeps its tracks, ${moved} moved.` : "Home stays as it is.";
  }
  const some = (list) => list.slice(0, 3).join(", ") + (list.length > 3 ? ` and ${list.length - 3} more` : "");
  const left = gone.length ? `Left Home: ${some(gone.map((id) => names.get(id) ?? id))}. ` : "";
  const came = come.length ? `Came: ${some(come.map(nameOf))}.` : "";
  return left + came;
}

function whyButton(track, why) {
  const label = `Why ${nameOf(track)}?`;
  return make("button", { type: "button", class: "why", "aria-label": label, onclick: () => why(track) }, "Why?");
}

function playButton(track, play) {
  const words = make("span", { class: "words" },
    make("strong", {}, nameOf(track)), make("span", { class: "artist" }, artistOf(track)));
  const label = `Play ${nameOf(track)} by ${artistOf(track)}`;
  return make("button", { type: "button", class: "play", "aria-label": label, onclick: () => play(track) },
    tile(track), words);
}

function card(track, move, play, why) {
  return make("li", { class: move === COME ? "card come" : "card", "data-track": track.track_id },
    playButton(track, play),
    make("p", { class: "reason" }, track.reasons.join("; ")),
    make("p", { class: "foot" },
      make("span", { class: "rank" }, `#${track.rank}`),
      move ? make("span", { class: "move" }, move) : null,
      whyButton(track, why)));
}

// Shelves in the order of their best track; a shelf of one is none.
function shelvesOf(tracks) {
  const shelves = new Map();
  for (const track of tracks) {
    const reason = track.reasons[0] ?? "";
    const named = SHELVES[track.sources[0]] ?? (reason ? reason[0].toUpperCase() + reason.slice(1) : OTHERS);
    shelves.set(named, [...(shelves.get(named) ?? []), track]);
  }
  const lone = [...shelves].filter(([, held]) => held.length === 1);
  if (lone.length > 1) {
    lone.forEach(([named]) => shelves.delete(named));
    shelves.set(OTHERS, [...(shelves.get(OTHERS) ?? []), ...lone.flatMap(([, held]) => held)]);
  }
  return shelves;
}

function showHome(answer, moves, play, why) {
  const shelves = [...shelvesOf(answer.tracks)].map(([named, tracks], place) =>
    make("section", { class: "shelf", "aria-labelledby": `shelf-${place}` },
      make("h3", { id: `shelf-${place}` }, named, make("span", { class: "count" }, String(tracks.length))),
      make("ol", {}, ...tracks.map((track) => card(track, moves.get(track.track_id), play, why)))));
  refill("shelves", ...shelves);
  const late = FALLBACKS[answer.fallback];
  const numbers = answer.tracks.length ? ` #1 is first of ${answer.tracks.length}.` : "";
  say("home-note", late ?? `Tracks ${orderedBy(answer)}, on shelves by where they came from.${numbers}`);
}

function showQueue(answer, play, why) {
  say("next-note", answer.tracks.length ? FALLBACKS[answer.fallback] ?? "" : "Nothing follows.");
  refill("queue", ...answer.tracks.map((track) =>
    make("li", { "data-track": track.track_id },
      playButton(track, play),
      whyButton(track, why),
      make("p", { class: "reason" }, track.reasons.join("; ")))));
}
