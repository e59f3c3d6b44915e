// Choosing a bar or a filter brings its sentences without leaving the page; the address always says what is shown.

/** Make bars, filters and "show more" work in place. */
export function startExplorer(place) {
  if (!place) return;
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (link.matches("[data-bar]")) {
      event.preventDefault();
      visit(link.href, { focus: true });
    } else if (link.matches("[data-more]")) {
      event.preventDefault();
      more(link);
    }
  });
  stick(place.querySelector(".bars"));
  const filters = document.getElementById("filters");
  filters.addEventListener("change", () => visit(addressOf(filters), { focus: false }));
  filters.addEventListener("submit", (event) => {
    event.preventDefault();
    visit(addressOf(filters), { focus: true });
  });
  window.addEventListener("popstate", () => visit(location.href, { focus: false, keep: true }));
}

// Keep the bars in sight while the sentences scroll by; bars taller than the window stop at their own end.
function stick(bars) {
  const place = () => (bars.style.top = `${Math.min(16, window.innerHeight - bars.offsetHeight - 16)}px`);
  new ResizeObserver(place).observe(bars);
  window.addEventListener("resize", place);
}

function addressOf(form) {
  const chosen = [...new FormData(form)].filter(([, value]) => value);
  const query = new URLSearchParams(chosen).toString();
  return form.getAttribute("action") + (query ? `?${query}` : "") + "#found";
}

let latest = 0;

async function visit(address, { focus, keep = false }) {
  const mine = ++latest;
  const found = document.getElementById("found");
  found.classList.add("working");
  try {
    const response = await fetch(address, { headers: { "X-Part": "explore" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (mine !== latest) return;
    const fresh = page.getElementById("found");
    if (!fresh) return location.assign(address);
    found.replaceChildren(...fresh.childNodes);
    follow(page);
    if (!keep) history.pushState(null, "", address);
    const title = document.getElementById("found-title");
    if (focus) {
      title.focus({ preventScroll: true });
      found.scrollIntoView({ block: "nearest" });
      if (found.getBoundingClientRect().top > window.innerHeight * 0.7) found.scrollIntoView();
      if (found.getBoundingClientRect().top < 0) found.scrollIntoView();
    } else {
      say(`${title.textContent}. ${document.getElementById("found-count")?.textContent ?? ""}`);
    }
  } catch {
    say(document.body.dataset.network);
  } finally {
    if (mine === latest) found.classList.remove("working");
  }
}

// Bring bars, filters and the language switch in line with what is shown now.
function follow(page) {
  for (const bar of document.querySelectorAll(".bars [data-bar]")) {
    const fresh = page.querySelector(`.bars [data-bar="${bar.dataset.bar}"]`);
    if (!fresh) continue;
    bar.href = fresh.href;
    if (fresh.hasAttribute("aria-current")) bar.setAttribute("aria-current", "true");
    else bar.removeAttribute("aria-current");
  }
  for (const select of document.querySelectorAll("#filters select")) {
    select.value = page.getElementById(select.id).value;
  }
  const tongues = page.querySelectorAll(".tongues a");
  document.querySelectorAll(".tongues a").forEach((link, at) => (link.href = tongues[at].href));
}

async function more(link) {
  const list = document.getElementById("quotes");
  link.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(link.href, { headers: { "X-Part": "more" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const added = [...page.querySelectorAll(".quotes > li")];
    if (!added.length) return location.assign(link.href);
    list.append(...added);
    const next = page.querySelector("[data-more]");
    if (next) link.href = next.href;
    else link.remove();
    added[0].focus();
    say(page.querySelector("[data-added]").textContent);
  } catch {
    say(document.body.dataset.network);
  } finally {
    link.removeAttribute("aria-busy");
  }
}

function say(words) {
  document.getElementById("spoken").textContent = words;
}
