// The room itself: who listens, what is asked, what follows from a deed.

const HOME_K = 40;
const NEXT_K = 6;
const TOLD = 2;
const room = { user: null, session: [], home: null, queue: null, turn: 0 };
const player = new Player(ended);

// Run something that may meet trouble, and say it in words, with a way to try again.
async function attempt(deed) {
  try {
    say("trouble", "");
    return await deed();
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    const why = await problem();
    const again = make("button", { type: "button", class: "quiet", onclick: () => attempt(deed) }, "Try again");
    say("trouble", error.message + (why && !error.message.includes(why) ? ` Not ready: ${why}` : ""));
    by("trouble").append(" ", again);
    return undefined;
  }
}

function showFacts(model) {
  const facts = { Model: model.model_version, "Knows everything through": model.state_day };
  if (model.listeners !== undefined) room.size = `${model.tracks} tracks, ${model.listeners} listeners`;
  if (room.size) facts.Catalogue = room.size;
  if (model.at) facts["Asked at"] = `${model.at.slice(0, 16).replace("T", " ")} UTC`;
  fill("facts", ...Object.entries(facts).map(([name, value]) =>
    make("div", {}, make("dt", {}, name), make("dd", {}, value))));
}

const askHome = (user) => ({ surface: "home", request: { user_id: user, k: HOME_K } });
const askNext = (user, session, k) =>
  ({ surface: "now_playing", request: { user_id: user, session_track_ids: session.slice(-1000), k } });

async function answerTo(asked) {
  const { session_track_ids: session, ...own } = asked.request;
  const answer = asked.surface === "home"
    ? await call("/v1/home", own)
    : await call("/v1/now-playing", { ...own, session_track_ids: session });
  heardFrom = { at: Date.parse(answer.at), ticks: performance.now() };
  // With its time the very same answer can be explained later.
  return { ...answer, asked: { ...asked, request: { ...asked.request, at: answer.at } } };
}

// Answers that come after somebody else was chosen are not shown.
async function refreshHome(deed) {
  const { user, turn, home: before } = room;
  // An id with a slash has no such address; Home answers it all the same.
  const known = call(`/v1/users/${encodeURIComponent(user)}/taste`).catch(() => null);
  const [answer, taste] = await Promise.all([answerTo(askHome(user)), known]);
  if (turn !== room.turn) return;
  room.home = answer;
  say("known", describe(taste));
  const ranks = before && ranksOf(before.tracks);
  showFacts(answer);
  showHome(answer, movesOf(answer.tracks, ranks), playFrom(answer), whyFrom(answer));
  if (deed && before) {
    const names = new Map(before.tracks.map((track) => [track.track_id, nameOf(track)]));
    happened(deed, changed(answer.tracks, ranks, names));
  }
}

async function refreshQueue() {
  const { user, turn, session } = room;
  const playing = player.now?.track.track_id;
  const answer = await answerTo(askNext(user, playing ? [...session, playing] : session, NEXT_K));
  if (turn !== room.turn) return;
  room.queue = answer;
  by("side").classList.add("live");
  showQueue(answer, playFrom(answer), whyFrom(answer));
  say("ahead", answer.tracks.length ? `Next: ${nameOf(answer.tracks[0])}` : "");
}

function happened(deed, effect) {
  by("nothing-yet").hidden = true;
  by("happened").prepend(make("li", {}, make("strong", {}, deed), " ", effect));
  say("latest", `${deed} ${effect}`);
  while (by("happened").children.length > TOLD) by("happened").lastChild.remove();
}

const whyFrom = (answer) => (track) => openDrawer(track, answer.asked, track);

const contextOf = (answer) =>
  ({ user: room.user, session: room.session, surface: answer.surface, request: answer.request_id });

const playFrom = (answer) => async (track) => {
  player.alone = 0;
  const left = player.take();
  // The new track starts at once; what became of the former is stored meanwhile.
  player.start(track, contextOf(answer));
  await attempt(async () => {
    await leftBehind(left);
    await Promise.all([refreshQueue(), left ? refreshHome(deedOf(left)) : null]);
  });
};

// Store what was heard of a track, unless a like has; it is part of the session from here on.
async function leftBehind(playing) {
  const isNew = playing && !playing.left;
  if (isNew) {
    playing.left = true;
    playing.session.push(playing.track.track_id);
  }
  await store(isNew && !playing.liked ? listenOf(playing) : null);
}

