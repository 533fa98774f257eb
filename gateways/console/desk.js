"use strict";
// The desk. Three rules: what is shown was said by the server (a line is applied when
// its seq is last + 1, gaps are asked for); what the agent wrote is kept, here in the
// tab, until the server has confirmed it; while there is no connection, it says so.
const $ = (id) => document.getElementById(id);

// -- what outlives a reload: in this tab only ---------------------------------
const kept = {
  get: (name, otherwise) => JSON.parse(sessionStorage.getItem(name) ?? "null") ?? otherwise,
  set: (name, value) => sessionStorage.setItem(name, JSON.stringify(value)),
};
const device = kept.get("device") ?? Array.from(crypto.getRandomValues(new Uint8Array(8)), (x) => x.toString(16).padStart(2, "0")).join("");
kept.set("device", device);
let token = kept.get("token", "");
let wanted = kept.get("presence", null); // What the agent chose last.
let outbox = kept.get("outbox", []);     // {session, client_id, body, note, failed}
const drafts = kept.get("drafts", {});   // session -> {text, note}
let open_id = kept.get("open", null);
let return_to = open_id; // To be selected as soon as it is shown: after a reload, or accepted just now.
let person_shown = kept.get("person_shown", false);

// -- state --------------------------------------------------------------------
const sessions = new Map(); // id -> see session()
const offers = new Map();   // session -> offer
const waiting = new Map();  // id of a command -> [resolve, reject]
let socket = null, signed_in = false, next_id = 1, skew_ms = 0, fresh_presence = false;
let pause_ms = 250, retry_at = 0, retry_timer = 0, stale_timer = 0, queue = null;

const server_now = () => Date.now() + skew_ms;
const live = () => signed_in && socket?.readyState === WebSocket.OPEN;
const clock = (at) => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
const name_of = (x) => (x?.from ? `${x.from.user} · ${x.from.channel}` : "");

function say(text) {
  $("says").hidden = !text;
  $("says_text").textContent = text || "";
}

// -- talking to the server ----------------------------------------------------
function ask(name, what) {
  return new Promise((resolve, reject) => {
    if (socket?.readyState !== WebSocket.OPEN) return reject(Object.assign(new Error("not connected"), { lost: true }));
    const id = next_id++;
    waiting.set(id, [resolve, reject]);
    socket.send(JSON.stringify({ id, [name]: what }));
  });
}
const tell = (name, what) => ask(name, what).then(() => say(""), (e) => e.lost || say(e.message));

