// Runs the examples of bus/README.md and gateways/README.md, so that they stay true.
// Each ```talk block is a story of lines:
//
//     request SUBJECT JSON     a NATS request; `answer JSON` is what must come back
//     publish SUBJECT JSON     a NATS publish
//     stored SUBJECT JSON      a JetStream consumer finds this under the subject
//     > JSON                   the agent's screen sends
//     < JSON                   the screen is sent this, sooner or later
//     >> JSON, << JSON         the same, on a customer's screen
//
// "<name>" or <name> stands for a value: the first time it is taken over, afterwards it
// must be the same. … stands for members that the example leaves out; others must not be.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { consumerOpts } from "nats";
import WebSocket from "ws";
import { check, patience, test, within } from "./house.mjs";

const pages = ["bus/README.md", "gateways/README.md"];
const decode = (bytes) => JSON.parse(new TextDecoder().decode(bytes));

/** The example's JSON: holes become {"$": name}, … becomes a member "…". */
function parse(text) {
  const holes = text.replaceAll(/"<(\w+)>"|<(\w+)>/g, (_, a, b) => `{"$":"${a ?? b}"}`);
  return JSON.parse(holes.replaceAll(/…\s*(?=[}\]])/g, '"…":0'));
}

const hole = (x) => (x && typeof x === "object" && typeof x.$ === "string" ? x.$ : null);

/** @returns what fits not, or nothing */
function differs(want, seen, known, at = "") {
  const name = hole(want);
  if (name) {
    if (!(name in known)) return seen === undefined ? `${at} is missing` : void (known[name] = seen);
    return known[name] === seen ? undefined : `${at} is ${JSON.stringify(seen)}, not <${name}> = ${JSON.stringify(known[name])}`;
  }
  if (!want || typeof want !== "object") return want === seen ? undefined : `${at} is ${JSON.stringify(seen)}, not ${JSON.stringify(want)}`;
  if (!seen || typeof seen !== "object" || Array.isArray(want) !== Array.isArray(seen)) return `${at} is ${JSON.stringify(seen)}`;
  for (const key of Object.keys(want)) {
    if (key === "…") continue;
    const bad = differs(want[key], seen[key], known, `${at}/${key}`);
    if (bad) return bad;
  }
  if ("…" in want) return undefined;
  const more = Object.keys(seen).filter((x) => !(x in want));
  return more.length ? `${at} has ${more.join(", ")} too` : undefined;
}

function fill(want, known) {
  const name = hole(want);
  if (name) return known[name];
  if (Array.isArray(want)) return want.map((x) => fill(x, known));
  if (!want || typeof want !== "object") return want;
  return Object.fromEntries(Object.entries(want).map(([k, v]) => [k, fill(v, known)]));
}

/** A WebSocket, and what came over it and was not expected yet. */
class Screen {
  constructor(story, subprotocol) {
    Object.assign(this, { story, subprotocol, seen: [], watch: () => {} });
  }

  /** Finds what was seen that fits, now or later, and takes it out. */
  async expect(want) {
    const look = () => {
      for (const [i, x] of this.seen.entries()) {
        const trial = { ...this.story.known };
        const bad = differs(want, x, trial);
        if (bad) {
          this.story.why += `\n  ${JSON.stringify(x)}: ${bad}`;
          continue;
        }
        Object.assign(this.story.known, trial);
        this.seen.splice(i, 1);
        return true;
      }
      return false;
    };
    await within(new Promise((resolve) => { this.watch = () => { this.story.why = ""; if (look()) resolve(); }; this.watch(); }), "the screen");
  }

  async says(what) {
    if (!this.socket) {
      this.socket = new WebSocket(`ws://127.0.0.1:${this.story.house.port}/v1/ws`, this.subprotocol);
      this.socket.on("message", (frame) => {
        for (const line of String(frame).split("\n")) this.seen.push(JSON.parse(line));
        this.watch();
      });
      await within(new Promise((resolve, reject) => { this.socket.on("open", resolve); this.socket.on("error", reject); }), "the handshake");
    }
    this.socket.send(JSON.stringify(fill(what, this.story.known)));
  }
}

class Story {
  constructor(house, nc, known) {
    Object.assign(this, { house, nc, known, why: "" });
    this.agent = new Screen(this, "switchboard.v1.json");
    this.customer = new Screen(this, "switchboard.customer.v1.json");
  }

  async stored(subject, want) {
    const opts = consumerOpts();
    opts.orderedConsumer();
    opts.deliverAll();
    opts.filterSubject(subject);
    const sub = await this.nc.jetstream().subscribe(subject, opts);
    const read = (async () => {
      for await (const m of sub) {
        const trial = { ...this.known };
        const bad = differs(want, decode(m.data), trial);
        if (!bad) return Object.assign(this.known, trial);
        this.why += `\n  ${new TextDecoder().decode(m.data)}: ${bad}`;
      }
    })();
    await within(read, subject);
    sub.unsubscribe();
  }

  async line(text) {
    const [, verb, rest] = /^(\S+)\s+(.*)$/s.exec(text);
    const screen = verb.length === 2 ? this.customer : this.agent;
    if (/^>>?$/.test(verb)) return screen.says(parse(rest));
    if (/^<<?$/.test(verb)) return screen.expect(parse(rest));
    if (verb === "answer") {
      const bad = differs(parse(rest), this.answer, this.known);
      if (bad) throw new Error(`${bad} in ${JSON.stringify(this.answer)}`);
      return undefined;
    }
    const [, path, body] = /^(\S+)\s*(.*)$/s.exec(rest);
    const subject = path.replaceAll(/<(\w+)>/g, (_, name) => this.known[name]);
    if (verb === "stored") return this.stored(subject, parse(body));
    const bytes = body.startsWith("{") ? JSON.stringify(fill(parse(body), this.known)) : body;
    if (verb === "publish") return this.nc.publish(subject, bytes);
    if (verb !== "request") throw new Error(`no line begins with ${verb}`);
    this.answer = decode((await this.nc.request(subject, bytes, { timeout: patience })).data);
    return undefined;
  }
}

async function tell(page, house, nc) {
  const text = await readFile(join(process.env.SWITCHBOARD_SOURCE, page), "utf8");
  const known = { token: await house.token("li"), device: "docs", visitor: await house.visitorToken("u7") };
  const story = new Story(house, nc, known);
  let lines = 0;
  for (const [block] of text.matchAll(/(?<=```talk\n).*?(?=\n```)/gs))
    for (const line of block.split("\n")) {
      if (!line.trim()) continue;
      try {
        story.why = "";
        await story.line(line);
      } catch (e) {
        throw new Error(`${page}: ${line}\n${e.message}${story.why}`);
      }
      lines++;
    }
  story.agent.socket?.close();
  story.customer.socket?.close();
  check(lines > 0, `${page}: ${lines} lines of examples are true`, lines);
}

await test(async (house) => {
  const nc = await house.client();
  for (const page of pages) await tell(page, house, nc);
  await nc.close();
});
