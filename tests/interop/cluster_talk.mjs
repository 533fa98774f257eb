// Customers on NATS and an agent on WebSocket who reach a cluster through its
// edge, and do not give up: every line must be answered, once, in order.
//
//   PORT, NATS_PORT, NATS_PASSWORD, TOKEN, RUN (a name), LINES (for each customer)
//
// Prints `halfway` when half of the answers have arrived, so that somebody may
// break something.

import { connect, headers, JSONCodec } from "nats";
import { Agent } from "./agent.mjs";
import { check } from "./house.mjs";

const { PORT, NATS_PORT, NATS_PASSWORD, TOKEN, RUN, LINES } = process.env;
const customers = [...Array(6).keys()].map((i) => `${RUN}-${i}`);
const lines = Number(LINES);
const json = JSONCodec();
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const until = Date.now() + 90_000;
const late = () => Date.now() > until;

/** Repeats what `attempt` does until it works; ids make that harmless. */
async function insist(what, attempt) {
  for (;;) {
    try {
      return await attempt();
    } catch (e) {
      if (late()) throw new Error(`${what}: ${e.message}`);
      await pause(100);
    }
  }
}

async function speak(nc, user) {
  for (let i = 0; i < lines; i++) {
    const h = headers();
    h.set("Nats-Msg-Id", `web:${user}-${i}`);
    await insist(`line ${i} of ${user}`, async () => {
      const m = await nc.request(`sb.v1.post.web.${user}`, json.encode({ text: `${user} ${i}` }), { timeout: 1000, headers: h });
      const got = json.decode(m.data);
      if (!got.session) throw new Error(JSON.stringify(got));
    });
    await pause(50);
  }
}

/** What has left for the customers: user -> bodies, each id once. */
function listen(nc) {
  const heard = new Map(customers.map((x) => [x, new Map()]));
  (async () => {
    for await (const m of nc.subscribe("sb.v1.out.web.*")) {
      const mine = heard.get(m.subject.split(".").at(-1));
      if (mine) mine.set(m.headers.get("Nats-Msg-Id"), String(m.string()));
    }
  })();
  return heard;
}

async function work(li, ended) {
  const done = new Set();
  while (!ended()) {
    if (li.socket === undefined || li.socket.readyState > 1) await insist("the agent's socket", () => li.connect());
    try {
      for (const o of [...li.offers.values()])
        await li.ask("offer.accept", { session: o.session, offer: o.offer }).catch((e) => {
          if (!e.problem) throw e;
        });
      for (const [id, s] of li.sessions)
        for (const x of s.lines)
          if (x.kind === "customer" && !done.has(`${id}/${x.seq}`)) {
            await li.send(id, `re: ${x.body}`, `re-${id}-${x.seq}`);
            done.add(`${id}/${x.seq}`);
          }
    } catch {
      // Cut, or the session is on its way to another node: once more.
    }
    await pause(20);
  }
}

const nc = await connect({
  servers: `nats://127.0.0.1:${NATS_PORT}`, user: "switchboard", pass: NATS_PASSWORD,
  maxReconnectAttempts: -1, reconnectTimeWait: 200,
});
const heard = listen(nc);
const answers = () => [...heard.values()].reduce((sum, x) => sum + x.size, 0);
let ended = false;
const li = new Agent({ port: PORT }, TOKEN, "compose");
const working = work(li, () => ended);
const speaking = Promise.all(customers.map((x) => speak(nc, x)));
const all = customers.length * lines;
for (let told = false; answers() < all && !late(); await pause(20))
  if (!told && answers() >= all / 2) {
    told = true;
    console.log("halfway");
  }
await speaking;
ended = true;
await working;
check(answers() === all, `${RUN}: ${all} lines of ${customers.length} customers are answered`, answers());
for (const [user, got] of heard) {
  const wanted = [...Array(lines).keys()].map((i) => `re: ${user} ${i}`);
  const bodies = [...got.values()].map((x) => wanted.find((w) => x.endsWith(`${w}"`) || x.includes(`"${w}"`) || x === w));
  check(JSON.stringify(bodies) === JSON.stringify(wanted), `${RUN}: ${user} reads them in order, each once`, [...got.values()].slice(0, 3));
}
check(li.broken.length === 0, `${RUN}: the agent's screen has no gap`, li.broken);
li.socket.close();
await nc.close();
