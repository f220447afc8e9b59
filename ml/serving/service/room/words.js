// What sources and verdicts are called. A source that is not here goes by its reason or its own name.

const SHELVES = {
  repeat_memory: "You keep coming back to these",
  repeat_artist: "Artists you play a lot",
  item_item: "Goes with what you play",
  ease: "Goes with what you play",
  ials: "Listeners with your taste play it",
  friends: "Your friends listen to these",
  recent_walk: "Near what you played last",
  genre_popularity: "Popular in your genres",
  country_popularity: "Popular in your country",
  content: "Sounds like what you play",
  fresh: "New for you",
  popularity: "Popular these days",
};

const OTHERS = "More for you";

const SOURCES = {
  repeat_memory: "tracks you come back to",
  repeat_artist: "artists you come back to",
  item_item: "goes with your tracks (item-item)",
  ease: "goes with your tracks (EASE)",
  ials: "listeners with your taste (iALS)",
  friends: "friends listen to it",
  recent_walk: "near what you played last",
  genre_popularity: "popular in your genres",
  country_popularity: "popular in your country",
  content: "words and genres like yours",
  fresh: "new in the catalogue",
  popularity: "popular these days",
  transitions: "often follows the last track",
  walk: "often near the last track",
  session_knn: "sessions like this one",
  suffix: "has followed these tracks",
  session_item_item: "goes with this session (item-item)",
  session_content: "words like this session",
  session_memory: "yours, and fits this session",
  same_artist: "more by the artist",
};

const FALLBACKS = {
  leader: "The ranker was out of time: this is the order of the best single source.",
  popularity: "The service was out of time: these are simply popular tracks.",
};

const SURFACES = { home: "Home", now_playing: "Up next" };

function orderedBy(answer) {
  return answer.answered_by === "ranker"
    ? "ordered by the ranker"
    : `in the order of one source: ${SOURCES[answer.answered_by] ?? answer.answered_by}`;
}

function verdict(told, k) {
  const place = SURFACES[told.surface];
  const among = `${told.candidates} candidates, ${orderedBy(told)}`;
  switch (told.verdict) {
    case "shown":
      return `Place ${told.rank} of ${place}, from ${among}.`;
    case "below":
      return `A candidate, but below the ${k} tracks of ${place}: ${among}.`;
    case "rules":
      return `A candidate that a rule of ${place} left out: too many of its artist, another recording of a `
        + `shown song, or blocked. There were ${among}.`;
    case "skipped":
      return "Skipped today, so it is not offered again before tomorrow.";
    default:
      return `Not a candidate: no source proposed it for ${place} now, among ${told.candidates} candidates.`;
  }
}

function troubleOf(status, found) {
  const said = found?.message ? ` It says: ${found.message}` : "";
  const asked = found?.request_id ? ` (request ${found.request_id})` : "";
  switch (status) {
    case 0:
      return "The service does not answer. Does segue serve still run?";
    case 401:
      return "The service answers only with the right token.";
    case 404:
      return `There is no such thing.${said}`;
    case 409:
      return `The service cannot answer this.${said}`;
    case 422:
      return `The service does not take this.${said}`;
    case 429:
      return "Too many calls a second from this machine: wait a moment.";
    case 503:
      return `The service is busy or has no model.${said}`;
    default:
      return `The service failed${asked}.${said}`;
  }
}
