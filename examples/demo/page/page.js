// Makes every call of the plan, and shows the results that the browser lets the script see.

const PATIENCE = 5000; // milliseconds
const REFUSALS = [403, 421]; // statuses of the middleware, if the app doesn't run

const passed = ({ status }) => !REFUSALS.includes(status);

const attempts = {
  async fetch(url, { method, headers, body, credentials, reads }) {
    const response = await fetch(url, {
      method,
      headers,
      body: method === "GET" ? undefined : body,
      credentials: credentials ? "include" : "same-origin",
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (reads) {
      const value = response.headers.get(reads);
      return { allowed: passed(response) && value !== null, said: `${response.status}, ${reads}: ${value}` };
    }
    return { allowed: passed(response), said: `${response.status} ${(await response.text()).trim()}` };
  },

  // The page can't read the response in the frame. Its own server knows the orders.
  async form(url) {
    const id = String(Math.random());
    const frame = document.createElement("iframe");
    Object.assign(frame, { name: id, hidden: true, srcdoc: "The response comes here." });
    const loaded = () => new Promise((resolve) => frame.addEventListener("load", resolve, { once: true }));
    const start = loaded();
    document.body.append(frame);
    await start;
    const end = loaded();
    submit(url, id, frame.name);
    await Promise.race([end, new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
    frame.remove();
    const orders = await (await fetch("orders.json")).json();
    return id in orders ? { allowed: true, said: `ordered: ${orders[id] || "no cookie"}` } : { allowed: false, said: "no order" };
  },

  xhr(url, { method, headers }) {
    return new Promise((resolve) => {
      const request = new XMLHttpRequest();
      request.open(method, url);
      request.timeout = PATIENCE;
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      request.onload = () => resolve({ allowed: passed(request), said: `${request.status} ${request.responseText}` });
      request.onerror = () => resolve({ allowed: false, said: "error event, status 0" });
      request.ontimeout = () => resolve({ allowed: false, said: "timeout event" });
      request.send("{}");
    });
  },

  eventsource(url) {
    return new Promise((resolve) => {
      const source = new EventSource(url);
      const end = (allowed, said) => {
        source.close();
        resolve({ allowed, said });
      };
      source.onmessage = (event) => end(true, `message: ${event.data}`);
      source.onerror = () => end(false, "error event");
    });
  },

  websocket(url) {
    return new Promise((resolve) => {
      const socket = new WebSocket(url.replace(/^http/, "ws"));
      socket.onopen = () => socket.send("hello");
      socket.onmessage = (event) => {
        resolve({ allowed: true, said: `echo: ${event.data}` });
        socket.close();
      };
      socket.onclose = (event) => resolve({ allowed: false, said: `closed before it opened, code ${event.code}` });
    });
  },
};

function submit(url, id, target) {
  const form = Object.assign(document.createElement("form"), { method: "post", action: url, target, hidden: true });
  form.append(Object.assign(document.createElement("input"), { name: "id", value: id }));
  document.body.append(form);
  form.submit();
  form.remove();
}

async function attempt(api, row) {
  try {
    return await attempts[row.how](address(api, row), row);
  } catch (error) {
    return { allowed: false, said: String(error) };
  }
}

const address = (api, row) => new URL(api.url + row.path, location).href;
const word = (allowed) => (allowed ? "allowed" : "refused");
const policyWord = (allowed) => (allowed === null ? "up to the app" : word(allowed));

function fill(template) {
  return document.getElementById(template).content.firstElementChild.cloneNode(true);
}

function describe({ how, method, path, headers, credentials, reads }) {
  const names = { fetch: "fetch", form: "form", xhr: "XMLHttpRequest", eventsource: "EventSource", websocket: "WebSocket" };
  const fields = Object.entries(headers).map(([name, value]) => `, ${name}: ${value}`);
  const verb = ["fetch", "form", "xhr"].includes(how) ? ` ${method}` : "";
  const cookie = how === "fetch" && credentials ? ", credentials: include" : "";
  const read = reads ? `, reads ${reads}` : "";
  return `${names[how]}${verb} ${path}${fields.join("")}${cookie}${read}`;
}

// A long name may break between its words if the window is narrow.
function breakable(name) {
  const [first, ...rest] = name.split(/(?<=[a-z])(?=[A-Z])/);
  return first ? [first, ...rest.flatMap((part) => [document.createElement("wbr"), part])] : [];
}

function draw(api, row) {
  const line = fill("row");
  const { verdict } = row;
  line.dataset.case = row.id;
  line.dataset.policy = policyWord(verdict.allowed);
  line.dataset.expected = word(row.expected);
  line.querySelector(".title").textContent = row.title;
  line.querySelector(".call").textContent = describe(row);
  line.querySelector(".policy .mark").textContent = policyWord(verdict.allowed);
  line.querySelector(".policy .mark").dataset.word = policyWord(verdict.allowed);
  line.querySelector(".code").append(...breakable(verdict.code ?? ""));
  line.querySelector(".remedy").textContent = verdict.remedy ?? "";
  line.querySelector("pre").textContent = verdict.text;
  const send = line.querySelector(".send");
  send.hidden = row.how !== "form";
  send.onclick = () => submit(address(api, row), String(Math.random()), "_self");
  return line;
}

function note(line, { allowed, said }) {
  const mark = line.querySelector(".browser .mark");
  mark.textContent = word(allowed);
  mark.dataset.word = word(allowed);
  line.dataset.browser = word(allowed);
  line.dataset.agrees = line.dataset.expected === line.dataset.browser;
  line.querySelector(".said").textContent = said;
}

function drawTable(api) {
  const section = fill("api");
  const lines = api.rows.map((row) => draw(api, row));
  section.querySelector("h2").textContent = api.name;
  section.querySelector(".policy pre").textContent = api.source;
  section.querySelector("tbody").append(...lines);
  document.getElementById("apis").append(section);
  return { api, section, lines };
}

async function run({ api, section, lines }) {
  const count = section.querySelector(".count");
  for (const [index, row] of api.rows.entries()) {
    count.textContent = `Call ${index + 1} of ${lines.length}…`;
    note(lines[index], await attempt(api, row));
  }
  const agreeing = lines.filter((line) => line.dataset.agrees === "true").length;
  count.textContent = `${agreeing} of ${lines.length} calls went as the policy says.`;
  section.dataset.agrees = agreeing === lines.length;
}

const plan = await (await fetch("plan.json")).json();
document.getElementById("origin").textContent = plan.origin;
document.getElementById("standing").textContent = plan.standing;
for (const { url, link } of plan.others) {
  document.querySelector("nav").append(Object.assign(document.createElement("a"), { href: url, textContent: link }));
}
document.getElementById("again").onclick = () => location.reload();
for (const table of plan.apis.map(drawTable)) await run(table);
document.documentElement.dataset.state = "done";
