// A page with a button per method, and maybe a boosted form.
const METHODS = ["get", "post", "put", "patch", "delete"];
const FAILURES = ["htmx:sendError", "htmx:error"];
const EVENTS = ["served", "swapped", "settled"]; // those that the responses trigger

function end(name) {
    return new Promise((resolve, reject) => {
        document.body.addEventListener(name, resolve, {once: true});
        FAILURES.forEach(failure => document.body.addEventListener(failure, () => reject(new Error(failure)), {once: true}));
    });
}

// Click the buttons one after the other. `last` is the last event of a request.
export async function click(api, process, last, form = "") {
    const buttons = METHODS.map(method => `<button name="${method}" id="${method}-button" hx-${method}="${api}/part"
        hx-prompt="Sure?" hx-target="#wrong">${method}</button>`);
    document.body.innerHTML = `${buttons.join("")}${form}<p id="wrong"></p><p id="right"></p>`;
    const triggered = new Set();
    EVENTS.forEach(name => document.body.addEventListener(name, () => triggered.add(name)));
    process();
    for (const button of document.querySelectorAll("button")) {
        const ended = end(last);
        button.click();
        await ended;
    }
    return {triggered: [...triggered], right: document.getElementById("right").textContent};
}
