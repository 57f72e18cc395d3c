// htmx 4, which sends its requests by fetch, and boosts no form of another origin.
import htmx from "htmx.org/dist/htmx.esm.js";
import {click} from "./shared/htmx.js";

htmx.config.mode = "cors";
globalThis.run = api => click(api, () => htmx.process(document.body), "htmx:finally:request");
