// The stock JavaScript client of NATS against a `switchboard dev`: both lanes in,
// replies and events out, services found and asked.

import { consumerOpts, headers, JSONCodec, StringCodec } from "nats";
import { check, patience, test, within } from "./house.mjs";
import { Agent } from "./agent.mjs";

const text = StringCodec();
const json = JSONCodec();

function identity(id) {
  const h = headers();
  h.set("Nats-Msg-Id", id);
  return h;
}

/** Reads a stream from its beginning until a message `fits`. */
async function consume(nc, subject, fits = () => true) {
  const opts = consumerOpts();
  opts.orderedConsumer();
  opts.deliverAll();
  opts.filterSubject(subject);
  const sub = await nc.jetstream().subscribe(subject, opts);
  const read = (async () => {
    for await (const m of sub) if (fits(m)) return m;
  })();
  const found = await within(read, subject);
  sub.unsubscribe();
  return found;
}

async function direct(nc, user) {
  const ask = () =>
    nc.request(`sb.v1.post.web.${user}`, text.encode('{"text":"hi"}'), { timeout: patience, headers: identity(`web:${user}-1`) });
  const first = json.decode((await ask()).data);
  check(/^[1-9][0-9]*$/.test(first.session), "post: a receipt names the session as a string", first);
  check(first.seq >= 1 && first.duplicate === false, "post: a receipt has a seq and is no duplicate", first);
  const again = json.decode((await ask()).data);
  check(again.duplicate === true && again.seq === first.seq && again.session === first.session,
    "post: the same id is answered with the same seq", again);
  const bad = await nc.request(`sb.v1.post.web.${user}`, text.encode("hello"), { timeout: patience });
  const problem = json.decode(bad.data);
  check(problem.code === "malformed" && problem.status === 400 && problem.detail, "post: bad bytes get a problem", problem);
  check(bad.headers?.get("Nats-Service-Error-Code") === "400", "post: the problem's code is a header too");
  return first.session;
}

async function buffered(nc, user, session) {
  const js = nc.jetstream();
  const put = () => js.publish(`sb.v1.in.web.${user}`, text.encode('{"text":"and this"}'), { msgID: `web:${user}-2` });
  const ack = await put();
  check(ack.stream === "SB_IN" && ack.seq >= 1 && !ack.duplicate, "in: JetStream keeps the message", ack);
  check((await put()).duplicate === true, "in: JetStream drops the same id");
  await js.publish(`sb.v1.in.web.${user}`, text.encode("nonsense"));
  const dead = await consume(nc, "sb.v1.dlq.SB_IN.>");
  check(text.decode(dead.data) === "nonsense" && dead.headers.get("Switchboard-Error").startsWith("malformed"),
    "in: what cannot be read becomes a dead letter with its reason", dead.headers.get("Switchboard-Error"));
  return session;
}

async function outgoing(nc, house, user, session) {
  const agent = new Agent(house, await house.token("li"));
  await agent.connect();
  await agent.ask("presence", { state: "online" });
  check((await agent.accept(user)) === session, "offer: the agent is offered the session of the receipt");
  await agent.until(() => agent.sessions.get(session).lines.some((x) => x.body === "and this"), "both lanes' lines");
  const line = await agent.send(session, "您好, how can I help?");
  const reply = await consume(nc, `sb.v1.out.web.${user}`);
  const message = json.decode(reply.data);
  check(message.channel === "web" && message.userId === user && message.content === "您好, how can I help?",
    "out: the agent's reply can be consumed from SB_OUT", message);
  check(message.msgId === `${session}-${line.seq}` && reply.headers.get("Nats-Msg-Id"),
    "out: its id is the session and the seq of the receipt", message);
  const assigned = await consume(nc, `sb.v1.evt.session.assigned.${session}`);
  check(assigned.headers.get("ce-specversion") === "1.0" && assigned.headers.get("ce-id") && assigned.headers.get("ce-type"),
    "evt: session.assigned is a CloudEvent in binary mode", [...assigned.headers.keys()]);
  check(agent.broken.length === 0, "agent: entries came as 1, 2, 3 ...", agent.broken);
  agent.socket.close();
  return agent;
}

async function discovered(nc) {
  const client = nc.services.client({ maxWait: 1000, strategy: "timer" });
  const all = async (from) => {
    const found = [];
    for await (const x of await from) found.push(x);
    return found.sort((a, b) => a.name.localeCompare(b.name));
  };
  const names = (await all(client.ping())).map((x) => x.name);
  check(names.join() === "agent,router,session", "services: the stock client finds them by ping", names);
  const subjects = (await all(client.info())).flatMap((x) => x.endpoints.map((e) => e.subject)).sort();
  check(subjects.join(" ") === "sb.v1.svc.agent.list sb.v1.svc.router.explain sb.v1.svc.session.get sb.v1.svc.session.list",
    "services: info names every subject", subjects);
  return client;
}

async function services(nc, user, session) {
  const client = await discovered(nc);
  const ask = async (name, what) => {
    const got = await nc.request(`sb.v1.svc.${name}`, what === undefined ? "" : json.encode(what), { timeout: patience });
    return { body: json.decode(got.data), code: got.headers?.get("Nats-Service-Error-Code") };
  };
  const one = (await ask("session.get", { session })).body;
  check(one.user === user && one.agent === "li" && one.entries.length === one.last_seq
    && one.entries.every((x, i) => x.seq === i + 1), "session.get: shows the session and its entries", one);
  const rest = (await ask("session.get", { session, after: one.last_seq - 1, limit: 5 })).body;
  check(rest.entries.length === 1 && rest.entries[0].seq === one.last_seq, "session.get: pages by seq");
  const { sessions } = (await ask("session.list")).body;
  check(sessions.some((x) => x.session === session && x.phase === "active"), "session.list: has the session", sessions);
  const why = (await ask("router.explain", { session })).body;
  check(why.decisions.length === 1 && why.text.includes("li"), "router.explain: says why li was chosen", why.text);
  const { agents } = (await ask("agent.list")).body;
  const li = agents.find((x) => x.agent === "li");
  check(li.load === 1 && li.capacity === 4, "agent.list: li has one chat of four", li);
  const missing = await ask("session.get", { session: "1" });
  check(missing.code === "404" && missing.body.code === "not_found", "services: what is not there is a problem", missing);
  const odd = await ask("session.get", { session: 1 });
  check(odd.code === "400" && odd.body.detail.includes('{"session":"7"}'), "services: a bad question is told what a good one is", odd);
  const stats = [];
  for await (const x of await client.stats("session")) stats.push(x);
  const get = stats[0].endpoints.find((x) => x.name === "get");
  check(get.num_requests === 4 && get.num_errors === 2 && get.last_error === "400:malformed" && get.average_processing_time > 0,
    "services: stats count requests and errors", get);
}

await test(async (house) => {
  const nc = await house.client();
  const user = `nats-${process.pid}`;
  const session = await direct(nc, user);
  await buffered(nc, user, session);
  await outgoing(nc, house, user, session);
  await services(nc, user, session);
  await nc.close();
  check((await house.stop()) === 0, "stop: the service ends with 0");
});
