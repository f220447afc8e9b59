// Behind one track: who proposed it, and what made its score.

function bar(value, largest) {
  const held = make("span", { class: value < 0 ? "bar less" : "bar", "aria-hidden": "true" });
  held.style.setProperty("--part", largest ? Math.abs(value) / largest : 0);
  return held;
}

function proposals(told) {
  const rows = told.sources.map((one) =>
    [SOURCES[one.source] ?? one.source, String(one.rank), figure(one.score)]);
  const silent = told.silent.map((name) => SOURCES[name] ?? name).join("; ");
  return [
    make("h3", {}, "Who proposed it"),
    rows.length ? table("Sources, each with its own place and score", ["Source", "Place", "Score"], rows) : null,
    silent ? make("p", { class: "note" }, `Did not: ${silent}.`) : null,
  ];
}

function features(told, family) {
  const own = told.features.filter((one) => one.family === family);
  const rows = own.map((one) => [
    one.name, figure(one.value), one.contribution === null ? "-" : signed(one.contribution)]);
  return table(`Features of: ${family}`, ["Feature", "Value", "Added"], rows);
}

function shares(told) {
  const largest = Math.max(...told.families.map((one) => Math.abs(one.contribution)), 0);
  const parts = told.families.map((one) =>
    make("details", {},
      make("summary", {},
        make("span", { class: "family" }, one.family),
        bar(one.contribution, largest),
        make("span", { class: "share" }, signed(one.contribution))),
      features(told, one.family)));
  return [
    make("h3", {}, "What made its score"),
    make("p", { class: "note" }, `${signed(told.base)} for a track that nothing is known of, and what each `
      + `family of features adds (exact SHAP), make the score ${signed(told.score)}.`),
    ...parts,
  ];
}

function plainFeatures(told) {
  if (!told.features.length) return [];
  const families = [...new Set(told.features.map((one) => one.family))];
  return [
    make("h3", {}, "What is known of it"),
    make("p", { class: "note" }, "No ranker made this order, so no feature added anything to a score."),
    ...families.map((one) => make("details", {}, make("summary", {}, one), features(told, one))),
  ];
}

// What was shown and what the model says when it is asked again must agree.
function agreement(told, shown) {
  if (!shown || told.score === null) return null;
  const differs = Math.abs(told.score - shown.score) > 1e-6 * Math.max(1, Math.abs(shown.score));
  if (!differs && told.rank === shown.rank) return null;
  return make("p", { class: "warning" }, `Shown was place ${shown.rank} with score ${figure(shown.score)}: that `
    + "answer fell back, or another model serves by now. This is what it says when asked again without haste.");
}

async function openDrawer(track, asked, shown) {
  fill("drawer-title", nameOf(track));
  fill("drawer-body", make("p", { class: "note" }, "Asking ..."));
  if (!by("drawer").open) by("drawer").showModal();
  by("drawer").scrollTop = 0;
  try {
    const told = await call("/v1/explain", { ...asked, track_id: track.track_id });
    fill("drawer-title", nameOf(told), make("span", { class: "artist" }, artistOf(told)));
    const parts = [
      make("p", { class: "verdict" }, verdict(told, asked.request.k)),
      shown ? make("p", {}, `The reason given: ${shown.reasons.join("; ")}.`) : null,
      agreement(told, shown),
      ...(told.verdict === "skipped" ? [] : proposals(told)),
      ...(told.families.length ? shares(told) : plainFeatures(told)),
      make("p", { class: "note" }, `Track ${told.track_id}, model ${told.model_version}, everything known `
        + `through ${told.state_day}.`),
    ];
    fill("drawer-body", ...parts.filter((part) => part));
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    fill("drawer-body", make("p", { class: "warning" }, error.message));
  }
}

by("close").addEventListener("click", () => by("drawer").close());
by("drawer").addEventListener("click", (event) => {
  if (event.target === by("drawer")) by("drawer").close();
});
