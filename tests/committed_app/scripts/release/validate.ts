/** What alchemy.config.ts must not say: told in one sentence, before anything else happens. */
import {
  type Config,
  MAIN,
  type Profile,
  isPromoted,
  misuse,
  stateService,
  workerName,
} from "./config.ts";

/** Refuses what TypeScript cannot see, or would only have seen in an editor. */
export function validateConfig(config: Config): Config {
  for (const problem of problemsOf(config)) {
    throw misuse`alchemy.config.ts: ${problem}`;
  }
  return config;
}

const RESOURCE_TYPES = ["worker", "kv", "d1", "r2"];

function* problemsOf(config: Config): Generator<string> {
  const { resources, profiles } = config;
  for (const [id, { type }] of Object.entries(resources)) {
    if (RESOURCE_TYPES.includes(type)) continue;
    yield `resource "${id}" has type "${type}"; known: ${RESOURCE_TYPES.join(", ")}`;
  }
  const workers = Object.values(resources).filter(
    ({ type }) => type === "worker",
  ).length;
  if (workers !== 1) {
    yield `one resource must be a worker, not ${workers}: a second Worker is a second app`;
  }
  yield* problemsOfCheck(config);
  if (Object.keys(profiles).length === 0)
    yield "no profile: define at least staging";
  const owners = new Map<string, string>();
  for (const [name, profile] of Object.entries(profiles)) {
    if (!/^[a-z][a-z0-9-]*$/.test(name) || name.startsWith("dev-")) {
      yield `"${name}" is not a name for a profile: lower case, not dev-…`;
    }
    const { domain } = profile;
    const owner = domain && owners.get(domain);
    if (owner)
      yield `profiles "${owner}" and "${name}" share the domain ${domain}`;
    if (domain) owners.set(domain, name);
    for (const problem of problemsOfProfile(config, name, profile)) {
      yield `profile "${name}" ${problem}`;
    }
    yield* longNames(config, name, profile);
  }
}

/** One DNS label, since Cloudflare serves a Worker at <name>.<account>.workers.dev. */
const LONGEST_NAME = 63;

function* longNames(config: Config, name: string, profile: Profile) {
  const worker = workerName(config, { name, profile, personal: false });
  for (const long of [worker, stateService(config, name)]) {
    if (long.length <= LONGEST_NAME) continue;
    yield `the Worker name ${long} is longer than ${LONGEST_NAME} characters`;
  }
}

/** What is wrong with the paths that the release check asks. */
function* problemsOfCheck({ health = {}, smoke = [] }: Config) {
  const { path = "/health", reports = "version" } = health;
  if (!["version", "status"].includes(reports)) {
    yield `health.reports is "${reports}"; known: version, status`;
  }
  for (const odd of [path, ...smoke.map((s) => s.path)]) {
    if (!/^\/[!-~]*$/.test(odd))
      yield `"${odd}" is not a path: it begins with a slash`;
  }
  for (const { path: asked, status = 200 } of smoke) {
    if (!(status >= 100 && status < 600))
      yield `smoke "${asked}" expects status ${status}`;
  }
}

/** The job that deploys has 45 minutes. */
const LONGEST_WATCH_MS = 30 * 60_000;

/** How long an environment is watched after a switch, or undefined unless it is a time of up to 30 minutes. */
export function watchMsOf({ watch = "0s" }: Profile): number | undefined {
  const [, amount, unit] = /^([0-9]{1,4})(s|m)$/.exec(watch) ?? [];
  const ms = Number(amount) * (unit === "m" ? 60_000 : 1000);
  return ms <= LONGEST_WATCH_MS ? ms : undefined;
}

/** What GitHub takes. */
const SECRET_NAME = /^(?!GITHUB_)[A-Z_][A-Z0-9_]*$/i;

/** What is wrong with one profile. */
function* problemsOfProfile(config: Config, name: string, profile: Profile) {
  const { watch, reviewers, preventSelfReview, waitMinutes, branches } =
    profile;
  for (const id of Object.keys(profile.names ?? {})) {
    if (!(id in config.resources))
      yield `names "${id}", which is not a resource`;
  }
  if (watchMsOf(profile) === undefined) {
    yield `has watch "${watch}"; it is a time of up to 30 minutes, as in "10m" or "90s"`;
  }
  for (const secret of profile.secrets ?? []) {
    if (SECRET_NAME.test(secret)) continue;
    yield `has a secret "${secret}"; GitHub takes letters, digits and _, first no digit, and not GITHUB_`;
  }
  yield* problemsOfRules(profile);
  if (branches !== undefined && !branches.includes(MAIN)) {
    yield `has \`branches\` without ${MAIN}, the only one that is ever promoted`;
  }
  if (new Set(branches).size < (branches?.length ?? 0))
    yield "names a branch twice";
  const approval = reviewers ?? preventSelfReview ?? waitMinutes ?? branches;
  if (approval !== undefined && !isPromoted(config, name)) {
    yield "gets every push to main, so it takes no reviewers, preventSelfReview, waitMinutes or branches";
  }
}

const MOST_REVIEWERS = 6;
/** Thirty days. */
const LONGEST_WAIT_MINUTES = 43_200;

/** What is wrong with the reviewers or the wait, wherever they were given. */
export function* problemsOfRules({
  reviewers,
  waitMinutes: wait = 0,
}: Pick<Profile, "reviewers" | "waitMinutes">): Generator<string> {
  const all = reviewers ?? [];
  if (reviewers?.length === 0) {
    yield "has `reviewers` with nobody in it: leave it out to keep whoever is set on GitHub";
  }
  for (const name of all) {
    if (/^\w[\w.-]*(\/\w[\w.-]*)?$/.test(name)) continue;
    yield `has a reviewer "${name}", which is neither a login nor organisation/team`;
  }
  if (new Set(all.map((name) => name.toLowerCase())).size < all.length) {
    yield "names a reviewer twice";
  }
  if (all.length > MOST_REVIEWERS) {
    yield `has ${all.length} reviewers; GitHub takes up to ${MOST_REVIEWERS}`;
  }
  if (!(Number.isInteger(wait) && wait >= 0 && wait <= LONGEST_WAIT_MINUTES)) {
    yield `waits ${wait} minutes; GitHub takes 0 to ${LONGEST_WAIT_MINUTES}`;
  }
}
