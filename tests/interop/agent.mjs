// An agent's screen on the stock WebSocket client. It believes nothing: entries must
// come numbered 1, 2, 3 ... in each session, whatever happens to the connection.

import WebSocket from "ws";
import { within } from "./house.mjs";

export class Agent {
  sessions = new Map(); // id -> {ownership, phase, from, lines: [entry]}
  offers = new Map();
  pushes = []; // All that came, by name.
  broken = []; // What must never happen.
  #waiting = new Map();
  #watchers = new Set();
  #next = 1;

  constructor(house, token, device = "interop") {
    this.house = house;
    this.token = token;
    this.device = device;
  }

  /** Connects, and resumes with what the screen has. */
  async connect(extra = {}) {
    const socket = new WebSocket(`ws://127.0.0.1:${this.house.port}/v1/ws`, "switchboard.v1.json");
    this.socket = socket;
    this.closed = new Promise((resolve) =>
      socket.on("close", (code, reason) => {
        for (const { reject } of this.#waiting.values()) reject(new Error(`closed with ${code}: ${reason}`));
        this.#waiting.clear();
        resolve({ code, reason: String(reason) });
      }),
    );
    socket.on("error", () => {}); // What follows is a close.
    socket.on("message", (frame) => {
      for (const line of String(frame).split("\n")) this.#take(JSON.parse(line), socket);
    });
    await within(
      new Promise((resolve, reject) => {
        socket.on("open", resolve);
        socket.on("close", () => reject(new Error("refused")));
      }),
      "the handshake",
    );
    const resume = {};
    for (const [id, s] of this.sessions) resume[id] = s.lines.length;
    return this.ask("connect", { token: this.token, device: this.device, resume, ...extra });
  }

  ask(name, what) {
    const id = this.#next++;
    const answer = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.socket.send(JSON.stringify({ id, [name]: what }));
    return within(answer, name);
  }

  /** The error of a command that must fail. */
  async refused(name, what) {
    try {
      await this.ask(name, what);
    } catch (e) {
      if (e.problem) return e.problem;
      throw e;
    }
    throw new Error(`${name} was taken, and should not have been`);
  }

  /** Waits until `look()` is truthy; looks again at everything that comes. */
  until(look, what) {
    return within(
      new Promise((resolve) => {
        const watcher = () => {
          const seen = look();
          if (!seen) return false;
          this.#watchers.delete(watcher);
          resolve(seen);
          return true;
        };
        if (!watcher()) this.#watchers.add(watcher);
      }),
      what,
    );
  }

  /** Waits for a push of this name that fits, looking also at those before. */
  push(name, fits = () => true) {
    return this.until(() => this.pushes.find((x) => x.name === name && fits(x.body))?.body, `push ${name}`);
  }

  /** Takes the offer of whoever wrote as this user. @returns the session's id */
  async accept(user) {
    const offer = await this.until(() => [...this.offers.values()].find((x) => x.from.user === user), `offer of ${user}`);
    await this.ask("offer.accept", { session: offer.session, offer: offer.offer });
    await this.until(() => this.sessions.get(offer.session), `session of ${user}`);
    return offer.session;
  }

  send(session, body, client_id = `c${Math.random()}`) {
    return this.ask("send", { session, ownership: this.sessions.get(session).ownership, client_id, body });
  }

  #take(x, socket) {
    if (socket !== this.socket) return; // Of a connection that was cut.
    if (x.push) {
      const [[name, body]] = Object.entries(x.push);
      this.pushes.push({ name, body });
      this.#apply(name, body);
    } else {
      const pair = this.#waiting.get(x.id);
      this.#waiting.delete(x.id);
      if (x.error) pair?.reject(Object.assign(new Error(x.error.detail), { problem: x.error }));
      else pair?.resolve(x.result);
    }
    for (const watcher of [...this.#watchers]) watcher();
  }

  #apply(name, body) {
    if (name === "ping") this.socket.send('{"pong":{}}');
    if (name === "offer") this.offers.set(body.session, body);
    if (name === "offer.end") this.offers.delete(body.session);
    if (name === "session" && body.state === "closed") this.sessions.delete(body.session);
    if (name === "session" && body.state !== "closed") {
      const s = this.sessions.get(body.session) ?? { lines: [] };
      this.sessions.set(body.session, Object.assign(s, body));
      this.offers.delete(body.session);
    }
    if (name === "entry") {
      const s = this.sessions.get(body.session);
      if (!s) return this.broken.push(`an entry of session ${body.session}, which is not open`);
      if (body.seq !== s.lines.length + 1) this.broken.push(`session ${body.session}: ${body.seq} after ${s.lines.length}`);
      s.lines.push(body);
    }
  }
}
