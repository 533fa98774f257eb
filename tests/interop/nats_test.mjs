// The stock JavaScript client of NATS against a running switchboard.
//
//   NATS_URL=nats://127.0.0.1:4222 NATS_USER=... NATS_PASSWORD=... node nats_test.mjs
//   node nats_test.mjs --self    # with the same variables: a bare nats-server and a
//                                # small responder in this file instead of switchboard
//
// Prints one line for each promise kept; exits with 1 at the first one broken.

import { connect, consumerOpts, headers, JSONCodec, StringCodec } from "nats";

const text = StringCodec();
const json = JSONCodec();
const self = process.argv.includes("--self");
const patience = 10_000;

function check(condition, what, seen) {
  if (!condition) {
    throw new Error(`${what}${seen === undefined ? "" : `; seen: ${JSON.stringify(seen)}`}`);
  }
  console.log(`ok - ${what}`);
}

function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing came in ${patience} ms`)), patience);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function login() {
  return connect({
    servers: process.env.NATS_URL ?? "nats://127.0.0.1:4222",
    user: process.env.NATS_USER || undefined,
    pass: process.env.NATS_PASSWORD || undefined,
    name: "interop",
  });
}

function identity(id) {
  const h = headers();
  h.set("Nats-Msg-Id", id);
  return h;
}

// Stands in for switchboard: streams, receipts, a reply, services discovery.
async function standIn(nc) {
  const jsm = await nc.jetstreamManager();
  await jsm.streams.add({ name: "SB_IN", subjects: ["sb.v1.slot.*.in.>"] });
  await jsm.streams.add({ name: "SB_OUT", subjects: ["sb.v1.out.>"] });
  const seen = new Map();
  let seq = 0;
  nc.subscribe("sb.v1.slot.*.post.>", {
    callback: (_, m) => {
      const id = m.headers?.get("Nats-Msg-Id") || `none-${seq}`;
      const at = m.subject.split(".");
      if (!m.data.length || m.data[0] !== 0x7b) {
        const h = headers();
        h.set("Nats-Service-Error", "malformed");
        h.set("Nats-Service-Error-Code", "400");
        m.respond(json.encode({ code: "malformed", status: 400, detail: "payload" }), { headers: h });
        return;
      }
      const duplicate = seen.has(id);
      if (!duplicate) seen.set(id, ++seq);
      m.respond(json.encode({ session: "7", seq: seen.get(id), duplicate }));
      nc.publish(`sb.v1.out.${at[5]}.${at[6]}`, json.encode({ msgId: `7-${seq}`, channel: at[5], userId: at[6], content: "您好" }));
    },
  });
  await nc.services.add({
    name: "switchboard",
    version: "0.1.0",
    description: "stand-in",
  });
}

async function direct(nc, user) {
  const id = `web:interop-${user}-1`;
  const ask = () =>
    nc.request(`sb.v1.post.web.${user}`, text.encode('{"text":"hi"}'), { timeout: patience, headers: identity(id) });
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
}

async function buffered(nc, user) {
  const js = nc.jetstream();
  const ack = await js.publish(`sb.v1.in.web.${user}`, text.encode('{"text":"hi"}'), { msgID: `web:interop-${user}-2` });
  check(ack.stream === "SB_IN" && ack.seq >= 1 && !ack.duplicate, "in: JetStream keeps the message", ack);
  const again = await js.publish(`sb.v1.in.web.${user}`, text.encode('{"text":"hi"}'), { msgID: `web:interop-${user}-2` });
  check(again.duplicate === true, "in: JetStream drops the same id", again);
}

async function outgoing(nc, user) {
  // The reply needs somebody who replies: the bot, or the stand-in. Whoever tests a
  // switchboard without one publishes the reply as an agent and sets INTEROP_OUT=1.
  if (!self && process.env.INTEROP_OUT !== "1") {
    const jsm = await nc.jetstreamManager();
    const info = await jsm.streams.info("SB_OUT");
    check(info.config.name === "SB_OUT", "out: the stream SB_OUT is there");
    return;
  }
  const opts = consumerOpts();
  opts.orderedConsumer();
  opts.deliverAll();
  opts.filterSubject(process.env.INTEROP_OUT_SUBJECT ?? `sb.v1.out.web.${user}`);
  const sub = await nc.jetstream().subscribe(process.env.INTEROP_OUT_SUBJECT ?? `sb.v1.out.web.${user}`, opts);
  const read = (async () => {
    for await (const m of sub) return json.decode(m.data);
  })();
  const message = await within(read, "out");
  check(message.channel === "web" && /^[0-9]+-[0-9]+$/.test(message.msgId) && message.content,
    "out: a reply can be consumed from SB_OUT", message);
  sub.unsubscribe();
}

async function discovered(nc) {
  const client = nc.services.client({ maxWait: 1000, strategy: "timer" });
  const found = [];
  for await (const x of await client.ping()) found.push(x.name);
  check(found.length > 0, "services: the stock client finds us by ping", found);
  const infos = [];
  for await (const x of await client.info()) infos.push(x);
  check(infos.length === found.length && infos.every((x) => x.id && x.version), "services: all tell who they are");
  const stats = [];
  for await (const x of await client.stats()) stats.push(x);
  check(stats.length === found.length && stats.every((x) => x.started), "services: all tell their figures");
}

const nc = await login();
try {
  if (self) await standIn(nc);
  const user = `interop-${process.pid}-${Date.now().toString(36)}`;
  await direct(nc, user);
  await buffered(nc, user);
  await outgoing(nc, user);
  await discovered(nc);
  console.log("all well");
} catch (e) {
  console.error(`not ok - ${e.message}`);
  process.exitCode = 1;
} finally {
  await nc.close();
}
