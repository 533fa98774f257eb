// A `switchboard dev` of one's own, in a folder that is gone afterwards, and the
// small words that all tests here are written in.

import { spawn, execFile } from "node:child_process";
import { mkdtemp, chmod, rm, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { connect } from "nats";

const run = promisify(execFile);
export const patience = 20_000;

export function check(condition, what, seen) {
  if (!condition) {
    throw new Error(`${what}${seen === undefined ? "" : `; seen: ${JSON.stringify(seen)}`}`);
  }
  console.log(`ok - ${what}`);
}

/** Fails when nothing comes in time; the time is generous and never the point. */
export function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing came in ${patience} ms`)), patience);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export class House {
  port = 0;
  log = "";

  static async open() {
    const house = new House();
    house.binary = process.argv[2] && resolve(process.argv[2]);
    if (!house.binary) throw new Error("usage: run.sh BINARY FOLDER TEST");
    house.folder = await mkdtemp(join(tmpdir(), "switchboard-interop-"));
    await chmod(house.folder, 0o711); // The user postgres passes through.
    await house.start();
    return house;
  }

  /** The second start takes the port of the first, as a restarted service does. */
  async start() {
    const child = spawn(this.binary, ["dev", "--port", String(this.port)], {
      cwd: this.folder,
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.child = child;
    this.ended = new Promise((resolve) => child.on("exit", resolve));
    await within(
      new Promise((resolve, reject) => {
        let seen = "";
        child.stderr.setEncoding("utf8");
        child.stderr.on("data", (text) => {
          this.log += text;
          seen += text;
          if (seen.includes("Ctrl-C stops it all")) resolve();
        });
        child.on("exit", (code) => reject(new Error(`switchboard dev ended with ${code}: ${this.log}`)));
      }),
      "switchboard dev",
    );
    const settings = await readFile(join(this.folder, ".switchboard/dev.toml"), "utf8");
    const value = (name) => new RegExp(`^${name} = "?([^"\n]*)"?$`, "m").exec(settings)[1];
    this.port = Number(value("port"));
    this.nats = { servers: value("url"), user: value("user"), pass: value("password") };
  }

  get base() {
    return `http://127.0.0.1:${this.port}`;
  }

  async stop() {
    this.child.kill("SIGTERM");
    return within(this.ended, "the end of switchboard dev");
  }

  /** As a power cut does it; what `dev` started ends with it. */
  async kill() {
    this.child.kill("SIGKILL");
    return within(this.ended, "the end of switchboard dev");
  }

  async close() {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** @returns what `switchboard ARGS...` prints */
  async cli(...args) {
    return (await run(this.binary, args, { cwd: this.folder })).stdout.trim();
  }

  token(agent, role = "agent") {
    return this.cli("token", "create", "--agent", agent, "--role", role);
  }

  visitorToken(user) {
    return this.cli("token", "create", "--visitor", user);
  }

  client() {
    return connect({ ...this.nats, name: "interop" });
  }

  /** @returns {status, type, body} as curl has it */
  async curl(path, ...args) {
    const { stdout } = await run("curl", ["-sS", "-w", "\n%{http_code} %{content_type}", ...args, this.base + path]);
    const end = stdout.lastIndexOf("\n");
    const [status, type] = stdout.slice(end + 1).split(" ");
    return { status: Number(status), type, body: stdout.slice(0, end) };
  }
}

/** Runs a test with a house; 1 is the exit code of a broken promise. */
export async function test(body) {
  let house;
  try {
    house = await House.open();
    await body(house);
    console.log("all well");
  } catch (e) {
    console.error(`not ok - ${e.stack}`);
    if (house) console.error(`-- the end of the log of switchboard:\n${house.log.slice(-4000)}`);
    process.exitCode = 1;
  } finally {
    await house?.close();
  }
}
