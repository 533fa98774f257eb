// The desk in a real browser: sign in, take an offer, answer; a reload keeps all; a
// restart of the server loses nothing. Chromium is driven, not simulated.
//
// SCREENSHOTS=FOLDER keeps pictures of what was seen.

import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { check, patience, test, within } from "./house.mjs";

const browsers = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = browsers.find((x) => x && existsSync(x));
if (!executablePath) {
  console.log("skipped: there is no Chromium here (Debian's package is chromium)");
  process.exit(77);
}

class Desk {
  complaints = [];

  static async open(house) {
    const desk = new Desk();
    desk.house = house;
    desk.browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
    desk.page = await desk.browser.newPage({ viewport: { width: 1280, height: 800 } });
    desk.page.setDefaultTimeout(patience);
    desk.page.on("pageerror", (e) => desk.complaints.push(e.message));
    desk.page.on("console", (m) => {
      // That the server is away while it restarts is what we came to see.
      if (m.type() === "error" && !m.text().includes("ERR_CONNECTION_REFUSED") && !m.text().includes("WebSocket connection")) desk.complaints.push(m.text());
    });
    return desk;
  }

  shown = (selector, text) => this.page.locator(selector, text ? { hasText: text } : {}).first().waitFor();
  gone = (selector) => this.page.locator(selector).first().waitFor({ state: "hidden" });

  async texts(selector) {
    return this.page.locator(selector).allInnerTexts();
  }

