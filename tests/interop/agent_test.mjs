// The pages for operators with curl and promtool, and the agents' protocol on the
// stock WebSocket client: close codes, signs, and connections that break at random.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { check, patience, test, within } from "./house.mjs";
import { Agent } from "./agent.mjs";

let posted = 0;
async function post(nc, user, text) {
  const got = await nc.request(`sb.v1.post.web.${user}`, JSON.stringify({ text, id: `a${++posted}` }), { timeout: patience });
  const told = JSON.parse(new TextDecoder().decode(got.data));
  if (!told.session) throw new Error(`post: ${JSON.stringify(told)}`);
  return told;
}

async function stored(nc, session) {
  const all = [];
  for (let more = true; more;) {
    const got = await nc.request("sb.v1.svc.session.get", JSON.stringify({ session, after: all.length, limit: 1000 }), { timeout: patience });
    const page = JSON.parse(new TextDecoder().decode(got.data));
    all.push(...page.entries);
    more = page.more;
  }
  return all;
}

async function pages(house) {
  const live = await house.curl("/livez");
  check(live.status === 200 && live.body === "ok\n", "GET /livez", live);
  const ready = await house.curl("/readyz?verbose");
  check(ready.status === 200 && ready.body.includes("[+] database ok") && ready.body.endsWith("ready\n"), "GET /readyz?verbose", ready.body);
  const version = await house.curl("/version");
  check(version.type === "application/json" && JSON.parse(version.body).name === "switchboard", "GET /version", version);
  const missing = await house.curl("/nothing");
  check(missing.status === 404 && missing.type === "application/problem+json" && JSON.parse(missing.body).code === "not_found",
    "what is not there is a problem document", missing);
  const metrics = await house.curl("/metrics");
  check(metrics.type.startsWith("text/plain") && metrics.body.includes("\nswitchboard_"), "GET /metrics");
  if (existsSync("/usr/bin/promtool")) {
    execFileSync("promtool", ["check", "metrics"], { input: metrics.body, stdio: ["pipe", "pipe", "inherit"] });
    check(true, "promtool finds nothing to say about the metrics");
  }
  const desk = await house.curl("/", "-D", "-");
  check(/content-security-policy: default-src 'none'/i.test(desk.body), "GET / is the desk, with a content security policy");
  const operator = await house.token("interop", "operator");
  const say = (...more) => house.curl("/v1/messages", "-H", `Authorization: Bearer ${operator}`, "-H", "Content-Type: application/json",
    "-H", "Idempotency-Key: k1", "-d", JSON.stringify({ channel: "web", user: "http", text: "hi" }), ...more);
  const first = await say(), again = await say();
  check(first.status === 201 && again.status === 200 && JSON.parse(again.body).duplicate === true,
    "POST /v1/messages twice with one Idempotency-Key is one message", again);
}

async function refusals(house, token) {
  const how = async (agent, frame) => {
    if (frame === undefined) await agent.connect().catch(() => {});
    else {
      const opening = agent.connect({}).catch(() => {});
      void opening;
    }
    return within(agent.closed, "a close");
  };
  const bad = await how(new Agent(house, "nonsense"));
  check(bad.code === 4401, "a bad token is closed with 4401", bad);
  const operator = await how(new Agent(house, await house.token("boss", "operator")));
  check(operator.code === 4403, "an operator at a desk is closed with 4403", operator);
  const nobody = await how(new Agent(house, await house.token("nobody")));
  check(nobody.code >= 4400, "an agent whom nobody has added is closed", nobody);
  const first = new Agent(house, token, "one");
  await first.connect();
  const second = new Agent(house, token, "one");
  await second.connect();
  check((await within(first.closed, "4409")).code === 4409, "the same device again closes the first with 4409");
  const third = new Agent(house, token, "another");
  await third.connect();
  third.socket.send("not json");
  check((await within(third.closed, "4400")).code === 4400, "what is no JSON is closed with 4400");
  const fourth = new Agent(house, token, "fourth");
  await fourth.connect();
  fourth.socket.send("x".repeat(300 * 1024));
  check((await within(fourth.closed, "4413")).code === 4413, "a frame over 256 KiB is closed with 4413");
  second.socket.close();
}