function connect() {
  clearTimeout(retry_timer);
  const mine = (socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/v1/ws`, "switchboard.v1.json"));
  mine.onopen = () => {
    const resume = {};
    for (const [id, s] of sessions) {
      s.confirmed = false;
      resume[id] = s.last;
    }
    offers.clear();
    fresh_presence = true;
    ask("connect", { token, device, resume }).then((who) => {
      signed_in = true;
      pause_ms = 250;
      skew_ms = who.now ? Date.parse(who.now) - Date.now() : 0;
      kept.set("token", token);
      kept.set("agent", who.agent);
      clearTimeout(stale_timer);
      stale_timer = setTimeout(end_what_was_not_shown, 10000);
      say("");
      // Some were shown in the very frame of the welcome.
      for (const s of sessions.values()) if (s.confirmed) speak_what_waits(s);
      draw();
    }, (e) => say(e.message));
  };
  mine.onmessage = (m) => {
    if (mine !== socket) return;
    for (const line of m.data.split("\n")) if (line) receive(JSON.parse(line));
    draw();
  };
  mine.onclose = (e) => {
    if (mine !== socket) return;
    signed_in = false;
    socket = null;
    for (const [, reject] of waiting.values()) reject(Object.assign(new Error("connection lost"), { lost: true }));
    waiting.clear();
    if (e.code === 4401 || e.code === 4403) return sign_out(e.reason);
    if (e.code === 4409) return sign_out("This desk was opened in another window. Sign in to take it back.");
    const told = /after_ms=(\d+)/.exec(e.reason);
    const pause = told ? Number(told[1]) : pause_ms * (0.5 + Math.random());
    pause_ms = Math.min(pause_ms * 2, 15000);
    retry_at = Date.now() + pause;
    retry_timer = setTimeout(connect, pause);
    draw();
  };
}

function sign_out(why) {
  const old = socket;
  socket = null;
  signed_in = false;
  clearTimeout(retry_timer);
  old?.close();
  token = "";
  kept.set("token", "");
  sessions.clear();
  offers.clear();
  say(why);
  draw();
}

function receive(x) {
  if (x.push) {
    const [[name, body]] = Object.entries(x.push);
    return on[name]?.(body);
  }
  const pair = waiting.get(x.id);
  waiting.delete(x.id);
  if (x.error) pair?.[1](Object.assign(new Error(x.error.detail || x.error.title), { code: x.error.code }));
  else pair?.[0](x.result);
}

// -- what the server pushes ---------------------------------------------------
function session(id) {
  let s = sessions.get(id);
  if (!s) {
    s = { id, ownership: 0, phase: "", lines: [], last: 0, early: new Map(), filling: false, confirmed: false, ended: "", unread: 0, seen: 0, typed_at: 0, past: null };
    sessions.set(id, s);
  }
  return s;
}

const on = {
  ping() { socket.send('{"pong":{}}'); },
  offer(x) { offers.set(x.session, x); },
  "offer.end"(x) {
    if (offers.delete(x.session) && x.reason === "expired") say("An offer ran out of time and goes to somebody else.");
  },
  session(x) {
    if (x.state === "closed") return end(sessions.get(x.session), x.reason);
    if (x.state === "owner" && !sessions.has(x.session)) return;
    const s = session(x.session);
    Object.assign(s, { ownership: x.ownership, phase: x.phase, confirmed: true, ended: "" });
    if (x.state !== "open") return;
    Object.assign(s, { from: x.from, want: x.want, customer: x.customer });
    offers.delete(x.session);
    if (x.session === return_to || !sessions.has(open_id) || sessions.get(open_id).ended) {
      select(x.session);
      if (x.session === return_to) return_to = null;
    }
    if (x.last_seq > s.last && live()) fill(s);
    speak_what_waits(s);
  },
  entry(x) {
    const s = sessions.get(x.session);
    if (!s) return;
    if (x.seq > s.last) s.early.set(x.seq, x);
    settle(s);
    if (s.early.size) fill(s);
  },
  typing(x) { if (sessions.has(x.session)) sessions.get(x.session).typed_at = Date.now(); },
  read(x) { if (sessions.has(x.session)) sessions.get(x.session).seen = Math.max(sessions.get(x.session).seen, x.seq); },
  presence(x) {
    $("presence").value = x.state;
    // After a restart the server believes that whoever connects is online.
    if (fresh_presence && wanted && wanted !== x.state && x.state === "online") tell("presence", { state: wanted });
    else if (x.state !== "not_responding") kept.set("presence", (wanted = x.state));
    else say("You did not answer an offer, and get no more until you say that you are online.");
    fresh_presence = false;
  },
  queue(x) { queue = x; },
};

/** Applies lines in order and keeps those that came early. */
function settle(s) {
  for (let line; (line = s.early.get(s.last + 1)); s.last++) {
    s.early.delete(line.seq);
    s.lines.push(line);
    if (line.kind === "customer") {
      s.typed_at = 0;
      if (s.id !== open_id || document.hidden) s.unread++;
    }
    if (line.id) forget(line.id);
  }
  for (const seq of s.early.keys()) if (seq <= s.last) s.early.delete(seq);
}

/** Asks for what is missing, one question at a time. */
async function fill(s) {
  if (s.filling) return;
  s.filling = true;
  try {
    for (let more = true; more && live();) {
      const got = await ask("history", { session: s.id, after: s.last, limit: 200 });
      for (const line of got.entries) if (line.seq > s.last) s.early.set(line.seq, line);
      settle(s);
      more = got.entries.length === 200;
    }
  } catch (e) {
    if (!e.lost) say(e.message);
  }
  s.filling = false;
  draw();
}

/** A conversation that is over, or somebody else's, stays readable until dismissed. */
function end(s, reason) {
  if (!s) return;
  s.ended = reason || "ended";
  s.phase = "ended";
  if (s.closed_by_me) dismiss(s.id);
}

function dismiss(id) {
  sessions.delete(id);
  delete drafts[id];
  kept.set("drafts", drafts);
  if (open_id === id) select([...sessions.keys()][0] ?? null);
}

function end_what_was_not_shown() {
  if (!live()) return;
  for (const s of sessions.values()) if (!s.confirmed && !s.ended) end(s, "it ended while you were away");
  draw();
}

// -- what the agent writes ----------------------------------------------------
const forget = (client_id) => {
  outbox = outbox.filter((x) => x.client_id !== client_id);
  kept.set("outbox", outbox);
};

function speak_what_waits(s) {
  for (const item of outbox) if (item.session === s.id && !item.failed) speak(item);
}

/** Sent again under the same client_id until it is confirmed: it counts once. */
function speak(item) {
  const s = sessions.get(item.session);
  if (!s || !live()) return;
  const { session, client_id, body } = item;
  const asked = item.note ? ask("note", { session, client_id, body }) : ask("send", { session, ownership: s.ownership, client_id, body });
  asked.then(() => say(""), (e) => {
    if (e.lost) return;
    if (["overloaded", "unavailable", "moved"].includes(e.code)) return setTimeout(() => outbox.includes(item) && speak(item), 1000);
    item.failed = e.message;
    kept.set("outbox", outbox);
    draw();
  });
}

function write() {
  const s = sessions.get(open_id), body = $("text").value.trim();
  if (!s || s.ended || !body) return;
  const item = { session: s.id, client_id: `${device}-${Date.now()}-${next_id++}`, body, note: writes_note() };
  outbox.push(item);
  kept.set("outbox", outbox);
  $("text").value = "";
  keep_draft();
  speak(item);
  draw();
  $("lines").scrollTop = $("lines").scrollHeight;
}

const writes_note = () => document.querySelector("#kind input:checked").value === "note";

function keep_draft() {
  if (!open_id) return;
  drafts[open_id] = { text: $("text").value, note: writes_note() };
  kept.set("drafts", drafts);
}

function set_kind(kind) {
  document.querySelector(`#kind input[value=${kind}]`).checked = true;
  keep_draft();
  draw();
}

function select(id) {
  open_id = id;
  kept.set("open", id);
  const draft = drafts[id] ?? { text: "", note: false };
  $("text").value = draft.text;
  document.querySelector(`#kind input[value=${draft.note ? "note" : "reply"}]`).checked = true;
  drawn.session = null;
}

const owned = (s) => ({ session: s.id, ownership: s.ownership });

const accept = (o) => tell("offer.accept", { session: o.session, offer: o.offer }).then(() => {
  if (sessions.has(o.session)) select(o.session);
  else return_to = o.session; // Its receipt overtook it.
  draw();
  $("text").focus();
});
const decline = (o) => tell("offer.decline", { session: o.session, offer: o.offer, reason: "declined" });

function hold() {
  const s = sessions.get(open_id);
  if (s) tell(s.phase === "held" ? "resume" : "hold", owned(s));
}

/** Asks in a dialog. @returns true if the agent went on */
function box(id) {
  const dialog = $(id);
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
}

async function transfer() {
  const s = sessions.get(open_id);
  if (!s || !(await box("transfer_box"))) return;
  const target = { [$("transfer_kind").value]: $("transfer_to").value.trim() };
  await tell("transfer", { ...owned(s), target, note: $("transfer_note").value });
  $("transfer_note").value = "";
}

async function close_it() {
  const s = sessions.get(open_id);
  if (!s || !(await box("close_box"))) return;
  const disposition = $("disposition").value.trim();
  s.closed_by_me = true;
  await (s.phase === "wrap_up" ? tell("wrap_up", { session: s.id, disposition }) : tell("close", { ...owned(s), disposition }));
  $("disposition").value = "";
}

/** One person's lines on all channels, newest page first. */
async function look_back(s) {
  if (!s || s.looking || !live()) return;
  s.looking = true;
  try {
    const before = s.past?.length ? { before: s.past[0].at } : {};
    const got = await ask("person", { session: s.id, limit: 50, ...before });
    s.past = [...got.lines, ...(s.past ?? [])];
    s.past_ends = got.lines.length < 50;
  } catch (e) {
    if (!e.lost) {
      s.past = s.past ?? [];
      say(e.message);
    }
  }
  s.looking = false;
  draw();
}

// -- drawing ------------------------------------------------------------------
function element(tag, text, kind) {
  const out = document.createElement(tag);
  out.textContent = text ?? ""; // Never HTML: customers write this.
  if (kind) out.className = kind;
  return out;
}

const set_text = (to, text) => { if (to.textContent !== text) to.textContent = text; };

/** Keeps an element for each item, so that focus stays where it is. */
function keyed(into, items, make, update) {
  const have = new Map([...into.children].map((x) => [x.dataset.key, x]));
  let at = into.firstElementChild;
  for (const [key, item] of items) {
    const old = have.get(String(key));
    const one = old ?? make(item);
    one.dataset.key = key;
    have.delete(String(key));
    if (one === at) at = at.nextElementSibling;
    else into.insertBefore(one, at);
    update(one, item);
  }
  for (const gone of have.values()) gone.remove();
}

let scheduled = false;
function draw() {
  if (scheduled) return;
  scheduled = true;
  setTimeout(() => { scheduled = false; draw_now(); });
}

function draw_now() {
  const here = Boolean(token);
  const s = sessions.get(open_id);
  $("sign_in").hidden = here;
  document.querySelector("main").hidden = $("presence_label").hidden = $("sign_out").hidden = !here;
  $("presence").disabled = !live();
  set_text($("me"), here ? kept.get("agent", "") : "");
  set_text($("state"), !here ? "signed out" : live() ? "connected" : "not connected");
  $("state").className = !here ? "" : live() ? "good" : "bad";
  draw_side();
  draw_top(s);
  draw_lines(s);
  draw_past(s);
  for (const id of ["text", "send"]) $(id).disabled = !s || Boolean(s.ended);
  for (const x of document.querySelectorAll("#kind input")) x.disabled = !s || Boolean(s.ended);
  $("write").classList.toggle("note", writes_note());
  set_text($("send"), writes_note() ? "Keep note" : "Send");
  $("text").placeholder = !s ? "" : writes_note() ? "Only colleagues see this" : "Enter sends, Shift+Enter begins a new line";
  if (s && live() && !document.hidden) {
    s.unread = 0;
    if (!s.ended && s.confirmed && s.read !== s.last) {
      s.read = s.last;
      ask("read", { session: s.id, seq: s.last }).catch(() => {});
    }
  }
  const calls = offers.size + [...sessions.values()].reduce((sum, x) => sum + x.unread, 0);
  document.title = `${calls ? `(${calls}) ` : ""}${live() || !here ? "" : "⚠ "}Switchboard desk`;
  draw_time();
}

function draw_side() {
  $("no_offers").hidden = offers.size > 0;
  $("no_sessions").hidden = sessions.size > 0;
  keyed($("offers"), [...offers.values()].map((o) => [`${o.session}-${o.offer}`, o]), (o) => {
    const card = element("div", "", "card offer");
    card.setAttribute("role", "group");
    card.setAttribute("aria-label", `Offer: ${name_of(o)}`);
    const want = [o.want.language, ...(o.want.skills ?? []), o.want.queue !== "default" && o.want.queue, o.want.urgency !== "normal" && o.want.urgency].filter(Boolean).join(", ");
    const row = element("div", "", "row");
    const yes = element("button", "Accept", "main"), no = element("button", "Decline");
    yes.onclick = () => accept(o);
    no.onclick = () => decline(o);
    row.append(yes, no);
    const bar = element("progress");
    bar.max = Math.max(1, Date.parse(o.until) - server_now());
    bar.setAttribute("aria-label", "Time left");
    card.append(element("div", name_of(o), "name"), element("div", o.preview, "said"), element("small", want && `Wants ${want}`), element("small", `Why you: ${o.why}`), bar, element("small", "", "left"), row);
    return card;
  }, () => {});
  keyed($("sessions"), [...sessions].map(([id, s]) => [id, s]), (s) => {
    const card = element("button", "", "card");
    const top = element("span", "", "name");
    top.append(element("span"), element("span", "", "badge"));
    card.append(top, element("small", "", "last"), element("small", "", "how"));
    card.onclick = () => { select(s.id); draw(); $("text").focus(); };
    return card;
  }, (card, s) => {
    const [top, last, how] = card.children;
    const words = s.lines.filter((x) => x.kind !== "event").at(-1);
    set_text(top.children[0], name_of(s) || s.id);
    set_text(top.children[1], String(s.unread));
    top.children[1].hidden = s.unread === 0;
    set_text(last, words ? words.body : "");
    s.how = how;
    card.setAttribute("aria-current", s.id === open_id);
    card.classList.toggle("ended", Boolean(s.ended));
  });
}

function draw_top(s) {
  const can = live() && s && !s.ended && s.confirmed;
  set_text($("who_name"), s ? name_of(s) : "No conversation is open");
  set_text($("who_more"), !s ? "" : s.ended ? `ended: ${s.ended}` : [s.confirmed ? s.phase.replace("_", " ") : "checking …", s.want?.queue !== "default" && s.want?.queue, s.want?.language].filter(Boolean).join(" · "));
  $("tools").hidden = !s;
  const wrapping = s?.phase === "wrap_up";
  $("hold").hidden = $("transfer").hidden = $("close").hidden = !s || Boolean(s.ended) || wrapping;
  $("finish").hidden = !wrapping;
  $("dismiss").hidden = !s?.ended;
  set_text($("hold"), s?.phase === "held" ? "Take back" : "Hold");
  for (const id of ["hold", "transfer", "close", "finish"]) $(id).disabled = !can;
  $("person_open").setAttribute("aria-pressed", person_shown);
}

const drawn = { session: null, count: 0, at: null };

const by = (x) => `${x.kind === "customer" ? "customer" : x.author || x.kind}${x.kind === "note" ? " · note" : ""} · ${clock(x.at)}`;

function line_element(x) {
  const out = element("li", "", x.kind);
  if (x.kind === "event") {
    out.textContent = `${clock(x.at)}  ${x.event.replaceAll("_", " ")}${x.author ? ` · ${x.author}` : ""}${x.body ? ` · ${x.body}` : ""}`;
    return out;
  }
  out.append(element("span", by(x), "by"), element("span", x.body));
  return out;
}

/** Appends what is new; only another conversation is drawn from its beginning. */
function draw_lines(s) {
  const into = $("lines");
  const below = into.scrollHeight - into.scrollTop - into.clientHeight < 80;
  if (drawn.session !== s) {
    into.replaceChildren();
    Object.assign(drawn, { session: s, count: 0 });
  }
  for (const x of into.querySelectorAll(".mine")) x.remove();
  for (; s && drawn.count < s.lines.length; drawn.count++) into.append(line_element(s.lines[drawn.count]));
  for (const item of s ? outbox.filter((x) => x.session === s.id) : []) {
    const one = element("li", "", `${item.note ? "note" : "agent"} mine ${item.failed ? "failed" : "sending"}`);
    one.append(element("span", item.failed ? `not sent: ${item.failed}` : live() ? "sending …" : "waits for the connection", "by"), element("span", item.body));
    if (item.failed) {
      const again = element("button", "Try again"), drop = element("button", "Discard");
      again.onclick = () => { item.failed = ""; speak(item); draw(); };
      drop.onclick = () => { forget(item.client_id); draw(); };
      one.append(element("br"), again, drop);
    }
    into.append(one);
  }
  if (below) into.scrollTop = into.scrollHeight;
}

function draw_past(s) {
  $("person").hidden = !person_shown || !s;
  if (!person_shown || !s) return;
  if (!s.past) look_back(s);
  $("earlier").hidden = !s.past?.length || s.past_ends;
  const key = `${s.id}-${s.past?.length}`;
  if ($("past").dataset.key === key) return;
  $("past").dataset.key = key;
  const lines = (s.past ?? []).filter((x) => x.kind !== "event");
  const all = [];
  let before = null;
  for (const x of lines) {
    if (x.session !== before) all.push(element("li", `${new Date(x.at).toLocaleDateString()} · ${x.channel}${x.session === s.id ? " · this conversation" : ""}`, "head"));
    before = x.session;
    const one = element("li");
    one.append(element("span", by(x), "by"), element("span", x.body));
    all.push(one);
  }
  if (!all.length) all.push(element("li", s.past ? "Nothing was said before." : "Looking …"));
  $("past").replaceChildren(...all);
}

/** What changes with the clock alone. */
function draw_time() {
  for (const card of $("offers").children) {
    const o = [...offers.values()].find((x) => `${x.session}-${x.offer}` === card.dataset.key);
    if (!o) continue;
    const left = Math.max(0, Date.parse(o.until) - server_now());
    card.querySelector("progress").value = left;
    set_text(card.querySelector(".left"), `${Math.ceil(left / 1000)} s to accept`);
  }
  for (const s of sessions.values()) {
    const words = s.lines.filter((x) => x.kind === "customer" || x.kind === "agent" || x.kind === "bot");
    const last = words.at(-1);
    const since = !s.ended && last?.kind === "customer" ? Math.max(0, Math.floor((server_now() - Date.parse(last.at)) / 1000)) : -1;
    if (!s.how) continue;
    set_text(s.how, s.ended ? `ended: ${s.ended}` : since >= 0 ? `waits for an answer: ${since < 60 ? `${since} s` : `${Math.floor(since / 60)} min`}` : s.phase.replace("_", " "));
    s.how.classList.toggle("late", since >= 60);
  }
  const s = sessions.get(open_id);
  const seen = s?.lines.filter((x) => x.kind === "agent").at(-1);
  set_text($("typing"), !s ? "" : Date.now() - s.typed_at < 4000 ? "The customer is typing …" : seen && s.seen >= seen.seq ? "Seen" : "");
  const oldest = queue?.lines?.length ? Math.min(...queue.lines.map((x) => Date.parse(x.oldest))) : 0;
  set_text($("queue"), !live() || !queue ? "" : queue.waiting === 0 ? "nobody waits" : `${queue.waiting} waiting, the longest ${Math.max(0, Math.floor((server_now() - oldest) / 1000))} s`);
  $("banner").hidden = !token || live();
  $("reconnect").hidden = Boolean(socket);
  set_text($("banner_text"), socket ? "Connecting … What you see may be out of date." : `Not connected. What you see may be out of date; what you write is kept. Next try in ${Math.max(0, Math.ceil((retry_at - Date.now()) / 1000))} s.`);
}
setInterval(draw_time, 500);

// -- the agent's hands --------------------------------------------------------
$("sign_in").onsubmit = (e) => {
  e.preventDefault();
  token = $("token").value.trim();
  $("token").value = "";
  say("");
  connect();
  draw();
};
$("sign_out").onclick = () => sign_out("");
$("says_close").onclick = () => say("");
$("reconnect").onclick = () => { pause_ms = 250; connect(); draw(); };
$("presence").onchange = () => {
  kept.set("presence", (wanted = $("presence").value));
  tell("presence", { state: wanted });
};
$("hold").onclick = hold;
$("transfer").onclick = transfer;
$("close").onclick = $("finish").onclick = close_it;
$("dismiss").onclick = () => { dismiss(open_id); draw(); };
$("help_open").onclick = () => $("help_box").showModal();
$("earlier").onclick = () => look_back(sessions.get(open_id));
$("person_open").onclick = () => {
  kept.set("person_shown", (person_shown = !person_shown));
  const s = sessions.get(open_id);
  if (s) s.past = null;
  draw();
};
$("write").onsubmit = (e) => { e.preventDefault(); write(); };
for (const x of document.querySelectorAll("#kind input")) x.onchange = () => { keep_draft(); draw(); };
let typed_at = 0;
$("text").oninput = () => {
  keep_draft();
  if (!live() || writes_note() || Date.now() - typed_at < 2000) return;
  typed_at = Date.now();
  ask("typing", { session: open_id }).catch(() => {}); // Lost is lost.
};
$("text").onkeydown = (e) => {
  if (e.key === "Enter" && !e.shiftKey && !e.isComposing) { e.preventDefault(); write(); }
};
document.addEventListener("visibilitychange", draw);
document.addEventListener("keydown", (e) => {
  if (!e.altKey || e.ctrlKey || e.metaKey || document.querySelector("dialog[open]")) return;
  const first = [...offers.values()][0];
  const number = /^Digit([1-9])$/.exec(e.code);
  const keys = {
    KeyA: () => first && accept(first),
    KeyD: () => first && decline(first),
    KeyN: () => { set_kind(writes_note() ? "reply" : "note"); $("text").focus(); },
    KeyH: () => $("person_open").click(),
    KeyP: () => $("hold").click(),
    KeyT: () => $("transfer").click(),
    KeyC: () => ($("finish").hidden ? $("close") : $("finish")).click(),
  };
  if (number && [...sessions.keys()][number[1] - 1]) { select([...sessions.keys()][number[1] - 1]); draw(); $("text").focus(); }
  else if (keys[e.code]) keys[e.code]();
  else return;
  e.preventDefault();
});

if (token) connect();
draw();
