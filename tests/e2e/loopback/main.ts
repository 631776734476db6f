/**
 * Plays the internet to the programs under test:
 *
 *   bun main.ts <folder>
 *
 * Says in its first line of output where it is. Then each line of input is a command of the test, as JSON, and each line
 * of output its answer. It ends when its input does, so it never outlives the test.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { issue } from "./certificates.ts";
import type { Account } from "./account.ts";
import { Cloudflare } from "./cloudflare.ts";
import type { Fault, Trouble } from "./faults.ts";
import { type Fault as GitHubFault, GitHub, type Run } from "./github.ts";
import { type Handler, Internet } from "./internet.ts";
import { Load } from "./load.ts";
import type { Plan, State } from "./settings.ts";
import type { Binding } from "./workerd.ts";

/** The first owns example.com, the second example.org: staging and prod may share one or have one each. */
const ACCOUNTS: readonly Account[] = [
  {
    id: "1".repeat(32),
    token: "token-of-acme",
    subdomain: "acme",
    zone: "example.com",
  },
  {
    id: "2".repeat(32),
    token: "token-of-acme-staging",
    subdomain: "acme-staging",
    zone: "example.org",
  },
];

/** GitHub on a server of one's own. */
const ENTERPRISE = "github.acme.example";

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: main.ts <folder>");
mkdirSync(folder, { recursive: true });

const certificates = issue([
  "api.cloudflare.com",
  "api.github.com",
  ENTERPRISE,
  ...ACCOUNTS.flatMap(({ subdomain, zone }) => [
    `*.${subdomain}.workers.dev`,
    zone,
    `*.${zone}`,
    `*.one.${zone}`,
    `*.two.${zone}`,
  ]),
]);
const authority = join(folder, "authority.pem");
writeFileSync(authority, certificates.authority);

const cloudflare = new Cloudflare(ACCOUNTS, join(folder, "data"));
const github = new GitHub("acme/shop", join(folder, "origin.git"));
const internet = new Internet(certificates, handlerOf);
const proxy = await internet.open();
let load: Load | undefined;

function handlerOf(host: string): Handler | undefined {
  if (host === "api.cloudflare.com") return (r) => cloudflare.api(r);
  if (host === "api.github.com" || host === ENTERPRISE) {
    return (r) => github.api(r);
  }
  const ours = ACCOUNTS.some(
    ({ subdomain, zone }) =>
      host.endsWith(`.${subdomain}.workers.dev`) ||
      `.${host}`.endsWith(`.${zone}`),
  );
  return ours ? (r) => cloudflare.visit(r) : undefined;
}

/** A command of the test. */
type Command =
  | { do: "state" | "calls" | "trespasses" | "held" | "stop-load" }
  | {
      do: "seed-worker";
      account: string;
      name: string;
      script: string;
      bindings: Binding[];
    }
  | { do: "query"; database: string; sql: string }
  | { do: "seed-data"; account: string; type: "kv" | "d1" | "r2"; name: string }
  | {
      do: "switch";
      worker: string;
      versions: { version_id: string; percentage: number }[];
    }
  | { do: "fault"; fault: Fault }
  | { do: "trouble"; trouble: Trouble }
  | { do: "well" }
  | { do: "front"; host: string; front: "challenge" | "access" | null }
  | { do: "hold"; on: boolean }
  | { do: "load"; url: string }
  | { do: "visit"; url: string }
  | { do: "github" | "stuck" }
  | {
      do: "set-github";
      state?: State;
      plan?: Plan;
      patience?: number;
      faults?: GitHubFault[];
    }
  | { do: "run"; run: Run }
  | { do: "forget-environment"; name: string };

async function obey(command: Command): Promise<unknown> {
  switch (command.do) {
    case "state":
      return cloudflare.state();
    case "calls":
      return cloudflare.calls.splice(0);
    case "trespasses":
      return [...internet.blocked, ...cloudflare.unknown, ...github.refused];
    case "seed-worker": {
      const { account, name, script, bindings } = command;
      return cloudflare.seedWorker(account, name, script, bindings);
    }
    case "query":
      return cloudflare.query(command.database, command.sql);
    case "seed-data":
      return cloudflare.seedData(command.account, command.type, command.name);
    case "switch":
      return cloudflare.switch(command.worker, command.versions);
    case "fault":
      return void cloudflare.faults.push(command.fault);
    case "trouble": {
      // "late" counts from now.
      const { ms = 0 } = command.trouble;
      cloudflare.troubles.push({ ...command.trouble, ms: Date.now() + ms });
      return null;
    }
    case "well":
      cloudflare.faults.splice(0);
      cloudflare.troubles.splice(0);
      return null;
    case "front":
      return cloudflare.setFront(command.host, command.front);
    case "hold":
      return cloudflare.holdAsked(command.on);
    case "held":
      return cloudflare.heldOnce();
    case "load":
      load = new Load(command.url, proxy, certificates.authority);
      return null;
    case "stop-load":
      return load?.stop();
    case "github": {
      const { runs, deployments, settings, requests } = github;
      const { changes, opened } = settings;
      return {
        runs,
        deployments,
        requests,
        changes,
        opened,
        ...settings.state,
      };
    }
    case "set-github":
      return setGitHub(command);
    case "stuck":
      return github.stuck;
    case "run": {
      const at = github.runs.findIndex((run) => run.id === command.run.id);
      if (at >= 0) github.runs[at] = command.run;
      else github.runs.push(command.run);
      return null;
    }
    case "forget-environment":
      delete github.settings.state.environments[command.name];
      return null;
    case "visit": {
      const answer = await fetch(command.url, {
        proxy,
        tls: { ca: certificates.authority },
      });
      return { status: answer.status, body: await answer.text() };
    }
  }
}

/** Sets what is given, and forgets what was asked and changed before. */
function setGitHub(wish: Extract<Command, { do: "set-github" }>): void {
  const { settings } = github;
  if (wish.state) settings.state = wish.state;
  settings.plan = wish.plan ?? "public";
  settings.changes.splice(0);
  settings.opened.splice(0);
  github.requests = [];
  github.patience = wish.patience ?? Infinity;
  github.faults.splice(0, Infinity, ...(wish.faults ?? []));
}

const say = (value: unknown) =>
  process.stdout.write(`${JSON.stringify(value)}\n`);

say({ proxy, authority });
const lines = createInterface({ input: process.stdin });
// Also while a command waits for something that never comes.
lines.on("close", () => process.exit(0));
for await (const line of lines) {
  try {
    say({ value: (await obey(JSON.parse(line) as Command)) ?? null });
  } catch (error) {
    say({ error: String(error) });
  }
}
