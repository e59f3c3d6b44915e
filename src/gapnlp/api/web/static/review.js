// Keys of the review queue: they press the form's own buttons, so everything works without them too.
const OFF = "gapnlp-review-keys-off";

/** Let keys label, save and take back. */
export function startReview(help) {
  if (!help) return;
  const form = document.getElementById("review");
  const on = document.getElementById("keys-on");
  on.checked = localStorage.getItem(OFF) === null;
  on.addEventListener("change", () => (on.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1")));
  let sent = false;
  const send = (target) => {
    if (sent || !target) return;
    sent = true;
    target.requestSubmit();
  };
  form?.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
  });
  // A page that the browser kept, and shows again on the way back, is asked for anew.
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Enter") {
      if (event.target.closest("a, button, summary")) return;
      event.preventDefault();
      if (!event.repeat) send(form);
      return;
    }
    if (!on.checked || event.repeat) return;
    const key = event.key.toLowerCase();
    if (key === "?") help.open = !help.open;
    else if (key === "u") send(document.getElementById("undo"));
    else if (key === "n") document.getElementById("skip")?.click();
    else if (!press(form, key)) return;
    event.preventDefault();
  });
}

// Whether the key meant something.
function press(form, key) {
  if (!form || !/^[a-z1-5]$/.test(key)) return false;
  const cycle = form.querySelector(`[data-cycle="${key}"]`);
  const one = form.querySelector(`[data-key="${key}"]`);
  if (cycle) {
    const choices = [...cycle.querySelectorAll("input")];
    const next = choices[(choices.findIndex((choice) => choice.checked) + 1) % choices.length];
    next.checked = true;
    say(cycle.querySelector("legend"), next);
  } else if (one) {
    one.checked = one.type === "radio" || !one.checked;
    say(one.closest("fieldset")?.querySelector("legend"), one);
  }
  return Boolean(cycle || one);
}

function say(legend, input) {
  const words = (node) => [...node.childNodes].filter((n) => n.nodeType === Node.TEXT_NODE).map((n) => n.textContent).join(" ").trim();
  const name = words(input.parentElement);
  document.getElementById("spoken").textContent = `${legend ? words(legend) : ""}: ${name}${input.checked ? " ✓" : " –"}`;
}
