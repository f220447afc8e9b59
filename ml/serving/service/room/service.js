// Calls to the service: its token, its time, its refusals in words.

class Trouble extends Error {}

const TOKEN = "segue.token";
let asking = null;
let heardFrom = { at: Date.now(), ticks: performance.now() };

// The service's own time, which in a home whose data has ended is not today's: never ahead of it.
const serviceTime = () => new Date(heardFrom.at + performance.now() - heardFrom.ticks).toISOString();

function askForToken(note) {
  asking ??= new Promise((resolve, reject) => {
    say("token-note", note);
    by("token").value = "";
    by("token-dialog").showModal();
    by("token-form").onsubmit = (event) => {
      event.preventDefault();
      sessionStorage.setItem(TOKEN, by("token").value.trim());
      resolve();
      by("token-dialog").close();
    };
    by("token-dialog").onclose = () => {
      asking = null;
      reject(new Trouble(troubleOf(401)));
    };
  });
  return asking;
}

async function fetched(path, body) {
  const headers = { accept: "application/json" };
  const token = sessionStorage.getItem(TOKEN);
  if (token) headers.authorization = `Bearer ${token}`;
  if (body) headers["content-type"] = "application/json";
  try {
    const fields = { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body) };
    return { response: await fetch(path, fields), token };
  } catch (error) {
    // Not Latin-1, which no header can carry.
    if (token && /[^\x20-\xff]/.test(token)) return { response: { status: 401 }, token };
    throw new Trouble(troubleOf(0), { cause: error });
  }
}

async function call(path, body = null) {
  const { response, token } = await fetched(path, body);
  if (response.status === 401) {
    // Calls made side by side are all refused; the token may have been given since.
    if (token === sessionStorage.getItem(TOKEN)) {
      await askForToken(token ? "That token is not right." : "");
    }
    return call(path, body);
  }
  const found = await response.json().catch(() => null);
  if (!response.ok) throw new Trouble(troubleOf(response.status, found));
  return found;
}

const problem = () => fetch("/ready").then((found) => found.json()).then((found) => found.problem, () => null);

function uniqueId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return "room-" + Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Listens that the service has not confirmed yet, oldest first: sent again they are known by their id.
const unstored = [];
let storing = Promise.resolve();

async function storeAll() {
  while (unstored.length) {
    const stored = await call("/v1/events", { events: unstored.slice(0, 1) });
    unstored.shift();
    if (stored.rejected.length) throw new Trouble(`A listen was not taken: ${stored.rejected[0].reason}.`);
  }
}

// Returns once this listen and all before it are stored.
function store(listen = null) {
  if (listen) unstored.push({ kind: "listen", listen_id: uniqueId(), played_at: serviceTime(), ...listen });
  storing = storing.catch(() => null).then(storeAll);
  return storing;
}
