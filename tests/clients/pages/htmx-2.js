// htmx 2: each method, a boosted form, and response headers that choose the target and trigger events.
import htmx from "htmx-2";
import {click} from "./shared/htmx.js";

htmx.config.selfRequestsOnly = false;
globalThis.prompt = () => "yes";
globalThis.run = api => {
    const form = `<form hx-boost="true" action="${api}/part" method="post"><button>boosted</button></form>`;
    return click(api, () => htmx.process(document.body), "htmx:afterSettle", form);
};
