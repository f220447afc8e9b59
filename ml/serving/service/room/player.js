// Playing that is pretended: seconds pass, faster where asked, and nothing sounds.

const STREAM_MS = 30_000;
const USUAL_MS = 180_000;
const TICK_MS = 100;
// Whoever walked away shall not be given listens without end.
const ALONE = 20;

// `ended(playing)` is called once for each track: at its end, or when it is left.
class Player {
  constructor(ended) {
    this.ended = ended;
    this.now = null;
    this.busy = false;
    this.alone = 0;
    setInterval(() => this.tick(), TICK_MS);
  }

  // `context`: user and session of the room, surface and request of the answer that showed the track.
  start(track, context) {
    this.busy = false;
    this.now = {
      track, ...context,
      heard: 0, length: track.duration_ms ?? USUAL_MS, running: this.alone < ALONE, liked: false,
      ticks: performance.now(),
    };
    this.show();
  }

  tick() {
    const now = this.now;
    if (!now?.running) return;
    const ticks = performance.now();
    now.heard = Math.min(now.length, now.heard + (ticks - now.ticks) * Number(by("speed").value));
    now.ticks = ticks;
    this.show();
    if (now.heard >= now.length) {
      this.alone += 1;
      this.leave();
    }
  }

  // Give the track up, heard as far as it was.
  take() {
    const now = this.now;
    this.now = null;
    return now;
  }

  leave() {
    const now = this.take();
    if (!now) return;
    this.busy = true;
    this.show();
    this.ended(now);
  }

  rest() {
    this.busy = false;
    this.show();
  }

  pause() {
    if (!this.now) return;
    this.alone = 0;
    this.now.running = !this.now.running;
    this.now.ticks = performance.now();
    this.show();
  }

  show() {
    const now = this.now;
    by("player").hidden = !now && !this.busy;
    for (const id of ["pause", "skip", "like"]) by(id).disabled = !now;
    if (!now) return;
    paint(by("playing-tile"), now.track);
    by("playing-title").textContent = nameOf(now.track);
    by("playing-artist").textContent = artistOf(now.track);
    by("heard").textContent = clock(now.heard);
    by("length").textContent = clock(now.length);
    by("progress").value = now.heard / now.length;
    by("pause").textContent = now.running ? "Pause" : "Play";
    const isSkip = now.heard < STREAM_MS && !now.liked;
    by("skip").textContent = isSkip ? "Skip" : "Next";
    by("skip").title = isSkip ? "Under 30 s: stored as a skip" : "Stored as played";
    by("like").textContent = now.liked ? "Liked" : "Like";
    by("like").setAttribute("aria-pressed", String(now.liked));
    by("like").disabled = now.liked;
  }
}

// What a track is stored as.
function listenOf(playing) {
  return {
    user_id: playing.user,
    track_id: playing.track.track_id,
    ms_played: Math.round(playing.liked ? playing.length : playing.heard),
    surface: playing.surface,
    request_id: playing.request,
  };
}

function deedOf(playing) {
  const named = `“${nameOf(playing.track)}”`;
  if (playing.liked) return `Left ${named}, which was liked.`;
  if (playing.heard < Math.min(STREAM_MS, playing.length)) {
    return `Skipped ${named} after ${Math.round(playing.heard / 1000)}\u00a0s.`;
  }
  return `Played ${named}${playing.heard >= playing.length ? " to its end" : ` for ${clock(playing.heard)}`}.`;
}
