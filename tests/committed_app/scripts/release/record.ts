/**
 * The line on GitHub's deployments page, for people: it is never read back, and neither a release nor a rollback waits
 * for it.
 */
import { githubEnvironment, isPromoted } from "./config.ts";
import { type GitHub } from "./github.ts";
import { type Target } from "./target.ts";
import { messageOf, shortCommit } from "./tell.ts";

/** How long GitHub may take to open a record, and once more to close it. */
const PATIENCE_MS = 10_000;

/**
 * Begins to open a record while the work goes on. One that cannot be written stops nothing.
 *
 * @returns what closes it
 */
export function openRecord(
  target: Target,
  task: "deploy" | "rollback",
  commit: string,
) {
  const { config, environment, env, tell, url } = target;
  const {
    GITHUB_RUN_ID: run,
    GITHUB_SERVER_URL: server = "https://github.com",
  } = env;
  const attempt = async <T>(
    what: string,
    action: (github: GitHub) => Promise<T>,
  ) => {
    const github = target.github?.within(PATIENCE_MS);
    return (
      github &&
      action(github).catch((error: unknown) => {
        console.warn(
          `Could not ${what} the deployment record: ${messageOf(error)}. Going on.`,
        );
        return undefined;
      })
    );
  };
  const mark = (github: GitHub, id: number, state: string, text: string) =>
    github.call("POST", `deployments/${id}/statuses`, {
      state,
      description: text.slice(0, 140),
      environment_url: url,
      ...(run && {
        log_url: `${server}/${github.repository}/actions/runs/${run}`,
      }),
      auto_inactive: true,
    });
  const opened = attempt("open", async (github) => {
    const people = run ? await approvers(github, run).catch(() => []) : [];
    if (people.length > 0) tell(`Approved by ${people.join(", ")}.`);
    const { id } = await github.call<{ id: number }>("POST", "deployments", {
      ref: commit,
      task,
      environment: githubEnvironment(config, environment.name),
      description: `${task} ${shortCommit(commit)}`,
      // Or GitHub merges main into the commit, or waits for checks that belong to another event.
      auto_merge: false,
      required_contexts: [],
      production_environment: isPromoted(config, environment.name),
    });
    await mark(github, id, "in_progress", "started");
    return id;
  });
  return async (state: "success" | "failure", text: string): Promise<void> => {
    const id = await opened;
    if (id === undefined) return;
    await attempt("close", (github) => mark(github, id, state, text));
  };
}

/** Who approved the run, for the summary. */
async function approvers(github: GitHub, run: string): Promise<string[]> {
  const reviews = await github.optional<
    { state: string; user: { login: string } | null }[]
  >(`actions/runs/${run}/approvals`);
  const people = (reviews ?? []).filter(({ state }) => state === "approved");
  return [...new Set(people.flatMap(({ user }) => user?.login ?? []))];
}
