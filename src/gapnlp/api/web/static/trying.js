// The box to try a text answers in place.

/** Read the text without leaving the page. */
export function startTrying(form) {
  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const result = document.getElementById("try-result");
    const button = form.querySelector("button[type=submit]");
    const label = button.textContent;
    button.disabled = true;
    button.textContent = form.dataset.working;
    try {
      const fields = new URLSearchParams(new FormData(form));
      const response = await fetch(form.getAttribute("action"), { method: "POST", body: fields, headers: { "X-Part": "result" } });
      if (!response.headers.get("content-type")?.startsWith("text/html")) throw new Error("no page");
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      result.replaceChildren(...page.body.childNodes);
      result.scrollIntoView({ block: "nearest" });
    } catch {
      result.textContent = document.body.dataset.network;
    } finally {
      button.disabled = false;
      button.textContent = label;
    }
  });
}
