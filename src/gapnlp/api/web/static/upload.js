// Dropping or choosing a file sends it at once; correcting a column looks at the file again.

/** Send the file as soon as there is one, and say how far it is. */
export function startUpload(form) {
  if (!form) return;
  const input = form.querySelector("input[type=file]");
  const drop = form.querySelector(".drop");
  input.addEventListener("change", () => input.files.length && send(form, input.files[0]));
  for (const name of ["dragover", "dragenter"]) {
    form.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) form.addEventListener(name, () => drop.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) send(form, event.dataTransfer.files[0]);
  });
  // A file that misses the box must not open in place of the page.
  for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => event.preventDefault());
}

function send(form, file) {
  const sending = form.querySelector(".sending");
  const bar = sending.querySelector("progress");
  const told = sending.querySelector("[data-told]");
  complain("");
  if (file.size > Number(form.dataset.most)) return complain(form.dataset.tooLarge);
  const fields = new FormData();
  fields.append("form_token", form.elements.form_token.value);
  fields.append("file", file);
  const name = form.querySelector("[data-name]");
  const invitation = name.textContent;
  name.textContent = file.name;
  sending.hidden = false;
  const request = new XMLHttpRequest();
  request.open("POST", form.getAttribute("action"));
  request.setRequestHeader("X-Part", "upload");
  request.responseType = "json";
  request.upload.addEventListener("progress", (event) => {
    const share = event.lengthComputable ? event.loaded / event.total : 0;
    bar.value = share;
    const percent = new Intl.NumberFormat(document.documentElement.lang, { style: "percent" }).format(share);
    told.textContent = share < 1 ? form.dataset.uploading.replace("{share}", percent) : form.dataset.reading;
    if (share >= 1) bar.removeAttribute("value");
  });
  request.addEventListener("loadend", () => {
    const answer = request.response;
    if (answer?.go) return location.assign(answer.go);
    sending.hidden = true;
    form.reset();
    name.textContent = invitation;
    complain(answer?.problem || document.body.dataset.network, answer?.detail);
  });
  request.send(fields);
}

function complain(problem, detail) {
  const place = document.getElementById("upload-problem");
  place.replaceChildren();
  if (!problem) return;
  const alert = document.createElement("div");
  alert.className = "alert";
  alert.setAttribute("role", "alert");
  for (const [text, lang] of [[problem, ""], [detail, "en"]]) {
    if (!text) continue;
    const line = alert.appendChild(document.createElement("p"));
    const words = lang ? line : line.appendChild(document.createElement("strong"));
    words.textContent = text;
    if (lang) line.lang = lang;
  }
  place.append(alert);
}

/** Look at the file again when a column is corrected. */
export function startColumns(place) {
  place?.addEventListener("change", async (event) => {
    if (!event.target.matches("[data-check]")) return;
    const form = event.target.form;
    const focused = event.target.id;
    const fields = new URLSearchParams(new FormData(form));
    fields.set("action", "check");
    place.classList.add("working");
    try {
      const response = await fetch(form.getAttribute("action"), { method: "POST", body: fields, headers: { "X-Part": "columns" } });
      const found = new DOMParser().parseFromString(await response.text(), "text/html");
      if (!found.getElementById("columns-form")) return location.reload();
      place.replaceChildren(...found.body.childNodes);
      document.getElementById(focused)?.focus();
    } catch {
      document.getElementById("spoken").textContent = document.body.dataset.network;
    } finally {
      place.classList.remove("working");
    }
  });
}
