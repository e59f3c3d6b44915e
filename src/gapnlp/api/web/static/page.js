// What every page does with a script: nothing of it is needed, all of it works by plain links and forms too.
import { startUpload, startColumns } from "./upload.js";
import { startProgress, startList } from "./progress.js";
import { startExplorer } from "./explore.js";
import { startReview } from "./review.js";
import { startTrying } from "./trying.js";

document.documentElement.classList.add("scripted");

for (const time of document.querySelectorAll("time[data-local]")) {
  const language = document.documentElement.lang;
  const own = navigator.languages.find((wanted) => wanted.startsWith(language.slice(0, 2)));
  const format = new Intl.DateTimeFormat(own ?? language, { dateStyle: "long", timeStyle: "short" });
  time.textContent = format.format(new Date(time.dateTime));
}

startUpload(document.getElementById("upload"));
startColumns(document.getElementById("columns"));
startProgress(document.getElementById("progress"));
startList(document.querySelectorAll("[data-watch]"));
startExplorer(document.getElementById("explore"));
startTrying(document.getElementById("try-form"));
startReview(document.getElementById("keys"));
