// A job's progress as it happens: server-sent events, and asking every other second where they do not come through.

const ASK_MS = 2000;

/** Follow one job on its own page; its end leads to the report, or shows what went wrong. */
export function startProgress(place) {
  if (!place?.dataset.events) return;
  let spoken = 0;
  const show = (state) => {
    put(place, state);
    const bar = document.getElementById("bar");
    if (state.share === null) bar?.removeAttribute("value");
    else if (bar) bar.value = state.share;
    if (state.share !== null && Math.floor(state.share * 10) > spoken) {
      spoken = Math.floor(state.share * 10);
      document.getElementById("spoken").textContent = place.dataset.announce.replace("{share}", state.percent);
    }
    if (state.ended) location.replace(state.go);
    return state.ended;
  };
  const source = new EventSource(place.dataset.events);
  let faults = 0;
  source.addEventListener("message", (event) => {
    faults = 0;
    if (show(JSON.parse(event.data))) source.close();
  });
  source.addEventListener("error", () => {
    faults += 1;
    if (source.readyState !== EventSource.CLOSED && faults < 3) return;
    source.close();
    ask(place.dataset.state, show);
  });
}

/** Keep the list of jobs fresh while some of them run. */
export function startList(lines) {
  for (const line of lines) {
    ask(line.dataset.watch, (state) => {
      put(line, state);
      if (state.ended) location.reload();
      return state.ended;
    });
  }
}

function put(place, state) {
  for (const part of place.querySelectorAll("[data-told]")) {
    const words = state[part.dataset.told];
    if (words !== undefined && part.textContent !== words) part.textContent = words;
    if (part.dataset.told === "badge") part.className = `state ${state.state}`;
  }
}

async function ask(address, show) {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, ASK_MS));
    try {
      const response = await fetch(address, { headers: { "X-Part": "state" } });
      if (response.status === 404 || response.status === 401) return location.reload();
      if (response.ok && show(await response.json())) return;
    } catch {
      // The server is away for a moment: the job goes on when it is back, and so does this.
    }
  }
}