async function signs(nc, li, session, user) {
  nc.publish(`sb.v1.typing.web.${user}`);
  const typing = await li.push("typing");
  check(typing.session === session && typing.author === "", "typing: the customer's reaches the agent", typing);
  nc.publish(`sb.v1.read.web.${user}`, '{"seq":2}');
  const read = await li.push("read");
  check(read.session === session && read.seq === 2, "read: the customer's reaches the agent", read);
  const heard = nc.subscribe(`sb.v1.evt.session.*.${session}`, { max: 2 });
  const both = (async () => {
    const all = [];
    for await (const m of heard) all.push([m.headers?.get("ce-type"), JSON.parse(new TextDecoder().decode(m.data))]);
    return all;
  })();
  await nc.flush();
  await li.ask("typing", { session });
  await li.ask("read", { session, seq: 3 });
  const [[, typed], [kind, seen]] = await within(both, "signs of the agent");
  check(typed.agent === "li" && typed.user === user && seen.seq === 3 && kind === "switchboard.session.read",
    "typing, read: the agent's reach the channel as events", seen);
  const other = await li.refused("typing", { session: "7" });
  check(other.code === "stale_owner", "typing in somebody else's session is refused", other);
}

/** A small generator of chance, so that a failure can be had again. */
function chance(seed) {
  return () => ((seed = (seed * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff);
}

/** The customer writes, the agent answers, and the connection is cut again and again. */
async function disconnects(nc, li, session, user) {
  const dice = chance(7);
  const count = 200;
  let done = false, cuts = 0;
  let failed = null;
  const customer = (async () => {
    for (let i = 0; i < count || cuts < 20; i++) {
      await post(nc, user, `line ${i}`);
      if (i >= count) await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })().catch((e) => { failed = e; }).finally(() => { done = true; });
  const unconfirmed = new Map(); // client_id -> body
  let answers = 0;
  while (!done || unconfirmed.size > 0 || cuts < 20) {
    const due = 5 + dice() * 60;
    const cut = new Promise((resolve) => setTimeout(resolve, due)).then(() => (done && cuts >= 20 ? null : li.socket.terminate()));
    if (!done) unconfirmed.set(`r${answers}`, `answer ${answers++}`);
    for (const [client_id, body] of [...unconfirmed]) {
      await li.until(() => li.sessions.get(session) || li.socket.readyState > 1, "the session");
      await li.send(session, body, client_id).then(() => unconfirmed.delete(client_id), async (e) => {
        if (!e.problem) return;
        const events = (await stored(nc, session)).filter((x) => x.kind === "event");
        throw new Error(`${JSON.stringify(e.problem)} at ${JSON.stringify({ ...li.sessions.get(session), lines: 0 })}; ${JSON.stringify(events)}`);
      });
    }
    await cut;
    if (li.socket.readyState <= 1) continue;
    cuts++;
    await li.connect();
  }
  await customer;
  if (failed) throw failed;
  const all = await stored(nc, session);
  await li.until(() => li.sessions.get(session).lines.length >= all.length, "all lines");
  const lines = li.sessions.get(session).lines;
  check(li.broken.length === 0, `${cuts} cut connections: no gap, nothing twice`, li.broken);
  check(JSON.stringify(lines) === JSON.stringify(all.map((x) => ({ ...x, session })).map((x) => order(x, lines[x.seq - 1]))),
    `the screen has the ${all.length} entries that are stored`);
  const bodies = all.filter((x) => x.kind === "agent").map((x) => x.body);
  check(bodies.length === new Set(bodies).size && bodies.length >= answers,
    `each of ${answers} answers was sent until confirmed, and counted once`, bodies.length);
}

/** The same fields in the order of `like`, so that two spellings compare. */
function order(x, like) {
  return Object.fromEntries(Object.keys(like ?? x).map((k) => [k, x[k]]));
}

async function closes_with(house, code) {
  const { body } = await house.curl("/metrics");
  return Number(new RegExp(`switchboard_gateway_closes_total\\{code="${code}"\\} (\\d+)`).exec(body)?.[1] ?? 0);
}

/** A screen that does not read is closed, and loses nothing. */
async function slow_reader(house, nc, li, session, user) {
  const before = await closes_with(house, 4429);
  li.socket.pause();
  const large = "x".repeat(60 * 1024);
  let sent = 0;
  while ((await closes_with(house, 4429)) === before && sent < 2000)
    for (let i = 0; i < 20; i++, sent++) await post(nc, user, large);
  check(sent < 2000, `a screen that reads nothing is closed with 4429, after ${sent} large lines`);
  li.socket.resume();
  const told = await within(li.closed, "the close");
  check(told.code === 4429 || told.code === 1006, "the screen learns why, if it reads at last", told);
  await li.connect();
  const all = await stored(nc, session);
  await li.until(() => li.sessions.get(session).lines.length === all.length, "what the screen missed");
  check(li.broken.length === 0, "what a slow screen missed comes after it has resumed");
}

/** The service goes away in order, and comes back. */
async function restart(house, nc, li, session) {
  const count = li.sessions.get(session).lines.length;
  await nc.close();
  await house.stop();
  const told = await within(li.closed, "the close");
  check(told.code === 4503 && /after_ms=\d+/.test(told.reason), "who stops says when to come back: 4503", told);
  await house.start();
  await li.connect();
  await li.until(() => li.sessions.get(session)?.phase === "active", "the session");
  await li.send(session, "back again");
  await li.until(() => li.sessions.get(session).lines.length === count + 1, "the answer");
  check(li.broken.length === 0, "after a restart the agent goes on where it was");
}

/** The service is killed while both sides write. */
async function killed(house, li, session, user) {
  let nc = await house.client();
  const writing = (async () => {
    for (let i = 0; ; i++) await post(nc, user, `before the end ${i}`);
  })().catch(() => {});
  await li.until(() => li.sessions.get(session).lines.at(-1).body === "before the end 20", "lines");
  await house.kill();
  await within(li.closed, "the close");
  await nc.close().catch(() => {});
  await writing;
  await house.start();
  nc = await house.client();
  await li.connect();
  await li.until(() => li.sessions.get(session)?.phase === "active", "the session");
  await post(nc, user, "still there?");
  await li.until(() => li.sessions.get(session).lines.at(-1).body === "still there?", "the line");
  const all = await stored(nc, session);
  check(li.broken.length === 0 && li.sessions.get(session).lines.length === all.length, "after a kill the screen has what is stored, once");
  await nc.close();
}

await test(async (house) => {
  let nc = await house.client();
  await pages(house);
  const token = await house.token("li");
  await refusals(house, token);
  const li = new Agent(house, token);
  const welcome = await li.connect();
  check(welcome.agent === "li" && welcome.role === "agent" && Math.abs(Date.parse(welcome.now) - Date.now()) < patience,
    "the welcome says who one is, and what time it is", welcome);
  await li.ask("presence", { state: "online" });
  check((await li.push("presence", (x) => x.state === "online")).state === "online", "presence: one's own is shown");
  const user = `agent-${process.pid}`;
  const { session } = await post(nc, user, "hello");
  await li.accept(user);
  const stale = await li.refused("send", { session, ownership: 0, client_id: "s", body: "x" });
  check(stale.code === "stale_owner" && stale.status === 409, "a stale ownership cannot speak", stale);
  await signs(nc, li, session, user);
  await disconnects(nc, li, session, user);
  await slow_reader(house, nc, li, session, user);
  await restart(house, nc, li, session);
  await killed(house, li, session, user);
  nc = await house.client();
  const { sessions } = JSON.parse(new TextDecoder().decode((await nc.request("sb.v1.svc.session.list", "", { timeout: patience })).data));
  check(sessions.some((x) => x.session === session && x.agent === "li"), "after all that the session is the agent's");
  await nc.close();
  check((await house.cli("verify")).includes("ok"), "verify: the invariants hold");
});