// A track ended or was skipped: tell it, ask what comes now, play that.
function ended(playing) {
  const { turn } = room;
  return attempt(async () => {
    await leftBehind(playing);
    const next = answerTo(askNext(room.user, room.session, 1));
    const [answer] = await Promise.all([next, refreshHome(deedOf(playing))]);
    if (turn !== room.turn || player.now) return;
    if (answer.tracks.length) player.start(answer.tracks[0], contextOf(answer));
    else player.rest();
    if (player.now && !player.now.running) happened("Still there?", `Paused after ${ALONE} tracks in a row.`);
    await refreshQueue();
  });
}

async function like() {
  const playing = player.now;
  if (!playing || playing.liked) return;
  player.alone = 0;
  playing.liked = true;
  player.show();
  const listen = listenOf(playing);
  let isSent = false;
  await attempt(async () => {
    const sent = store(isSent ? null : listen);
    isSent = true;
    await sent;
    await Promise.all([refreshHome(`Liked “${nameOf(playing.track)}”, stored as a full play.`), refreshQueue()]);
  });
}

function describe(taste) {
  if (!taste) return "What is known of this listener could not be read.";
  const today = taste.today.length;
  const skipped = taste.today.filter((one) => one.skipped).length;
  const since = today ? ` Since midnight: ${counted(today, "listen")}, ${skipped} skipped.` : "";
  if (!taste.known) return today ? `New.${since}` : "New: nothing is known of this listener yet.";
  const streams = counted(Math.round(taste.habits.streams ?? 0), "stream");
  const tracks = taste.tracks.slice(0, 3).map(nameOf).join(", ");
  return `Known from ${streams}${tracks ? `; comes back to ${tracks}` : ""}.${since}`;
}

async function choose(user) {
  await attempt(async () => {
    // What still plays was heard by the one who leaves.
    const left = player.take();
    player.rest();
    await leftBehind(left);
    Object.assign(room, { user, session: [], home: null, queue: null, turn: room.turn + 1 });
    by("listener").value = user;
    fill("queue");
    fill("happened");
    say("latest", "");
    say("ahead", "");
    fill("shelves");
    by("side").classList.remove("live");
    say("next-note", "Play a track: Now Playing answers for the running session.");
    by("nothing-yet").hidden = false;
    say("known", "");
    say("home-note", "");
    by("home").hidden = by("side").hidden = false;
    by("home-title").textContent = `Home of ${user}`;
    await refreshHome(null);
  });
}

const PAUSE_MS = 150;
let suggesting = 0;

async function suggest() {
  const prefix = by("listener").value;
  const found = await call(`/v1/users?k=12&prefix=${encodeURIComponent(prefix)}`);
  if (prefix === by("listener").value) fill("ids", ...found.users.map((one) => make("option", { value: one.user_id })));
}

async function open() {
  showFacts(await call("/v1/model"));
  const why = await problem();
  if (why) say("trouble", `Answers come from the model in memory, but the service is not ready: ${why}`);
  const { users } = await call("/v1/users?k=6");
  const chips = users.map((one) =>
    make("button", { type: "button", class: "chip", onclick: () => choose(one.user_id) },
      one.user_id, make("span", {}, ` ${counted(Math.round(one.streams), "stream")}`)));
  fill("examples", ...(chips.length ? [make("span", { class: "note" }, "For example, from the busiest:"), ...chips] : []));
}

by("choose").addEventListener("submit", (event) => {
  event.preventDefault();
  choose(by("listener").value);
});
by("listener").addEventListener("input", () => {
  clearTimeout(suggesting);
  suggesting = setTimeout(() => attempt(suggest), PAUSE_MS);
});
by("stranger").addEventListener("click", () => choose(`new-${Date.now().toString(36)}`));
by("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  const id = by("asked").value.trim();
  const shown = room.home?.tracks.find((track) => track.track_id === id);
  openDrawer({ track_id: id }, room.home?.asked ?? askHome(room.user), shown);
});
by("pause").addEventListener("click", () => player.pause());
by("skip").addEventListener("click", () => {
  player.alone = 0;
  player.leave();
});
by("like").addEventListener("click", like);
attempt(open);