  async picture(name) {
    if (!process.env.SCREENSHOTS) return;
    mkdirSync(process.env.SCREENSHOTS, { recursive: true });
    await this.page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}.png`) });
  }

  async write(text) {
    await this.page.fill("#text", text);
    await this.page.press("#text", "Enter");
  }

  /** The bodies of the open conversation, in order. */
  bodies = () => this.texts("#lines li:not(.event) > span:nth-child(2)");
}

let asked = 0;
async function customer(nc, user, text, channel = "web") {
  const got = await nc.request(`sb.v1.post.${channel}.${user}`, JSON.stringify({ text, id: `m${++asked}` }), { timeout: patience });
  return JSON.parse(new TextDecoder().decode(got.data));
}

async function signs_in(desk, house) {
  await desk.page.goto(house.base);
  await desk.shown("#sign_in");
  await desk.picture("1-signed-out");
  await desk.page.fill("#token", "nonsense");
  await desk.page.press("#token", "Enter");
  await desk.shown("#says", "token");
  check(await desk.page.isVisible("#sign_in"), "a bad token is refused, and the page says so");
  await desk.page.fill("#token", await house.token("li"));
  await desk.page.press("#token", "Enter");
  await desk.shown("#state", "connected");
  check((await desk.page.innerText("#me")) === "li", "an agent signs in with a token and the keyboard");
  check((await desk.page.inputValue("#presence")) === "online", "who signs in is online");
}

async function takes_an_offer(desk, nc) {
  const { session } = await customer(nc, "wang", "您好，我的订单什么时候发货？");
  await desk.shown(".offer", "您好，我的订单什么时候发货？");
  const card = await desk.page.innerText(".offer");
  check(/\d+ s to accept/.test(card) && card.includes("Why you:"), "an offer says how long it lasts and why it came", card);
  await desk.picture("2-offer");
  await desk.page.keyboard.press("Alt+a");
  await desk.shown("#lines li.customer", "您好，我的订单什么时候发货？");
  await desk.gone(".offer");
  await desk.write("Good morning! Let me look.");
  await desk.gone("#lines li.sending");
  check((await desk.bodies()).join("|") === "您好，我的订单什么时候发货？|Good morning! Let me look.", "the conversation is shown in order");
  await customer(nc, "wang", "谢谢！");
  await desk.shown("#lines li.customer", "谢谢！");
  return session;
}

async function writes_notes(desk) {
  await desk.page.keyboard.press("Alt+n");
  await desk.write("Paid twice, see ticket 12.");
  await desk.shown("#lines li.note:not(.sending)", "Paid twice");
  await desk.page.keyboard.press("Alt+n");
  check(true, "a note is kept for colleagues");
}

async function sees_signs(desk, nc, session) {
  nc.publish("sb.v1.typing.web.wang");
  await desk.shown("#typing", "typing");
  check(true, "the customer's typing is shown");
  const lines = await desk.page.locator("#lines li").count();
  nc.publish("sb.v1.read.web.wang", JSON.stringify({ seq: lines }));
  await desk.shown("#typing", "Seen");
  check(true, "that the customer has read the answer is shown");
  const heard = nc.subscribe(`sb.v1.evt.session.typing.${session}`, { max: 1 });
  const first = (async () => { for await (const m of heard) return JSON.parse(new TextDecoder().decode(m.data)); })();
  await nc.flush();
  await desk.page.locator("#text").pressSequentially("I am");
  check((await within(first, "typing")).user === "wang", "the agent's typing is told to the channel");
}

async function keeps_all_over_a_reload(desk) {
  const before = await desk.bodies();
  await desk.page.fill("#text", "half a sentence");
  await desk.page.reload();
  await desk.shown("#state", "connected");
  await desk.page.waitForFunction((n) => document.querySelectorAll("#lines li:not(.event)").length === n, before.length);
  check(JSON.stringify(await desk.bodies()) === JSON.stringify(before), "a reload shows the same conversation, without signing in again");
  check((await desk.page.inputValue("#text")) === "half a sentence", "a reload keeps what was being written");
  await desk.page.fill("#text", "");
}

async function survives_a_restart(desk, house, nc) {
  const before = await desk.bodies();
  await nc.close();
  await house.stop();
  await desk.shown("#banner", "out of date");
  check(true, "while there is no server the page says that it may be out of date");
  await desk.write("Written while the server was away.");
  await desk.shown("#lines li.sending", "waits for the connection");
  await desk.picture("4-disconnected");
  await house.start();
  const again = await house.client();
  await desk.shown("#state", "connected");
  await desk.gone("#banner");
  await desk.gone("#lines li.sending");
  await customer(again, "wang", "are you there?");
  await desk.shown("#lines li.customer", "are you there?");
  const after = await desk.bodies();
  check(JSON.stringify(after) === JSON.stringify([...before, "Written while the server was away.", "are you there?"]),
    "after a restart nothing is lost, nothing is double", after);
  return again;
}

async function shows_history(desk, nc) {
  await desk.page.click("#person_open");
  await desk.shown("#past li", "Let me look");
  check(true, "the history of the person is shown");
  await desk.picture("3-history");
}

async function holds_and_transfers(desk, nc, house) {
  await desk.page.click("#hold");
  await desk.shown("#who_more", "held");
  await desk.page.click("#hold");
  await desk.shown("#who_more", "active");
  check(true, "a conversation is held and taken back");
  await desk.page.keyboard.press("Alt+t");
  await desk.shown("#transfer_box");
  await desk.page.selectOption("#transfer_kind", "agent");
  await desk.page.fill("#transfer_to", "ann");
  await desk.page.fill("#transfer_note", "Please take over.");
  await desk.picture("5-transfer");
  await desk.page.click("#transfer_box button.main");
  await desk.shown("#who_more", "transferring");
  check(true, "a transfer is asked for, and the conversation stays until somebody takes it");
}

async function closes(desk, nc) {
  const { session } = await customer(nc, "bye", "Only a question");
  await desk.page.click(".offer button.main");
  await desk.shown("#who_name", "bye");
  await desk.page.keyboard.press("Alt+c");
  await desk.page.fill("#disposition", "solved");
  await desk.page.press("#disposition", "Enter");
  await desk.page.waitForFunction(() => ![...document.querySelectorAll("#sessions .card")].some((x) => x.innerText.includes("bye")));
  const got = await nc.request("sb.v1.svc.session.get", JSON.stringify({ session }), { timeout: patience });
  const told = JSON.parse(new TextDecoder().decode(got.data));
  check(told.phase === "closed" && told.entries.some((x) => x.event === "closed" && x.body.includes("solved")), "a conversation is closed with its disposition", told.entries.at(-1));
}

async function rests(desk, nc) {
  await desk.page.selectOption("#presence", "break");
  await desk.page.reload();
  await desk.shown("#state", "connected");
  await desk.page.waitForFunction(() => document.querySelector("#presence").value === "break");
  check(true, "who is on a break still is after a reload");
  await customer(nc, "patient", "anybody?");
  await desk.shown("#queue", "waiting, the longest");
  check((await desk.page.locator(".offer").count()) === 0, "who is on a break gets no offer, but sees the line");
  await desk.picture("6-break");
}

await test(async (house) => {
  const desk = await Desk.open(house);
  try {
    let nc = await house.client();
    await signs_in(desk, house);
    const session = await takes_an_offer(desk, nc);
    await writes_notes(desk);
    await sees_signs(desk, nc, session);
    await shows_history(desk, nc);
    await keeps_all_over_a_reload(desk);
    nc = await survives_a_restart(desk, house, nc);
    await holds_and_transfers(desk, nc, house);
    await closes(desk, nc);
    await rests(desk, nc);
    check(desk.complaints.length === 0, "the browser had nothing to complain about", desk.complaints);
    await nc.close();
  } catch (e) {
    await desk.picture("failed");
    throw e;
  } finally {
    await desk.browser.close();
  }
});
